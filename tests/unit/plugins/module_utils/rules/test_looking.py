"""Rules on what was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import ERROR, FAIL, PASS, UNKNOWN, WARNING
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.linking import link
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

LOOKED_AT, PRESENT = "host-looked-at", "instance-present"


def test_hosts_that_were_seen_pass(seeing: Any) -> None:
    (finding,) = seeing.judge(LOOKED_AT, seeing.live())
    assert (finding.status, finding.host, finding.message) == (PASS, "one", "2 Cube.js processes or units found")


def test_a_missing_host_is_unknown_with_the_reason(seeing: Any) -> None:
    found = seeing.judge(LOOKED_AT, seeing.live(missing={"two": "left out by --limit"}))
    assert [(each.host, each.status) for each in found] == [("two", UNKNOWN), ("one", PASS)]
    assert "left out by --limit" in found[0].message


@pytest.mark.parametrize(
    ("what", "status", "severity"),
    [
        pytest.param("processes", UNKNOWN, ERROR, id="processes"),
        pytest.param("listeners.4000", UNKNOWN, ERROR, id="who listens"),
        pytest.param("units", UNKNOWN, WARNING, id="units"),
        pytest.param("web_servers", PASS, ERROR, id="what other rules tell"),
    ],
)
def test_what_could_not_be_seen(what: str, status: str, severity: str, seeing: Any) -> None:
    hidden = seeing.host(unknown=(Unknown(what, "no permission", "Use become"),))
    (finding,) = seeing.judge(LOOKED_AT, seeing.live(hosts=(hidden,)))
    assert (finding.status, finding.severity) == (status, severity)
    assert (finding.remedy == "Use become") == (status == UNKNOWN)


def test_a_second_name_is_told(seeing: Any) -> None:
    found = seeing.judge(LOOKED_AT, seeing.live(same_machines={"alias": "one"}))
    assert [(each.host, each.status) for each in found] == [("one", PASS), ("alias", PASS)]


def test_a_fleet_without_cube_is_unknown(seeing: Any) -> None:
    found = seeing.judge(LOOKED_AT, Live(observations={"one": seeing.host()}))
    assert [(each.subject, each.status) for each in found] == [("one", PASS), ("fleet", UNKNOWN)]


def test_nothing_is_said_of_nothing(seeing: Any) -> None:
    assert seeing.judge(LOOKED_AT, Live()) == seeing.judge(PRESENT, Live()) == []


@pytest.mark.parametrize(
    ("units", "unknown", "status"),
    [
        pytest.param(["cubejs-refresh-worker@acme.service"], (), PASS, id="it is there"),
        pytest.param([], (), FAIL, id="it is not"),
        pytest.param([], (Unknown("units", "systemd is silent"),), UNKNOWN, id="it may be"),
    ],
)
def test_planned_instances(
    units: list[str], unknown: tuple[Unknown, ...], status: str, seeing: Any, make_fleet: Callable[..., Fleet]
) -> None:
    there = [seeing.instance(name).seen for name in ("cubejs-api@acme-1.service", *units)]
    fleet = link(make_fleet(), {"one": replace(seeing.host(), instances=tuple(there), unknown=unknown)}, {})
    api, worker = seeing.judge(PRESENT, fleet.live, fleet)
    assert api.status == PASS
    assert (worker.status, worker.tenant, worker.host) == (status, "acme", "one")


def test_nothing_is_said_of_instances_on_hosts_that_were_not_seen(
    seeing: Any, make_fleet: Callable[..., Fleet]
) -> None:
    fleet = link(make_fleet(), {}, {"one": "unreachable"})
    assert seeing.judge(PRESENT, fleet.live, fleet) == []
