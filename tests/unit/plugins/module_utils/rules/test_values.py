"""Rules on the values of live instances' variables: pass, fail, unknown, not applicable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

Verdicts = Callable[..., list[str]]
ENVIRON = Unknown("process.environ", "Permission denied")
UNREAD = {"unknown": (ENVIRON,)}


@pytest.mark.parametrize(
    ("environment", "changes", "found"),
    [
        pytest.param({}, {}, [("", "pass")], id="all taken"),
        pytest.param({"CUBEJS_WEB_SOCKETS": "yes"}, {}, [("CUBEJS_WEB_SOCKETS", "fail")], id="a switch"),
        pytest.param({"CUBEJS_TELEMETRY": "no"}, {}, [("CUBEJS_TELEMETRY", "fail")], id="telemetry"),
        pytest.param(
            {"CUBEJS_TELEMETRY": "no"}, {"version": "0.20.10"}, [("", "not_applicable")], id="any text before"
        ),
        pytest.param({"PORT": "abc"}, {}, [("PORT", "fail")], id="a port that names a socket"),
        pytest.param({"CUBEJS_GRACEFUL_SHUTDOWN": "-1"}, {}, [("CUBEJS_GRACEFUL_SHUTDOWN", "fail")], id="a number"),
        pytest.param({"CUBEJS_DB_QUERY_TIMEOUT": "10x"}, {}, [("CUBEJS_DB_QUERY_TIMEOUT", "fail")], id="a duration"),
        pytest.param(
            {"CUBEJS_DEV_MODE": "1", "CUBEJS_REFRESH_WORKER": "yes"}, {}, [("", "pass")], id="judged elsewhere"
        ),
        pytest.param({}, {"version": ""}, [("", "unknown")], id="version not known"),
        pytest.param({}, UNREAD, [("", "unknown")], id="process not read"),
    ],
)
def test_taken(seeing: Any, environment: dict[str, Any], changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    findings = seeing.judge("values-are-taken", seeing.live(seeing.instance(environment=environment, **changes)))
    assert [(each.subject.partition(" ")[2], each.status) for each in findings] == found


def test_a_value_that_did_not_leave_the_host_is_not_taken(seeing: Any) -> None:
    instance = seeing.instance()
    settings = {**instance.seen.settings, "CUBEJS_TELEMETRY": seeing.setting(None, fingerprint="f")}
    instance = replace(instance, seen=replace(instance.seen, settings=settings))
    (finding,) = seeing.judge("values-are-taken", seeing.live(instance))
    assert (finding.status, finding.message.partition(" ")[0]) == ("fail", "<masked>")


@pytest.mark.parametrize(
    ("level", "changes", "status"),
    [
        pytest.param(None, {}, "pass", id="not set"),
        pytest.param("", {}, "pass", id="empty"),
        pytest.param("WARN", {}, "pass", id="capitals"),
        pytest.param("trace", {}, "pass", id="trace"),
        pytest.param("warning", {}, "fail", id="a typo"),
        pytest.param(None, UNREAD, "unknown", id="process not read"),
        pytest.param("warning", UNREAD, "fail", id="wrong in the files, process not read"),
    ],
)
def test_log_level(verdicts: Verdicts, seeing: Any, level: str | None, changes: dict[str, Any], status: str) -> None:
    assert verdicts("log-level", seeing.instance(environment={"CUBEJS_LOG_LEVEL": level}, **changes)) == [status]


NO_URL = {"CUBEJS_REDIS_URL": None}
DRIVER = "CUBEJS_CACHE_AND_QUEUE_DRIVER"


@pytest.mark.parametrize(
    ("environment", "version", "changes", "status"),
    [
        pytest.param({}, "0.29.57", {}, "pass", id="not set"),
        pytest.param(NO_URL, "0.29.57", {}, "pass", id="not set, Redis on 127.0.0.1"),
        pytest.param({DRIVER: "memory"}, "0.29.57", {}, "pass", id="memory"),
        pytest.param({DRIVER: "Redis"}, "0.29.57", {}, "fail", id="capitals"),
        pytest.param({DRIVER: "cubestore"}, "0.29.57", {}, "fail", id="Cube Store too early"),
        pytest.param({DRIVER: "cubestore"}, "0.31.69", {}, "pass", id="Cube Store"),
        pytest.param({}, "0.32.9", {}, "pass", id="0.32 with a URL"),
        pytest.param(NO_URL, "0.32.9", {}, "fail", id="0.32 without"),
        pytest.param({**NO_URL, "REDIS_URL": "redis://h"}, "0.32.9", {}, "pass", id="0.32 with the old name"),
        pytest.param({**NO_URL, "CUBEJS_REDIS_USE_IOREDIS": "TRUE"}, "0.32.9", {}, "pass", id="0.32 with ioredis"),
        pytest.param({"CUBEJS_REDIS_URL": ""}, "0.32.9", {}, "fail", id="0.32 with an empty URL"),
        pytest.param({**NO_URL, DRIVER: "redis"}, "0.32.9", {}, "pass", id="0.32, said"),
        pytest.param(
            NO_URL, "0.32.9", {"project": Project("/srv", mentions=("cacheAndQueueDriver",))}, "unknown", id="in code"
        ),
        pytest.param({}, "", {}, "unknown", id="version not known"),
        pytest.param({}, "0.29.57", UNREAD, "unknown", id="process not read"),
        pytest.param(NO_URL, "0.32.9", {"unknown": (Unknown("dotenv", "no"),)}, "unknown", id="a .env could say"),
    ],
)
def test_driver(
    verdicts: Verdicts, seeing: Any, environment: dict[str, Any], version: str, changes: dict[str, Any], status: str
) -> None:
    instance = seeing.instance(environment=environment, version=version, **changes)
    assert verdicts("cache-driver-legal", instance) == [status]


@pytest.mark.parametrize(
    ("text", "version", "changes", "status", "severity"),
    [
        pytest.param(None, "0.29.57", {}, "pass", "critical", id="not set"),
        pytest.param("false", "0.29.57", {}, "pass", "critical", id="false"),
        pytest.param("true", "0.29.57", {}, "fail", "critical", id="does not start"),
        pytest.param("yes", "0.29.57", {}, "fail", "critical", id="refused"),
        pytest.param("true", "0.20.10", {}, "fail", "warning", id="its own TLS"),
        pytest.param("true", "", {}, "fail", "critical", id="version not known"),
        pytest.param(None, "0.29.57", UNREAD, "unknown", "critical", id="process not read"),
    ],
)
def test_tls(seeing: Any, text: str | None, version: str, changes: dict[str, Any], status: str, severity: str) -> None:
    instance = seeing.instance(environment={"CUBEJS_ENABLE_TLS": text}, version=version, **changes)
    (finding,) = seeing.judge("cube-tls-off", seeing.live(instance))
    assert (finding.status, finding.severity) == (status, severity)


@pytest.mark.parametrize(
    ("text", "version", "changes", "status", "severity"),
    [
        pytest.param("false", "0.29.57", {}, "pass", "info", id="off"),
        pytest.param("true", "0.29.57", {}, "pass", "info", id="on, and said"),
        pytest.param(None, "0.29.57", {}, "fail", "info", id="not said"),
        pytest.param("no", "0.20.10", {}, "fail", "warning", id="meant to be off"),
        pytest.param("0", "0.29.57", {}, "pass", "info", id="off by number"),
        pytest.param("false", "0.29.57", UNREAD, "unknown", "info", id="process not read"),
    ],
)
def test_telemetry(
    seeing: Any, text: str | None, version: str, changes: dict[str, Any], status: str, severity: str
) -> None:
    instance = seeing.instance(environment={"CUBEJS_TELEMETRY": text}, version=version, **changes)
    (finding,) = seeing.judge("telemetry-decided", seeing.live(instance))
    assert (finding.status, finding.severity) == (status, severity)


@pytest.mark.parametrize(
    ("url", "changes", "status"),
    [
        pytest.param(None, {}, "pass", id="not set"),
        pytest.param("", {}, "pass", id="empty"),
        pytest.param("https://agent.example", {}, "fail", id="set"),
        pytest.param(None, UNREAD, "unknown", id="process not read"),
    ],
)
def test_agent(verdicts: Verdicts, seeing: Any, url: str | None, changes: dict[str, Any], status: str) -> None:
    instance = seeing.instance(environment={"CUBEJS_AGENT_ENDPOINT_URL": url}, **changes)
    assert verdicts("agent-endpoint-unset", instance) == [status]
