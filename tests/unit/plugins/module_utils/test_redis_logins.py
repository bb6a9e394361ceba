"""Logins, to servers in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_logins, redis_session
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_logins import Logins
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import Instance, NotReadyError
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Endpoint


def acme(**changed: Any) -> Instance:
    return Instance(**{"name": "acme", "port": 20001, "password": "old", "maxclients": 100, **changed})


@pytest.mark.parametrize(("fresh", "logins"), [pytest.param(5.0, 1, id="used"), pytest.param(0.0, 2, id="too old")])
def test_the_next_servers_are_logged_in_to_ahead(
    tmp_path: Path, servers: Any, fake_redis: Any, monkeypatch: pytest.MonkeyPatch, fresh: float, logins: int
) -> None:
    sent = []

    class Login(redis_session.Login):
        def __init__(self, endpoint: Endpoint, password: str) -> None:
            sent.append(Path(str(endpoint)).parent.name)
            super().__init__(endpoint, password)

    monkeypatch.setattr(redis_logins, "Login", Login)
    monkeypatch.setattr(redis_session, "FRESH_SECONDS", fresh)
    names = ("acme", "bazaar", "corner")
    fakes = {name: fake_redis() for name in names if name != "bazaar"}
    for name, fake in fakes.items():
        servers.redis(fake, tmp_path / name / "redis.sock")
    logins_of = Logins(tmp_path)
    logins_of.expect([acme(name=name) for name in names])
    with logins_of.of(acme(), "old").session() or pytest.fail("not taken"):
        pass
    with pytest.raises(NotReadyError):
        logins_of.of(acme(name="bazaar"), "old")
    with logins_of.of(acme(name="corner"), "old").session() or pytest.fail("not taken") as session:
        assert session.config()["maxclients"] == "100"
    assert sent == ["bazaar", "corner", "acme", "bazaar", *["corner"] * (logins - 1)]


def test_who_was_logged_in_to_ahead_with_another_password_is_asked_with_the_one_that_is_taken(
    tmp_path: Path, servers: Any, fake_redis: Any
) -> None:
    for name in ("acme", "bazaar"):
        servers.redis(fake_redis(), tmp_path / name / "redis.sock")
    logins_of = Logins(tmp_path)
    logins_of.expect([acme(), acme(name="bazaar", password="new")])
    with logins_of.of(acme(), "old").session() or pytest.fail("not taken"):
        pass
    bazaar = acme(name="bazaar", password="new")
    assert logins_of.of(bazaar, "new").session() is None
    with logins_of.of(bazaar, "old").session() or pytest.fail("not taken") as session:
        assert session.password == "old"


def test_what_a_server_said_before_it_was_restarted_is_not_taken(tmp_path: Path, servers: Any, fake_redis: Any) -> None:
    bazaar, path = acme(name="bazaar"), tmp_path / "bazaar" / "redis.sock"
    servers.redis(fake_redis(), tmp_path / "acme" / "redis.sock")
    servers.redis(fake_redis(), path)
    logins_of = Logins(tmp_path)
    logins_of.expect([acme(), bazaar])
    with logins_of.of(acme(), "old").session() or pytest.fail("not taken"):
        pass
    servers.listeners[-1].close()
    path.unlink()
    restarted = fake_redis()
    restarted.info["process_id"] = "77"
    servers.redis(restarted, path)
    with logins_of.of(bazaar, "old").session() or pytest.fail("not taken") as session:
        assert session.process_id() == 77
