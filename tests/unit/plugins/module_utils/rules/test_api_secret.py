"""Rules on the API secret: pass, fail, unknown, not applicable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

Verdicts = Callable[..., list[str]]
ENVIRON = Unknown("process.environ", "Permission denied")
WITHOUT = {"CUBEJS_API_SECRET": None}
JWK = {"CUBEJS_API_SECRET": None, "CUBEJS_JWK_URL": "https://id.example/jwks"}


def secret(seeing: Any, instance: Any, fingerprint: str, name: str = "CUBEJS_API_SECRET", **keys: Any) -> Any:
    """Return the instance with another secret."""
    settings = {**instance.seen.settings, name: seeing.setting(None, fingerprint=fingerprint, **keys)}
    return replace(instance, seen=replace(instance.seen, settings=settings))


@pytest.mark.parametrize(
    ("environment", "changes", "status"),
    [
        pytest.param({}, {}, "pass", id="set"),
        pytest.param(WITHOUT, {}, "fail", id="not set"),
        pytest.param(WITHOUT, {"unknown": (ENVIRON,)}, "unknown", id="process not read"),
        pytest.param({}, {"unknown": (ENVIRON,)}, "unknown", id="set in the files, process not read"),
        pytest.param(WITHOUT, {"unknown": (Unknown("dotenv", "no"),)}, "unknown", id=".env not read"),
        pytest.param(JWK, {}, "pass", id="published keys"),
        pytest.param(JWK, {"version": "0.26.45"}, "fail", id="published keys, before they were enough"),
        pytest.param(JWK, {"version": ""}, "unknown", id="published keys, version not known"),
        pytest.param(WITHOUT, {"project": Project("/srv", mentions=("checkAuth",))}, "unknown", id="own code"),
        pytest.param(WITHOUT, {"project": Project("/srv", mentions=("webSockets",))}, "fail", id="other own code"),
    ],
)
def test_set(
    verdicts: Verdicts, seeing: Any, environment: dict[str, Any], changes: dict[str, Any], status: str
) -> None:
    assert verdicts("api-secret-set", seeing.instance(environment=environment, **changes)) == [status]


def test_empty_is_critical(seeing: Any) -> None:
    instance = secret(seeing, seeing.instance(), "f", problems=("it is empty",))
    (finding,) = seeing.judge("api-secret-set", seeing.live(instance))
    assert (finding.status, finding.severity) == ("fail", "critical")


def pair(seeing: Any, first: str, second: str, name: str = "CUBEJS_API_SECRET", **changes: Any) -> list[Any]:
    """Return two API instances of a tenant, on two hosts, with these fingerprints."""
    instances = (seeing.instance(), seeing.instance("cubejs-api@acme-2.service", host="two", **changes))
    return [secret(seeing, each, given, name) for each, given in zip(instances, (first, second))]


@pytest.mark.parametrize(
    ("first", "second", "name", "changes", "status"),
    [
        pytest.param("a", "a", "CUBEJS_API_SECRET", {}, "pass", id="the same"),
        pytest.param("a", "b", "CUBEJS_API_SECRET", {}, "fail", id="different"),
        pytest.param("a", "b", "CUBEJS_JWT_KEY", {}, "fail", id="different keys of tokens"),
        pytest.param("a", "a", "CUBEJS_API_SECRET", {"unknown": (ENVIRON,)}, "unknown", id="one not read"),
    ],
)
def test_same(
    verdicts: Verdicts, seeing: Any, first: str, second: str, name: str, changes: dict[str, Any], status: str
) -> None:
    assert verdicts("api-secret-same", *pair(seeing, first, second, name, **changes)) == [status]


def test_same_is_not_known_while_a_host_is_missing(seeing: Any) -> None:
    (finding,) = seeing.judge("api-secret-same", seeing.live(*pair(seeing, "a", "a"), missing={"three": "unreachable"}))
    assert finding.status == "unknown"
    assert "three (unreachable)" in finding.message


def test_a_worker_is_not_compared(verdicts: Verdicts, seeing: Any) -> None:
    worker = seeing.instance("cubejs-worker@acme.service", "refresh_worker")
    assert verdicts("api-secret-same", seeing.instance(), secret(seeing, worker, "other")) == ["not_applicable"]


def test_no_secret_is_told(seeing: Any) -> None:
    (finding,) = seeing.judge("api-secret-same", seeing.live(*pair(seeing, "KEYED-1", "KEYED-2")))
    assert "KEYED" not in repr(finding)
    assert "cubejs-api@acme-2.service on two" in repr(finding.evidence)
