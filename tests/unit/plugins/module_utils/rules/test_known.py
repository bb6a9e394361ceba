"""What is known well enough to be judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REFRESH_WORKER, Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.linking import link
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import FORMAT, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known


def closed(what: str) -> tuple[Unknown, ...]:
    return (Unknown(what, "permission denied", "Run the task with become: true"),)


@pytest.mark.parametrize(
    ("what", "names", "running", "expected"),
    [
        pytest.param("listeners", ("PORT",), True, None, id="something else"),
        pytest.param("process.environ", ("NODE_ENV",), True, "process.environ", id="its environment"),
        pytest.param("dotenv", ("NODE_ENV",), True, None, id="a file that may add, and nothing is to be added"),
        pytest.param("dotenv", ("NODE_ENV", "PORT"), True, "dotenv", id="a file that may add one"),
        pytest.param("dotenv", (known.ANY,), True, "dotenv", id="a file that may add any"),
        pytest.param("unit.file", ("NODE_ENV",), True, None, id="a file, and the process itself was read"),
        pytest.param(
            "environment_file", ("NODE_ENV",), False, "environment_file", id="a file, and there is no process"
        ),
        pytest.param("listeners", ("CUBEJS_API_SECRET",), True, "CUBEJS_API_SECRET", id="a secret"),
    ],
)
def test_gaps(what: str, names: tuple[str, ...], running: bool, expected: str | None, seeing: Any) -> None:
    instance = seeing.instance(unknown=closed(what), running=running)
    found = known.gap(instance, *names)
    assert (found.what if found else None) == expected


def test_a_version_that_could_not_be_read(seeing: Any) -> None:
    found = known.gap(seeing.instance(version=""))
    assert found is not None
    assert "not found" in found.reason
    assert known.version_gap(seeing.instance(version="", unknown=closed("packages"))) == closed("packages")[0]


def test_hosts_that_were_not_looked_at(make_fleet: Callable[..., Fleet]) -> None:
    planned = make_fleet(groups={"cubejs_api": ["one"], "cubejs_refresh_worker": ["two"]}).tenants[0]
    live = Live(missing={"two": "unreachable", "nine": "left out"})
    assert known.unseen(live, planned) == {"two": "unreachable"}
    assert known.unseen(live, None) == {"nine": "left out", "two": "unreachable"}
    assert "two (unreachable)" in known.told_unseen({"two": "unreachable"})


def test_deployments_are_those_seen_and_those_planned(seeing: Any, make_fleet: Callable[..., Fleet]) -> None:
    plan = make_fleet()
    live = seeing.live(seeing.instance(tenant="stranger"))
    assert [name for name, _planned, _instances in known.deployments(plan, live)] == ["acme", "stranger"]
    assert list(known.deployments(plan, Live())) == []


def test_instances_by_kind_and_state(seeing: Any) -> None:
    worker = seeing.instance("w", REFRESH_WORKER, running=False)
    instances = (seeing.instance("a"), worker)
    assert [each.name for each in known.workers(instances)] == ["w"]
    assert [each.name for each in known.running(instances)] == ["a"]


def test_unknown_tells_why_and_how_it_could_be_known(seeing: Any) -> None:
    rule = known.Rule()
    rule.id, rule.severity = "a-rule", "error"
    found = known.unknown(rule, seeing.instance(), closed("dotenv")[0])
    assert (found.status, found.remedy) == ("unknown", "Run the task with become: true")
    assert "permission denied" in found.message


@pytest.mark.parametrize(("text", "on"), [("true", True), ("1", True), ("false", False), (None, False)])
def test_switches(text: str | None, on: bool, seeing: Any) -> None:
    seen = seeing.instance(environment={"CUBEJS_ROLLUP_ONLY": text}).seen
    assert known.is_true(seen, "CUBEJS_ROLLUP_ONLY") is on
    assert known.variables(seen, "NODE_ENV", "NOTHING") == {"NODE_ENV": "production"}


def test_a_suspended_tenant_at_rest_is_no_deployment(make_fleet: Callable[..., Fleet], make_tenant: Any) -> None:
    tenants = [make_tenant("acme", 1, suspended=True), make_tenant("globex", 2)]
    fleet = link(
        make_fleet(tenants),
        {"one": Observation(format=FORMAT, taken_at=0.0, privileged=True, host="one", machine="m")},
        {},
    )
    assert fleet.live
    assert [name for name, _plan, _instances in known.deployments(fleet, fleet.live)] == ["globex"]
    assert {each.tenant for each in fleet.live.absent} == {"globex"}
