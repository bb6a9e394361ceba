"""Rules on units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown


def with_unit(seeing: Any, instance_changes: dict[str, Any] | None = None, **changes: Any) -> LiveInstance:
    found: LiveInstance = seeing.instance(**(instance_changes or {}))
    assert found.seen.unit
    return replace(found, seen=replace(found.seen, unit=replace(found.seen.unit, **changes)))


STOPPED = {"running": False, "process": None}


@pytest.mark.parametrize(
    ("running", "changes", "status", "says"),
    [
        pytest.param(True, {}, "pass", "it runs", id="it runs"),
        pytest.param(
            False, {"state": "inactive", "sub_state": "dead"}, "fail", "inactive (dead)", id="enabled, stopped"
        ),
        pytest.param(False, {"state": "failed", "result": "exit-code"}, "fail", "exit-code", id="failed"),
        pytest.param(False, {"state": "failed", "enabled": "disabled"}, "fail", "failed", id="failed, not enabled"),
        pytest.param(
            False, {"state": "activating", "sub_state": "auto-restart"}, "fail", "again and again", id="a loop"
        ),
        pytest.param(
            False, {"state": "inactive", "enabled": "disabled"}, "not_applicable", "by nobody", id="left over"
        ),
        pytest.param(False, {"state": "active"}, "unknown", "no process was seen", id="its process is hidden"),
        pytest.param(False, {"state": ""}, "unknown", "did not tell", id="not told"),
    ],
)
def test_units_run(running: bool, changes: dict[str, Any], status: str, says: str, seeing: Any) -> None:
    instance = with_unit(seeing, {} if running else STOPPED, **changes)
    (found,) = seeing.judge("unit-runs", seeing.live(instance))
    assert (found.status, says in found.message) == (status, True)


@pytest.mark.parametrize(
    ("unknown", "missing", "present", "status"),
    [
        pytest.param((), {}, True, "fail", id="there is no such unit"),
        pytest.param((Unknown("processes", "hidden"),), {}, True, "unknown", id="not all could be seen"),
        pytest.param((Unknown("web_servers", "denied"),), {}, True, "fail", id="something else could not"),
        pytest.param((), {"one": "unreachable"}, False, "unknown", id="its host was not looked at"),
        pytest.param((), {}, False, None, id="its host is none of this run's"),
    ],
)
def test_planned_processes_that_are_not_there(
    unknown: Any, missing: dict[str, str], present: bool, status: str | None, seeing: Any,
    make_fleet: Callable[..., Fleet],
) -> None:  # fmt: skip
    plan = make_fleet(groups={"cubejs_api": ["one"]})
    hosts = {"one": seeing.host(unknown=unknown)} if present else {}
    found = seeing.judge("unit-runs", Live(observations=hosts, missing=missing), plan)
    assert [each.status for each in found] == ([status] if status else [])
    assert [each.subject for each in found] == (["cubejs-api@acme-1.service"] if status else [])


def test_a_planned_process_that_is_there_is_told_once(seeing: Any, make_fleet: Callable[..., Fleet]) -> None:
    plan = make_fleet(groups={"cubejs_api": ["one"]})
    instance = replace(seeing.instance(), planned=plan.instances[0])
    assert [each.status for each in seeing.judge("unit-runs", seeing.live(instance), plan)] == ["pass"]


def test_what_rests_is_not_asked_to_run(seeing: Any, make_fleet: Callable[..., Fleet]) -> None:
    plan = make_fleet(groups={"cubejs_api": ["one"]})
    live = Live(observations={"one": seeing.host()}, resting=plan.instances)
    assert seeing.judge("unit-runs", live, plan) == []


@pytest.mark.parametrize(
    ("enabled", "status"),
    [
        ("enabled", "pass"), ("generated", "pass"), ("disabled", "fail"), ("masked", "fail"),
        ("enabled-runtime", "fail"), ("static", "unknown"), ("", "unknown"),
    ],
)  # fmt: skip
def test_boots_start_units(enabled: str, status: str, seeing: Any) -> None:
    (found,) = seeing.judge("starts-at-boot", seeing.live(with_unit(seeing, enabled=enabled)))
    assert found.status == status


@pytest.mark.parametrize(
    ("starter", "unknown", "status"),
    [
        pytest.param(seen.Unit("pm2-root.service", enabled="enabled"), (), "pass", id="enabled"),
        pytest.param(seen.Unit("pm2-root.service", enabled="disabled"), (), "fail", id="disabled"),
        pytest.param(None, (), "fail", id="nothing"),
        pytest.param(None, (Unknown("units", "systemd was not asked"),), "unknown", id="nobody was asked"),
    ],
)
def test_boots_start_pm2(starter: seen.Unit | None, unknown: Any, status: str, seeing: Any) -> None:
    instance = seeing.instance(manager=seen.PM2, unit=None, boot_unit=starter)
    (found,) = seeing.judge("starts-at-boot", seeing.live(instance, hosts=(seeing.host(unknown=unknown),)))
    assert found.status == status


def test_a_unit_that_is_left_over_needs_no_boot(seeing: Any) -> None:
    instance = with_unit(seeing, STOPPED, enabled="disabled", state="inactive")
    assert seeing.judge("starts-at-boot", seeing.live(instance)) == []


def test_files_that_systemd_has_read(seeing: Any) -> None:
    def status(**changes: Any) -> str:
        (found,) = seeing.judge("unit-files-loaded", seeing.live(with_unit(seeing, **changes)))
        return str(found.status)

    assert status() == "pass"
    assert status(stale=True) == "fail"
    assert status(state="") == "unknown"
    assert seeing.judge("unit-files-loaded", seeing.live(seeing.instance(unit=None))) == []
