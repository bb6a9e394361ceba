"""Rules on what keeps a process running."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, Instance, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import service

HOUR = 3600.0


def with_unit(seeing: Any, instance_changes: dict[str, Any] | None = None, **changes: Any) -> LiveInstance:
    found: LiveInstance = seeing.instance(**(instance_changes or {}))
    assert found.seen.unit
    return replace(found, seen=replace(found.seen, unit=replace(found.seen.unit, **changes)))


def without_unit(seeing: Any, manager: str, **process: Any) -> LiveInstance:
    found: LiveInstance = seeing.instance(manager=manager, unit=None)
    assert found.seen.process
    return replace(found, seen=replace(found.seen, process=replace(found.seen.process, **process)))


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        pytest.param({}, "pass", "no limit", id="always, with a pause and no limit"),
        pytest.param({"restart": "on-failure"}, "pass", "on-failure", id="after failures"),
        pytest.param({"restart": "no"}, "fail", "stays away", id="not at all"),
        pytest.param({"restart": "on-abnormal"}, "fail", "stays away", id="not after an exit"),
        pytest.param({"restart_seconds": 0.1}, "fail", "0.1 s only", id="without a pause"),
        pytest.param({"restart_seconds": None}, "fail", "stays away", id="after an endless one"),
        pytest.param({"start_limit_interval_seconds": 10.0, "start_limit_burst": 0}, "pass", "no limit", id="no burst"),
        pytest.param({"start_limit_interval_seconds": 60.0}, "fail", "at most 5 starts in 60 s", id="a limit"),
        pytest.param({"start_limit_interval_seconds": None}, "fail", "in infinity", id="a limit for ever"),
        pytest.param({"start_limit_interval_seconds": 10.0}, "pass", "5 starts in 10 s", id="one that is not reached"),
        pytest.param({"restart": ""}, "unknown", "did not tell", id="not told"),
    ],
)
def test_restart_policies(changes: dict[str, Any], status: str, says: str, seeing: Any) -> None:
    (found,) = seeing.judge("restarts-for-ever", seeing.live(with_unit(seeing, **changes)))
    assert (found.status, says in found.message) == (status, True)


@pytest.mark.parametrize(
    ("manager", "restarts", "boot"),
    [
        pytest.param("", "fail", "fail", id="nobody"),
        pytest.param(seen.PM2, "unknown", "fail", id="pm2"),
        pytest.param(seen.CONTAINER, "unknown", "unknown", id="a container"),
        pytest.param(seen.USER_SYSTEMD, "unknown", "unknown", id="a user's systemd"),
    ],
)
def test_other_managers(manager: str, restarts: str, boot: str, seeing: Any) -> None:
    live = seeing.live(without_unit(seeing, manager))
    assert [each.status for each in seeing.judge("restarts-for-ever", live)] == [restarts]
    assert [each.status for each in seeing.judge("starts-at-boot", live)] == [boot]


@pytest.mark.parametrize(
    ("restarts", "hours", "status", "says"),
    [
        pytest.param(0, 1, "pass", "never", id="never"),
        pytest.param(1, 1, "fail", "once, the last time 1.0 h ago", id="once, lately"),
        pytest.param(7, 2, "fail", "7 times", id="often"),
        pytest.param(7, 25, "pass", "none within a day", id="long ago"),
        pytest.param(None, 1, "unknown", "not known", id="not told"),
        pytest.param(7, None, "unknown", "not known", id="when is not known"),
    ],
)
def test_restarts(restarts: int | None, hours: float | None, status: str, says: str, seeing: Any) -> None:
    instance = with_unit(seeing, restarts=restarts)
    assert instance.seen.process
    process = replace(instance.seen.process, started_at=None if hours is None else seeing.now - hours * HOUR)
    (found,) = seeing.judge(
        "restarts-seen", seeing.live(replace(instance, seen=replace(instance.seen, process=process)))
    )
    assert (found.status, says in found.message) == (status, True)


@pytest.mark.parametrize(
    ("manager", "count", "status"),
    [
        pytest.param(seen.PM2, 3, "fail", id="pm2 counts, too"),
        pytest.param(seen.PM2, 0, "pass", id="pm2, never"),
        pytest.param("", None, "not_applicable", id="nobody counts"),
        pytest.param(seen.CONTAINER, None, "unknown", id="a container's manager does"),
    ],
)
def test_restarts_without_a_unit(manager: str, count: int | None, status: str, seeing: Any) -> None:
    live = seeing.live(without_unit(seeing, manager, pm2_restarts=count))
    assert [each.status for each in seeing.judge("restarts-seen", live)] == [status]


def stopped(seeing: Any, **changes: Any) -> LiveInstance:
    return with_unit(seeing, {"running": False, "process": None}, state="inactive", **changes)


def test_users(seeing: Any) -> None:
    def status(instance: LiveInstance) -> str:
        (found,) = seeing.judge("process-user", seeing.live(instance))
        return str(found.status)

    assert status(seeing.instance()) == "pass"
    assert status(without_unit(seeing, "", uid=0, user="root")) == "fail"
    assert status(stopped(seeing, user="cube")) == "pass"
    assert status(stopped(seeing, user="")) == "fail"
    assert status(stopped(seeing, user="", dynamic_user=True)) == "pass"
    assert status(seeing.instance(process=None, unit=None)) == "unknown"


@pytest.mark.parametrize(
    ("running", "planned", "enabled", "meant"),
    [
        pytest.param(True, False, "disabled", True, id="it runs"),
        pytest.param(False, True, "disabled", True, id="it is planned"),
        pytest.param(False, False, "enabled", True, id="it is enabled"),
        pytest.param(False, False, "disabled", False, id="nothing of that"),
    ],
)
def test_what_is_meant_to_run(running: bool, planned: bool, enabled: str, meant: bool, seeing: Any) -> None:
    instance = with_unit(seeing, {"running": running}, enabled=enabled)
    if planned:
        instance = replace(instance, planned=Instance("acme", API, "acme-1", "one", "u", "tcp", None, 1))
    assert service.is_meant(instance) is meant
    statuses = [each.status for each in seeing.judge("restarts-for-ever", seeing.live(instance))]
    assert statuses == (["pass"] if meant else [])
