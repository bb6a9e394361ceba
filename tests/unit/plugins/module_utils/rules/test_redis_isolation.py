"""Rules on tenants being kept apart in Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import LiveInstance

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
MEMORY = {"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"}


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
    expected = [("cubejs_tenants[beta].redis", "critical")] if fails else []
    assert subjects("redis-shared-by-tenants", tenants) == expected


BUS = {"CUBEJS_PRE_AGGREGATIONS_QUEUE_EVENTS_BUS": "true"}


@pytest.fixture
def beta(redises: Any) -> Callable[..., Any]:
    """Return a function that makes a process of another tenant, on the same Redis unless look says otherwise."""

    def make(look: dict[str, Any] | None = None, **process: Any) -> tuple[LiveInstance, Any]:
        server = redises.redis(**{"run_id": "run-acme", **(look or {})})
        found: tuple[LiveInstance, Any] = redises.process(tenant="beta", host="two", redis=server, **process)
        return found

    return make


@pytest.mark.parametrize(
    ("look", "process", "found"),
    [
        pytest.param({"run_id": "run-beta"}, {}, "pass", id="a server each"),
        pytest.param({}, {}, "fail", id="one keyspace"),
        pytest.param(
            {"asked": "redis.example:6379/0", "host": "10.0.0.1", "port": 6379}, {}, "fail", id="by another name"
        ),
        pytest.param({"index": 1}, {}, "pass", id="an index each"),
        pytest.param({}, {"prefix": "BETA"}, "pass", id="a prefix each"),
        pytest.param({}, {"prefix": None}, "unknown", id="a prefix from code"),
        pytest.param({"index": 1}, {"prefix": None}, "pass", id="a prefix from code at another index"),
    ],
)
def test_seen_keyspaces(
    look: dict[str, Any], process: dict[str, Any], found: str, redises: Any, beta: Callable[..., Any]
) -> None:
    both = [(found, "critical")] * 2
    assert redises.said("redis-shared-by-tenants", redises.process(), beta(look, **process)) == both


def test_who_shares_is_told(redises: Any, beta: Callable[..., Any]) -> None:
    first, second = redises.judge("redis-shared-by-tenants", redises.reach(redises.process(), beta()))
    assert (first.tenant, second.tenant) == ("acme", "beta")
    assert first.message.startswith("beta ")
    assert second.message.startswith("acme ")


def test_of_a_crowd_the_first_are_told(redises: Any) -> None:
    crowd = [redises.process(tenant=f"t{number:02}", redis=redises.redis(run_id="one")) for number in range(20)]
    findings = redises.judge("redis-shared-by-tenants", redises.reach(*crowd))
    assert {finding.status for finding in findings} == {"fail"}
    assert "t01, t02, t03, t04, t05 and 14 more" in findings[0].message
    assert "t00, t01, t02, t03, t04 and 14 more" in findings[19].message


@pytest.mark.parametrize("rule", ["redis-shared-by-tenants", "redis-locks-shared"])
@pytest.mark.parametrize(
    ("look", "process", "found"),
    [
        pytest.param("healthy", {}, "pass", id="alone"),
        pytest.param(None, {}, "unknown", id="not asked"),
        pytest.param("healthy", {"environment": MEMORY}, "not_applicable", id="without Redis"),
    ],
)
def test_one_tenant(rule: str, look: Any, process: dict[str, Any], found: str, redises: Any) -> None:
    assert [status for status, _severity in redises.said(rule, redises.process(redis=look, **process))] == [found]


@pytest.mark.parametrize("rule", ["redis-shared-by-tenants", "redis-locks-shared"])
def test_another_tenants_host_is_missing(rule: str, redises: Any, make_fleet: Any, make_tenant: Any) -> None:
    groups = {"cubejs_api": ["one", "two"], "cubejs_refresh_worker": ["one"]}
    here = [make_tenant(hosts=["one"], redis={"host": "r"}), make_tenant("beta", 2, hosts=["two"], redis={"host": "r"})]
    plan = make_fleet(here, groups={**groups, "cubejs_nginx": ["one"], "cubejs_mysql": ["one"]})
    found = redises.said(rule, redises.process(), plan=plan, missing={"two": "unreachable"})
    assert [status for status, _severity in found] == ["unknown"]


@pytest.mark.parametrize(
    ("look", "process", "own", "found"),
    [
        pytest.param({}, {"prefix": "BETA"}, {}, ["fail", "fail"], id="one database"),
        pytest.param({"index": 1}, {}, {}, ["pass", "pass"], id="an index each"),
        pytest.param({}, {"version": "0.27.29", "prefix": "BETA"}, {}, ["fail", "pass"], id="a version without locks"),
        pytest.param({"index": 1}, {"environment": BUS}, {"environment": BUS}, ["fail", "fail"], id="one channel"),
        pytest.param({"index": 1}, {"environment": BUS}, {}, ["pass", "pass"], id="one of them listens"),
        pytest.param({"run_id": "b"}, {"environment": BUS}, {"environment": BUS}, ["pass", "pass"], id="a server each"),
    ],
)
def test_what_has_no_prefix(
    look: dict[str, Any], process: dict[str, Any], own: dict[str, Any], found: list[str], redises: Any,
    beta: Callable[..., Any],
) -> None:  # fmt: skip
    said = redises.said("redis-locks-shared", redises.process(**own), beta(look, **process))
    assert said == [(status, "warning") for status in found]
