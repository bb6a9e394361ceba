"""Rules on Redis: pass and fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    ("redis", "found"),
    [
        pytest.param({}, [], id="derived"),
        pytest.param({"pool_max": 0}, [], id="on demand"),
        pytest.param({"pool_max": 30}, [], id="what is needed"),
        pytest.param({"pool_max": 1}, [(f"{REDIS}.pool_max", "error")], id="one: deadlock"),
        pytest.param({"pool_max": 9}, [(f"{REDIS}.pool_max", "error")], id="nine"),
        pytest.param({"pool_max": 10}, [(f"{REDIS}.pool_max", "warning")], id="ten"),
        pytest.param({"pool_max": 29}, [(f"{REDIS}.pool_max", "warning")], id="fewer than declared"),
        pytest.param({"pool_max": -1}, [(f"{REDIS}.pool_max", "error")], id="negative"),
        pytest.param({"pool_min": 31}, [(f"{REDIS}.pool_min", "error")], id="minimum above the maximum"),
        pytest.param({"pool_min": 30, "pool_max": 30}, [], id="minimum at the maximum"),
        pytest.param(
            {"pool_min": 11, "pool_max": 10},
            [(f"{REDIS}.pool_max", "warning"), (f"{REDIS}.pool_min", "error")],
            id="minimum above the smallest pool",
        ),
        pytest.param({"pool_min": -1}, [(f"{REDIS}.pool_min", "error")], id="negative minimum"),
        pytest.param({"pool_min": 31, "pool_max": 0}, [], id="minimum without a pool"),
    ],
)
def test_pool(redis: dict[str, Any], found: list[tuple[str, str]], subjects: Subjects, make_tenant: MakeTenant) -> None:
    assert subjects("redis-pool-size", [make_tenant(redis=redis)]) == found


@pytest.mark.parametrize(
    ("maxclients", "fails"),
    [
        pytest.param(None, False, id="derived"),
        pytest.param(160, False, id="just enough"),
        pytest.param(159, True, id="one too few"),
        pytest.param(15, True, id="the checklist's floor"),
    ],
)
def test_maxclients(maxclients: int | None, fails: bool, subjects: Subjects, make_tenant: MakeTenant) -> None:
    expected = [(f"{REDIS}.maxclients", "error")] if fails else []
    assert subjects("redis-maxclients", [make_tenant(redis={"maxclients": maxclients})]) == expected


@pytest.mark.parametrize(
    ("first", "second", "fails"),
    [
        pytest.param({}, {}, False, id="an instance each"),
        pytest.param({"host": "h"}, {"host": "H"}, True, id="one server"),
        pytest.param({"host": "h"}, {"url": "redis://h:6379/0"}, True, id="one server, by url"),
        pytest.param({"host": "h"}, {"host": "h", "index": 1}, False, id="another index"),
        pytest.param({"host": "h"}, {"host": "h", "port": 6380}, False, id="another port"),
        pytest.param({"host": "h"}, {"host": "i"}, False, id="another server"),
    ],
)
def test_shared(
    first: dict[str, Any], second: dict[str, Any], fails: bool, subjects: Subjects, make_tenant: MakeTenant
) -> None:
    tenants = [make_tenant(redis=first), make_tenant("beta", 2, redis=second)]
    expected = [("cubejs_tenants[beta].redis", "error")] if fails else []
    assert subjects("redis-shared-by-tenants", tenants) == expected
