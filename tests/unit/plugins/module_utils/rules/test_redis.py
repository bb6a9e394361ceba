"""Rules on the Redis that a tenant has, and its URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project, Unit
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
REDIS = "cubejs_tenants[acme].redis"
NOWHERE = {"cubejs_api": ["one"], "cubejs_refresh_worker": ["one"]}


@pytest.mark.parametrize(
    ("redis", "groups", "fails"),
    [
        pytest.param({}, None, False, id="of ours"),
        pytest.param({}, NOWHERE, True, id="no group and no address"),
        pytest.param({"host": "redis.example"}, NOWHERE, False, id="external"),
        pytest.param({"url": "redis://h"}, NOWHERE, False, id="url"),
        pytest.param({"url": "nonsense"}, NOWHERE, False, id="a broken url is another rule's"),
    ],
)
def test_endpoint(redis: dict[str, Any], groups: Any, fails: bool, subjects: Subjects, make_tenant: MakeTenant) -> None:
    expected = [(REDIS, "error")] if fails else []
    assert subjects("redis-endpoint", [make_tenant(redis=redis)], groups=groups) == expected


@pytest.mark.parametrize(
    ("redis", "version", "found"),
    [
        pytest.param({"url": "redis://h/1"}, "0.29.57", None, id="readable"),
        pytest.param({"url": "redis://:MARKED/b@h"}, "0.29.57", "url", id="password not encoded"),
        pytest.param({"url": "redis://:MARKED@h", "client": "ioredis"}, "0.29.57", "url", id="for another client"),
        pytest.param({"url": "redis://:MARKED@h", "password": "MARKED"}, "0.29.57", "url", id="two passwords"),
        pytest.param({"client": "ioredis"}, "0.26.6", "client", id="client not known yet"),
        pytest.param({"client": "ioredis"}, "0.26.7", None, id="first with the client"),
        pytest.param({"client": "ioredis", "host": "2001:db8::1"}, "0.29.57", "host", id="address it cannot read"),
        pytest.param({"host": "2001:db8::1"}, "0.29.57", None, id="address that the other reads"),
    ],
)
def test_url(
    redis: dict[str, Any], version: str, found: str | None, make_plan: Callable[..., Any], make_tenant: MakeTenant
) -> None:
    findings = make_plan([make_tenant(redis=redis, version=version)]).findings
    urls = [finding for finding in findings if finding.rule == "redis-url"]
    assert [finding.subject for finding in urls] == ([f"{REDIS}.{found}"] if found else [])
    assert "MARKED" not in repr(findings)


def _without(*names: str, **values: str) -> dict[str, str | None]:
    return {**dict.fromkeys(names), **values}


NO_URL = _without("CUBEJS_REDIS_URL")
UNREAD = Unknown("process.environ", "Permission denied", "Run the task with become: true")


@pytest.mark.parametrize(
    ("process", "found"),
    [
        pytest.param({}, ("pass", "error"), id="named by its settings"),
        pytest.param(
            {"version": "0.20.10", "environment": _without(REDIS_URL="redis://h")}, ("pass", "error"), id="old name"
        ),
        pytest.param({"environment": NO_URL}, ("fail", "warning"), id="the default address"),
        pytest.param({"version": "0.26.9", "environment": {}}, ("fail", "warning"), id="a name that it does not read"),
        pytest.param(
            {"environment": _without("CUBEJS_REDIS_URL", "NODE_ENV")}, ("fail", "error"), id="memory for want"
        ),
        pytest.param(
            {"environment": _without(CUBEJS_CACHE_AND_QUEUE_DRIVER="memory")},
            ("not_applicable", "error"),
            id="memory by will",
        ),
        pytest.param({"version": "0.32.9", "environment": NO_URL}, ("fail", "error"), id="cube store for want"),
        pytest.param(
            {"version": "0.32.9", "environment": _without(CUBEJS_CACHE_AND_QUEUE_DRIVER="cubestore")},
            ("not_applicable", "error"),
            id="cube store by will",
        ),
        pytest.param(
            {"environment": _without(CUBEJS_CACHE_AND_QUEUE_DRIVER="cubestore")},
            ("fail", "error"),
            id="cube store too early",
        ),
        pytest.param(
            {"environment": _without(CUBEJS_CACHE_AND_QUEUE_DRIVER="Redis")}, ("fail", "error"), id="no driver"
        ),
        pytest.param({"environment": NO_URL, "unknown": (UNREAD,)}, ("unknown", "error"), id="not all of it read"),
        pytest.param({"settings": {}}, ("unknown", "error"), id="nothing read"),
        pytest.param({"version": "", "environment": NO_URL}, ("unknown", "error"), id="its version decides"),
        pytest.param(
            {"project": Project("/srv", "cube.js", ("cacheAndQueueDriver",))},
            ("unknown", "error"),
            id="its code decides",
        ),
        pytest.param(
            {"environment": NO_URL, "project": Project("/srv", "cube.js", ("createClient",))},
            ("unknown", "error"),
            id="its code connects",
        ),
    ],
)
def test_seen_endpoints(process: dict[str, Any], found: tuple[str, str], redises: Any) -> None:
    assert redises.said("redis-endpoint", redises.process(**process)) == [found]


def test_a_unit_left_over_is_no_process(redises: Any) -> None:
    left = redises.process(running=False, unit=Unit("old.service", enabled="disabled", state="inactive"))
    assert redises.said("redis-endpoint", left) == []


@pytest.mark.parametrize(
    ("look", "process", "status"),
    [
        pytest.param({}, {}, "pass", id="read"),
        pytest.param(
            {"reachable": False, "reason": "refused", "problem": "refused"}, {}, "pass", id="read, whoever answers"
        ),
        pytest.param({"reachable": False, "reason": "url", "problem": "it has no scheme"}, {}, "fail", id="misread"),
        pytest.param(None, {}, "unknown", id="not asked"),
        pytest.param(
            None, {"environment": _without(CUBEJS_CACHE_AND_QUEUE_DRIVER="memory")}, "not_applicable", id="memory"
        ),
    ],
)
def test_seen_urls(look: dict[str, Any] | None, process: dict[str, Any], status: str, redises: Any) -> None:
    server = None if look is None else redises.redis(**look)
    assert redises.said("redis-url", redises.process(redis=server, **process)) == [(status, "error")]
