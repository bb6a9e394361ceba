"""Where a running server is not as its files say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_comparison import compare, shown
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import Instance, digest

MADE = {"maxmemory": "5000", "save": "300 1", "dir": "/private", "port": "0", "requirepass": "", "replicaof": ""}
LIVE = {**MADE, "dir": "/var/lib/x", "port": "20001", "maxclients": "100", "requirepass": "wanted", "tls-port": "0"}


@dataclass
class Session:
    """A running server."""

    live: dict[str, str] = field(default_factory=lambda: dict(LIVE))
    digests: frozenset[str] = frozenset({digest("wanted")})

    def config(self) -> dict[str, str]:
        """Return every setting."""
        return self.live

    def password_digests(self) -> frozenset[str]:
        """Return who is let in."""
        return self.digests


@dataclass
class Store:
    """What the server makes of its files."""

    other_certificate: bool = False

    def wanted_settings(self, _name: str, *, remember: bool) -> dict[str, str]:
        """Return the same every time."""
        return {} if remember else dict(MADE)

    def serves_other_certificate(self, _instance: Instance) -> bool:
        """Return what the test says."""
        return self.other_certificate


def differences(session: Session, store: Store | None = None, **changed: Any) -> Any:
    instance = Instance(**{"name": "acme", "port": 20001, "password": "wanted", "maxclients": 100, **changed})
    return compare(instance, session, store or Store())


def test_a_server_as_wanted_has_none() -> None:
    found = differences(Session())
    assert (found.settings, found.password, found.extra_passwords, found.certificate) == ({}, False, frozenset(), False)


@pytest.mark.parametrize(
    ("changed", "settings"),
    [
        pytest.param({"maxmemory": "0"}, {"maxmemory": ("0", "5000")}, id="a setting"),
        pytest.param({"maxclients": "68"}, {"maxclients": ("68", "100")}, id="clients, lowered by the file limit"),
        pytest.param({"port": "1"}, {"port": ("1", "20001")}, id="port, which the private server does not have"),
        pytest.param({"dir": "/elsewhere", "replicaof": "10.0.0.1 1"}, {}, id="what belongs to the server"),
        pytest.param({"unknown-to-the-new-version": "1"}, {}, id="what only the running version has"),
    ],
)
def test_settings(changed: dict[str, str], settings: dict[str, tuple[str, str]]) -> None:
    assert differences(Session({**LIVE, **changed})).settings == settings


def test_a_setting_that_only_the_installed_version_has_is_not_missed() -> None:
    live = {key: value for key, value in LIVE.items() if key != "save"}
    assert differences(Session(live)).settings == {}


def test_tls_is_a_matter_of_ports() -> None:
    found = differences(Session(), Store(other_certificate=True), tls=True)
    assert found.settings == {"port": ("20001", "0"), "tls-port": ("0", "20001")}
    assert not found.certificate, "nobody is shown a certificate yet"
    over_tls = Session({**LIVE, "port": "0", "tls-port": "20001"})
    assert differences(over_tls, Store(other_certificate=True), tls=True).certificate
    assert not differences(over_tls, Store(), tls=True).certificate


@pytest.mark.parametrize(
    ("digests", "requirepass", "wrong", "extra"),
    [
        pytest.param({"old"}, "old", True, {"old"}, id="another"),
        pytest.param({"wanted", "old"}, "wanted", False, {"old"}, id="an old one too"),
        pytest.param({"wanted", ""}, "wanted", True, set(), id="none needed"),
        pytest.param({""}, "", True, set(), id="none set"),
        pytest.param({"wanted"}, "other", True, set(), id="let in by ACL alone"),
    ],
)
def test_passwords(digests: set[str], requirepass: str, wrong: bool, extra: set[str]) -> None:
    kept = frozenset(digest(each) if each else "" for each in digests)
    found = differences(Session({**LIVE, "requirepass": requirepass}, kept))
    assert (found.password, found.extra_passwords) == (wrong, {digest(each) for each in extra})


@pytest.mark.parametrize("name", ["requirepass", "masterauth", "primaryauth"])
def test_secrets_are_masked(name: str) -> None:
    assert "planted" not in str(shown(name, ("planted1", "planted2")))
    assert shown("maxmemory", ("1", "2")) == ("1", "2")
