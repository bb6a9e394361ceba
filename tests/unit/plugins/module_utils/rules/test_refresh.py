"""Rules on who refreshes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REFRESH_WORKER, Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project, Unit
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

Verdicts = Callable[..., list[str]]
WORKER = "cubejs-worker@acme.service"
CLOSED = (Unknown("process.environ", "permission denied", "Run the task with become: true"),)
DOTENV = (Unknown("dotenv", "permission denied", "Run the task with become: true"),)
TIMER, SCHEDULED, FLAG = "CUBEJS_SCHEDULED_REFRESH_TIMER", "CUBEJS_SCHEDULED_REFRESH", "CUBEJS_REFRESH_WORKER"


def project(scheduled: int = 1, mentions: tuple[str, ...] = ()) -> Project:
    return Project("/srv/acme", "cube.js", mentions, "/srv/acme/schema", "d", 1, 1, 1, scheduled)


@pytest.mark.parametrize(
    ("names", "schema", "status"),
    [
        pytest.param([WORKER], project(), "pass", id="one"),
        pytest.param([WORKER, "second"], project(), "fail", id="two"),
        pytest.param([], project(), "fail", id="none, and something is scheduled"),
        pytest.param([], project(0), "not_applicable", id="none, and nothing is scheduled"),
        pytest.param([], None, "unknown", id="none, and no schema could be read"),
    ],
)
def test_one_worker(names: list[str], schema: Project | None, status: str, seeing: Any, verdicts: Verdicts) -> None:
    workers = [seeing.instance(name, REFRESH_WORKER, host="two") for name in names]
    assert verdicts("one-refresh-worker", seeing.instance(project=schema), *workers) == [status]


def test_one_worker_is_told_of_while_it_does_not_run(seeing: Any) -> None:
    stopped = seeing.instance(WORKER, REFRESH_WORKER, running=False, unit=Unit(WORKER, state="failed"))
    refreshing = seeing.instance(environment={FLAG: "true"}, project=project())
    (found,) = seeing.judge("one-refresh-worker", seeing.live(refreshing, stopped))
    assert found.status == "fail"
    assert "cubejs-api@acme-1.service refreshes, which also serves" in found.message
    assert found.evidence == (f"{WORKER} on one: failed",)
    assert found.remedy.startswith(f"Start {WORKER} on one")


@pytest.mark.parametrize(
    ("missing", "seen", "status"),
    [
        pytest.param({}, ["one", "two"], "fail", id="its host was looked at"),
        pytest.param({"one": "unreachable"}, ["two"], "fail", id="a host without it was not"),
        pytest.param({"two": "unreachable"}, ["one"], "unknown", id="its host was not"),
    ],
)
def test_a_planned_worker_that_was_not_seen(
    missing: dict[str, str], seen: list[str], status: str, seeing: Any, make_fleet: Callable[..., Fleet]
) -> None:
    plan = make_fleet(groups={"cubejs_api": ["one"], "cubejs_refresh_worker": ["two"]})
    instances = [seeing.instance()] if "one" in seen else []
    live = replace(
        seeing.live(seeing.instance(tenant="other", host="nine"), *instances, hosts=tuple(map(seeing.host, seen))),
        missing=missing,
    )
    found = next(each for each in seeing.judge("one-refresh-worker", live, plan) if each.tenant == "acme")
    assert found.status == status
    assert ("two (unreachable)" in found.message) == (status == "unknown")


def test_a_second_worker_may_be_on_a_host_that_was_not_looked_at(seeing: Any) -> None:
    live = replace(seeing.live(), missing={"nine": "left out by --limit"})
    (found,) = seeing.judge("one-refresh-worker", live)
    assert (found.status, "nine (left out by --limit)" in found.message) == ("unknown", True)


@pytest.mark.parametrize(
    ("version", "environment", "changes", "status"),
    [
        pytest.param("0.29.57", {}, {}, "pass", id="no flag"),
        pytest.param("0.29.57", {FLAG: "false"}, {}, "pass", id="a flag that is off"),
        pytest.param("0.29.57", {FLAG: "true"}, {}, "fail", id="a flag that is on"),
        pytest.param("0.23.15", {TIMER: "false"}, {}, "fail", id="false is a text up to 0.23"),
        pytest.param("0.23.15", {TIMER: "0"}, {}, "fail", id="and so is 0"),
        pytest.param("0.24.15", {TIMER: "false"}, {}, "pass", id="false from 0.24 on"),
        pytest.param("0.24.15", {"NODE_ENV": "staging"}, {}, "fail", id="not in production"),
        pytest.param("0.23.15", {"NODE_ENV": None}, {}, "pass", id="which 0.23 does not mind"),
        pytest.param("0.29.57", {}, {"unknown": CLOSED}, "unknown", id="its environment could not be read"),
        pytest.param("0.29.57", {}, {"unknown": DOTENV}, "unknown", id="a .env may turn it on"),
        pytest.param("0.29.57", {FLAG: "false"}, {"unknown": DOTENV}, "pass", id="a .env adds only"),
        pytest.param("0.29.57", {TIMER: "false"}, {"unknown": DOTENV}, "unknown", id="a .env may add what beats it"),
        pytest.param("", {}, {}, "unknown", id="no version"),
        pytest.param("0.29.57", {}, {"project": project(mentions=("scheduledRefreshTimer",))}, "unknown", id="by code"),
    ],
)
def test_api_instances(
    version: str, environment: dict[str, Any], changes: dict[str, Any], status: str, seeing: Any, verdicts: Verdicts
) -> None:
    instance = seeing.instance(version=version, environment=environment, **changes)
    assert verdicts("api-does-not-refresh", instance) == [status]


def test_how_an_api_instance_is_stopped_from_it_depends_on_its_version(seeing: Any) -> None:
    def remedy(version: str, **environment: str) -> str:
        live = seeing.live(seeing.instance(version=version, environment=environment))
        (found,) = seeing.judge("api-does-not-refresh", live)
        assert found.evidence
        return str(found.remedy)

    assert remedy("0.23.15", **{TIMER: "false"}) == f"Remove {TIMER}: no text of it turns the refresh off"
    assert remedy("0.29.57", **{FLAG: "true"}) == f"Remove {FLAG}, or set it to false"


def test_the_rule_on_api_instances_leaves_workers_alone(seeing: Any, verdicts: Verdicts) -> None:
    assert verdicts("api-does-not-refresh", seeing.instance(WORKER, REFRESH_WORKER)) == []


@pytest.mark.parametrize(
    ("version", "environment", "unknown", "status", "says"),
    [
        pytest.param("0.29.57", {}, (), "pass", "on in Cube 0.29.57", id="as it should be"),
        pytest.param("0.29.57", {FLAG: "yes"}, (), "fail", "does not start", id="yes"),
        pytest.param("0.29.57", {FLAG: ""}, (), "fail", "set and empty", id="empty"),
        pytest.param("0.29.57", {FLAG: "false"}, (), "fail", "off", id="off"),
        pytest.param("0.29.57", {FLAG: None, TIMER: "yes"}, (), "fail", "off", id="yes to the timer"),
        pytest.param("0.29.57", {FLAG: None, "NODE_ENV": "x"}, (), "fail", "not production", id="only by its mode"),
        pytest.param("0.20.10", {}, (), "fail", f"does not read {FLAG}", id="a name of later releases"),
        pytest.param("0.20.10", {FLAG: None, TIMER: "true"}, (), "pass", "on", id="the name of its own"),
        pytest.param("0.19.39", {}, (), "fail", "no flag", id="a version without a worker"),
        pytest.param("0.29.57", {}, CLOSED, "unknown", "permission denied", id="not readable"),
    ],
)
def test_the_worker_flag(
    version: str, environment: dict[str, Any], unknown: Any, status: str, says: str, seeing: Any
) -> None:
    worker = seeing.instance(WORKER, REFRESH_WORKER, version=version, environment=environment, unknown=unknown)
    (found,) = seeing.judge("refresh-flag", seeing.live(worker))
    assert (found.status, says in found.message) == (status, True)


@pytest.mark.parametrize(
    ("environment", "statuses"),
    [
        pytest.param({}, [], id="none"),
        pytest.param({FLAG: "false"}, ["pass"], id="off"),
        pytest.param({FLAG: ""}, ["fail"], id="one with which it does not start"),
    ],
)
def test_flags_of_api_instances(
    environment: dict[str, str], statuses: list[str], seeing: Any, verdicts: Verdicts
) -> None:
    assert verdicts("refresh-flag", seeing.instance(environment=environment)) == statuses


def test_the_remedy_names_the_flag_of_the_version(seeing: Any) -> None:
    worker = seeing.instance(WORKER, REFRESH_WORKER, version="0.26.103", environment={FLAG: "true"})
    (found,) = seeing.judge("refresh-flag", seeing.live(worker))
    assert (found.status, found.remedy) == ("fail", f"Set {TIMER}=true")


@pytest.mark.parametrize(
    ("version", "environment", "unknown", "status"),
    [
        pytest.param("0.29.57", {}, (), "pass", id="none"),
        pytest.param("0.29.57", {FLAG: "true", TIMER: "60"}, (), "pass", id="two that mean the same"),
        pytest.param("0.29.57", {FLAG: "true", TIMER: "false"}, (), "fail", id="two that do not"),
        pytest.param("0.29.57", {SCHEDULED: "false", TIMER: "true"}, (), "fail", id="the older two"),
        pytest.param("0.20.10", {FLAG: "false", TIMER: "true"}, (), "fail", id="one that is not read"),
        pytest.param("0.29.57", {}, CLOSED, "unknown", id="not readable"),
    ],
)
def test_flags_agree(
    version: str, environment: dict[str, str], unknown: Any, status: str, seeing: Any, verdicts: Verdicts
) -> None:
    instance = seeing.instance(version=version, environment=environment, unknown=unknown)
    assert verdicts("refresh-flags-agree", instance) == [status]
