"""Rules on variables of live instances: pass, fail, unknown, not applicable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import RedisSeen, Unknown

Verdicts = Callable[..., list[str]]
ENVIRON = Unknown("process.environ", "Permission denied", "Run the task with become: true")
UNREAD_DOTENV = Unknown("dotenv", "/srv/acme/.env: Permission denied")
NO_REDIS = {"CUBEJS_REDIS_URL": None, "CUBEJS_REDIS_PASSWORD": None}
# What a version before 0.25.4 reads.
OLD = {"CUBEJS_PRE_AGGREGATIONS_SCHEMA": None, **NO_REDIS}


def outcome(seeing: Any, rule: str, instance: Any) -> list[tuple[str, str, str]]:
    """Return variable, status and severity of each finding."""
    findings = seeing.judge(rule, seeing.live(instance))
    return [(each.subject.partition(" ")[2], each.status, each.severity) for each in findings]


@pytest.mark.parametrize(
    ("environment", "changes", "found"),
    [
        pytest.param({}, {}, [("", "pass")], id="all read"),
        pytest.param({"CUBEJS_CONCURRENCY": "4"}, {}, [("CUBEJS_CONCURRENCY", "fail")], id="too new"),
        pytest.param({"CUBEJS_CONCURRENCY": "4"}, {"version": "0.31.69"}, [("", "pass")], id="read from 0.30.30 on"),
        pytest.param({"CUBEJS_LOG_LEVLE": "warn"}, {}, [("CUBEJS_LOG_LEVLE", "fail")], id="misspelt"),
        pytest.param({"CUBEJS_APP": "a", "CUBEJS_ENABLE_TLS": "false"}, {}, [("", "pass")], id="judged elsewhere"),
        pytest.param({"PATH": "/bin", "CUBEJS_DB_X": "1"}, {}, [("", "pass")], id="others'"),
        pytest.param({}, {"version": ""}, [("", "unknown")], id="version not known"),
        pytest.param({}, {"unknown": (UNREAD_DOTENV,)}, [("", "unknown")], id=".env not read"),
        pytest.param(
            {"CUBEJS_CONCURRENCY": "4"}, {"unknown": (ENVIRON,)},
            [("CUBEJS_CONCURRENCY", "fail"), ("", "unknown")], id="process not read",
        ),
    ],
)  # fmt: skip
def test_read(seeing: Any, environment: dict[str, Any], changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    instance = seeing.instance(environment=environment, **changes)
    assert outcome(seeing, "variables-are-read", instance) == [(*each, "warning") for each in found]


@pytest.mark.parametrize(
    ("environment", "version", "changes", "found"),
    [
        pytest.param({}, "0.29.57", {}, [("", "pass", "critical")], id="new names"),
        pytest.param({**NO_REDIS, "REDIS_URL": "redis://h"}, "0.29.57", {}, [("", "pass", "critical")], id="old names"),
        pytest.param({**OLD, "REDIS_URL": "redis://h"}, "0.20.10", {}, [("", "pass", "critical")], id="old"),
        pytest.param(
            {"CUBEJS_REDIS_PASSWORD": None}, "0.26.103", {}, [("CUBEJS_REDIS_URL", "fail", "critical")], id="too new"
        ),
        pytest.param(
            {"CUBEJS_REDIS_URL": None}, "0.27.0", {}, [("CUBEJS_REDIS_PASSWORD", "fail", "critical")],
            id="the password came a release later",
        ),
        pytest.param(
            {"CUBEJS_REDIS_PASSWORD": None, "REDIS_URL": "redis://h"}, "0.26.103", {},
            [("CUBEJS_REDIS_URL", "fail", "warning")], id="both, and the old one is read",
        ),
        pytest.param(NO_REDIS, "0.29.57", {}, [("", "not_applicable", "critical")], id="none"),
        pytest.param(NO_REDIS, "0.29.57", {"unknown": (ENVIRON,)}, [("", "unknown", "critical")], id="not read"),
        pytest.param({}, "", {}, [("", "unknown", "critical")], id="version not known"),
    ],
)  # fmt: skip
def test_redis_names(
    seeing: Any, environment: dict[str, Any], version: str, changes: dict[str, Any], found: list[tuple[str, str, str]]
) -> None:
    instance = seeing.instance(environment=environment, version=version, **changes)
    assert outcome(seeing, "redis-variable-names", instance) == found


@pytest.mark.parametrize(
    ("settings", "changes", "found"),
    [
        pytest.param({}, {}, [("", "not_applicable")], id="one name each"),
        pytest.param({"REDIS_URL": seen.Value("redis://127.0.0.1:6401/0")}, {}, [("", "pass")], id="the same"),
        pytest.param({"REDIS_URL": seen.Value("redis://other")}, {}, [("REDIS_URL", "fail")], id="different"),
        pytest.param({"REDIS_URL": seen.Value(None, "f")}, {}, [("REDIS_URL", "fail")], id="one has a password"),
        pytest.param(
            {"REDIS_PASSWORD": seen.Value(None, "acme-CUBEJS_REDIS_PASSWORD")}, {}, [("", "pass")], id="equal secrets"
        ),
        pytest.param(
            {"REDIS_PASSWORD": seen.Value(None, "other")}, {}, [("REDIS_PASSWORD", "fail")], id="different secrets"
        ),
        pytest.param(
            {"REDIS_TLS": seen.Value("TRUE"), "CUBEJS_REDIS_TLS": seen.Value("true")}, {}, [("", "pass")], id="a switch"
        ),
        pytest.param(
            {"REDIS_TLS": seen.Value("true"), "CUBEJS_REDIS_TLS": seen.Value("false")}, {}, [("REDIS_TLS", "fail")],
            id="a switch that the old name decides",
        ),
        pytest.param({}, {"unknown": (ENVIRON,)}, [("", "unknown")], id="process not read"),
    ],
)  # fmt: skip
def test_redis_names_agree(
    seeing: Any, settings: dict[str, seen.Value], changes: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    instance = seeing.instance(**changes)
    given = {key: seen.Setting(value, seen.PROCESS) for key, value in settings.items()}
    instance = replace(instance, seen=replace(instance.seen, settings={**instance.seen.settings, **given}))
    assert outcome(seeing, "redis-variables-agree", instance) == [(*each, "error") for each in found]


@pytest.mark.parametrize(
    ("app", "version", "prefix", "changes", "status"),
    [
        pytest.param(None, "0.29.57", "STANDALONE", {}, "not_applicable", id="not set"),
        pytest.param("shop", "0.28.67", "shop", {}, "pass", id="in the keys"),
        pytest.param("shop", "0.29.57", "STANDALONE", {}, "fail", id="not in the keys"),
        pytest.param("shop", "0.29.20", None, {}, "unknown", id="nobody looked at that version"),
        pytest.param("shop", "", None, {}, "unknown", id="version not known"),
        pytest.param(None, "0.29.57", None, {"unknown": (ENVIRON,)}, "unknown", id="process not read"),
    ],
)
def test_app(
    verdicts: Verdicts,
    seeing: Any,
    app: str | None,
    version: str,
    prefix: str | None,
    changes: dict[str, Any],
    status: str,
) -> None:
    instance = seeing.instance(environment={"CUBEJS_APP": app}, version=version, prefix=prefix, **changes)
    assert verdicts("cubejs-app-isolation", instance) == [status]


@pytest.mark.parametrize(
    ("other", "severity"), [("acme", "warning"), ("beta", "error")], ids=["nobody else there", "another tenant there"]
)
def test_app_matters_where_a_redis_is_shared(seeing: Any, other: str, severity: str) -> None:
    servers = {"key": RedisSeen("h:6379/0", "node_redis", "h", 6379, 0, tls=False, run_id="run")}
    keys = {"environment": {"CUBEJS_APP": "shop"}, "prefix": "STANDALONE", "redis": "key"}
    instances = (seeing.instance(**keys), seeing.instance("b.service", tenant=other, host="two", **keys))
    hosts = (seeing.host("one", redis=servers), seeing.host("two", redis=servers))
    findings = seeing.judge("cubejs-app-isolation", seeing.live(*instances, hosts=hosts))
    assert [(each.status, each.severity) for each in findings] == [("fail", severity)] * 2
