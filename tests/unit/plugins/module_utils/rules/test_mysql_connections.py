"""Rules on connections to the storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.mysql_connections import pool_max

Subjects = Callable[..., list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("given", "fails"),
    [
        pytest.param(None, False, id="derived"),
        pytest.param(45, False, id="just enough"),
        pytest.param(44, True, id="one too few"),
    ],
)
def test_max_connections(given: int | None, fails: bool, subjects: Subjects) -> None:
    expected = [("mysql_max_connections", "error")] if fails else []
    assert subjects("storage-max-connections", mysql_max_connections=given) == expected


def fleet(seeing: Any, count: int, limit: int, **changes: Any) -> Any:
    """Return instances of two tenants on two hosts, all on one server with this many connections."""
    variables = {**seeing.mysql().variables, "max_connections": str(limit)}
    instances = [
        seeing.instance(f"{at}.service", tenant=("acme", "beta")[at % 2], host=("one", "two")[at % 2], **changes)
        for at in range(count)
    ]
    hosts = [
        seeing.host("one", addresses=("192.0.2.1",), mysql={"s": seeing.mysql(variables=variables)}),
        seeing.host("two", mysql={"s": seeing.mysql(host="192.0.2.1", variables=variables)}),
    ]
    return seeing.live(*instances, hosts=tuple(hosts))


@pytest.mark.parametrize(
    ("count", "limit", "changes", "status"),
    [
        # Ten instances with a pool of 8 and 2 for probes, 25 in reserve.
        pytest.param(10, 125, {}, "pass", id="just enough"),
        pytest.param(10, 124, {}, "fail", id="one too few"),
        pytest.param(10, 225, {"source": "s"}, "pass", id="the source too"),
        pytest.param(10, 224, {"source": "s"}, "fail", id="the source too, one too few"),
        pytest.param(10, 65, {"environment": {"CUBEJS_DB_MAX_POOL": "2"}}, "pass", id="small pools"),
        pytest.param(
            10, 125, {"project": observation.Project("/p", mentions=("contextToAppId",))}, "unknown", id="many pools"
        ),
        pytest.param(
            10, 124, {"project": observation.Project("/p", mentions=("contextToAppId",))}, "fail", id="too few for one"
        ),
    ],
)
def test_seen_max_connections(count: int, limit: int, changes: dict[str, Any], status: str, seeing: Any) -> None:
    (finding,) = seeing.judge("storage-max-connections", fleet(seeing, count, limit, storage="s", **changes))
    assert (finding.status, finding.subject, finding.host, finding.tenant) == (status, "one:3306", "one", "")


def test_a_limit_that_is_not_told(seeing: Any) -> None:
    found = seeing.storing(seeing.mysql(variables={"version": "8.4.3"}))
    assert [each.status for each in seeing.judge("storage-max-connections", found)] == ["unknown"]


def test_instances_of_a_host_that_was_not_seen_may_be_too_many(seeing: Any) -> None:
    found = replace(seeing.storing(), missing={"two": "unreachable"})
    assert [each.status for each in seeing.judge("storage-max-connections", found)] == ["unknown"]


def test_a_source_beside_other_tenants_storage_counts(seeing: Any) -> None:
    variables = {**seeing.mysql().variables, "max_connections": "44"}
    found = seeing.live(
        seeing.instance(storage="s"),
        seeing.instance("other.service", tenant="beta", source="s", environment={"CUBEJS_EXT_DB_TYPE": None}),
        hosts=(seeing.host(mysql={"s": seeing.mysql(variables=variables)}),),
    )
    findings = seeing.judge("storage-max-connections", found)
    assert [(each.status, each.subject) for each in findings] == [("fail", "one:3306"), ("not_applicable", "beta")]


def test_declared_orchestrators_count(seeing: Any, make_fleet: Callable[..., Any], make_tenant: Any) -> None:
    plan = make_fleet([make_tenant(orchestrators=3)])
    variables = {**seeing.mysql().variables, "max_connections": "51"}
    project = observation.Project("/p", mentions=("contextToOrchestratorId",))
    found = seeing.storing(seeing.mysql(variables=variables), project=project)
    assert [each.status for each in seeing.judge("storage-max-connections", found, plan)] == ["pass"]
    fewer = seeing.storing(seeing.mysql(variables={**variables, "max_connections": "50"}), project=project)
    assert [each.status for each in seeing.judge("storage-max-connections", fewer, plan)] == ["fail"]


@pytest.mark.parametrize(
    ("text", "size"),
    [(None, 8), ("", 8), ("0", 8), ("20", 20), ("20x", 20), ("abc", 8), (" 4", 4), ("-5", 8)],
)
def test_the_pool_as_the_driver_reads_it(text: str | None, size: int) -> None:
    assert pool_max(text) == size


@pytest.mark.parametrize(
    ("rule", "status", "found"),
    [
        pytest.param("storage-connections-used", {"Max_used_connections": "120"}, "pass", id="below 80 %"),
        pytest.param("storage-connections-used", {"Max_used_connections": "121"}, "fail", id="above"),
        pytest.param(
            "storage-connections-used",
            {"Max_used_connections": "9", "Connection_errors_max_connections": "1"},
            "fail",
            id="turned away",
        ),
        pytest.param("storage-connections-used", {}, "unknown", id="used: not told"),
        pytest.param("storage-aborted-connects", {"Aborted_connects": "99", "Uptime": "60"}, "pass", id="few"),
        pytest.param("storage-aborted-connects", {"Aborted_connects": "100", "Uptime": "3600"}, "fail", id="many"),
        pytest.param("storage-aborted-connects", {"Aborted_connects": "100", "Uptime": "86400"}, "pass", id="rare"),
        pytest.param("storage-aborted-connects", {"Aborted_connects": "x"}, "unknown", id="aborted: not told"),
    ],
)
def test_status(rule: str, status: dict[str, str], found: str, seeing: Any) -> None:
    assert [each.status for each in seeing.judge(rule, seeing.storing(seeing.mysql(status=status)))] == [found]


@pytest.mark.parametrize("rule", ["storage-max-connections", "storage-connections-used", "storage-aborted-connects"])
def test_a_server_that_was_not_reached(rule: str, seeing: Any) -> None:
    found = seeing.mysql(reachable=False, problem="no route", variables={}, status={}, identity="")
    (finding,) = seeing.judge(rule, seeing.storing(found))
    assert (finding.status, "no route" in finding.message) == ("unknown", True)
    assert [each.status for each in seeing.judge(rule, seeing.live(seeing.instance()))] == ["unknown"]
