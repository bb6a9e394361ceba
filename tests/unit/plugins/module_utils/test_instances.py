"""Who is started, restarted, left alone or stopped, and what a trial is started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.instances import (
    Deployment,
    Instance,
    Steps,
    decide,
    secret_values,
    trial_environment,
    unwanted,
)

WORKER, FIRST, SECOND = "cubejs-refresh-worker@acme.service", "cubejs-api@acme-1.service", "cubejs-api@acme-2.service"
RUNNING = {
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "MainPID": "10",
    "Environment": "CUBEOPS_UNIT=u1 CUBEOPS_UNIT_TEMPLATE=t1",
}
STARTED_WITH = {"CUBEOPS_RELEASE": "d1", "CUBEOPS_UNIT": "u1", "CUBEOPS_UNIT_TEMPLATE": "t1"}


def deployment(digest: str | None = "d1", release: str | None = "r1") -> Deployment:
    """Return a tenant with one API instance."""
    return Deployment("acme", "0.29.57", release, (Instance("acme-1", "api", FIRST, digest),))


def proc(tmp_path: Path, **environ: str) -> Path:
    """Return a /proc with one process, started with these variables."""
    (tmp_path / "10").mkdir(parents=True)
    text = "".join(f"{name}={value}\0" for name, value in environ.items())
    (tmp_path / "10/environ").write_bytes(text.encode())
    return tmp_path


def steps(
    tmp_path: Path,
    seen: dict[str, str] | None = None,
    started_with: dict[str, str] | None = None,
    made: Deployment | None = None,
    current: str | None = "r1",
    pending: tuple[str, ...] = (),
) -> Steps:
    """Decide for one instance."""
    processes = proc(tmp_path, **{**STARTED_WITH, **(started_with or {})})
    return decide(made or deployment(), {FIRST: {**RUNNING, **(seen or {})}}, current, pending=pending, proc=processes)


def test_what_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    found = steps(tmp_path)
    assert (found.changed, found.keep) == (False, [FIRST])


@pytest.mark.parametrize(
    ("seen", "started_with"),
    [
        pytest.param({}, {"CUBEOPS_RELEASE": "d0"}, id="another release"),
        pytest.param({}, {"CUBEOPS_UNIT": "u0"}, id="another drop-in"),
        pytest.param({}, {"CUBEOPS_UNIT_TEMPLATE": "t0"}, id="another unit file"),
        pytest.param({"Environment": "CUBEOPS_UNIT=u1"}, {}, id="a unit file of somebody else's"),
    ],
)
def test_what_runs_something_else_is_restarted(
    tmp_path: Path, seen: dict[str, str], started_with: dict[str, str]
) -> None:
    found = steps(tmp_path, seen, started_with)
    assert (found.restart, found.start, found.switch, found.needs_trial) == ([FIRST], [], False, False)


@pytest.mark.parametrize("state", ["inactive", "failed", "deactivating", ""])
def test_what_does_not_run_is_started(tmp_path: Path, state: str) -> None:
    found = steps(tmp_path, {"ActiveState": state, "UnitFileState": "disabled", "MainPID": "0"})
    assert found.actions() == {FIRST: ["enable", "start"]}


def test_what_systemd_is_restarting_is_left_to_it(tmp_path: Path) -> None:
    """Between two processes there is none; the next is started with what is on disk."""
    assert not steps(tmp_path, {"ActiveState": "activating", "MainPID": "0"}).changed


def test_a_new_release_is_tried_where_it_would_replace_something(tmp_path: Path) -> None:
    found = steps(tmp_path, made=deployment("d2", "r2"))
    assert (found.switch, found.restart, found.needs_trial) == (True, [FIRST], True)


def test_a_release_that_replaces_nothing_is_switched_to_without_a_trial(tmp_path: Path) -> None:
    """An instance more makes a new release and leaves the processes that run as they are."""
    found = steps(tmp_path / "a", made=deployment("d1", "r2"))
    assert (found.switch, found.keep, found.needs_trial) == (True, [FIRST], False)
    found = steps(tmp_path / "b", {"ActiveState": "inactive"}, made=deployment("d2", "r2"), current=None)
    assert (found.switch, found.start, found.needs_trial) == (True, [FIRST], False)


@pytest.mark.parametrize(
    ("path", "restarted"),
    [
        pytest.param(f"/etc/systemd/system/{FIRST}.d/instance.conf", True, id="its drop-in"),
        pytest.param("/etc/systemd/system/cubejs-api@.service", True, id="its unit file"),
        pytest.param(f"/etc/systemd/system/{SECOND}.d/instance.conf", False, id="another's drop-in"),
        pytest.param("/etc/systemd/system/cubejs-refresh-worker@.service", False, id="another's unit file"),
        pytest.param("/etc/systemd/system/cubejs.slice", False, id="the slice"),
    ],
)
def test_check_mode_knows_of_files_that_it_did_not_write(tmp_path: Path, path: str, restarted: bool) -> None:
    assert bool(steps(tmp_path, pending=(path,)).restart) == restarted


def test_check_mode_on_an_empty_host(tmp_path: Path) -> None:
    found = decide(deployment(None, None), {}, None, proc=tmp_path)
    assert (found.actions(), found.switch) == ({FIRST: ["enable", "start"]}, True)


def test_the_refresh_worker_goes_first() -> None:
    planned = {
        "tenant": "acme",
        "version": "0.29.57",
        "instances": [
            {"name": "acme-1", "kind": "api", "unit": FIRST},
            {"name": "acme", "kind": "refresh_worker", "unit": WORKER},
        ],
        "health": {"steady_seconds": 2, "claims": {"a": 1}},
    }
    made = Deployment.of(planned, {"release": "r1", "instances": {"acme": "d1"}})
    assert [(each.unit, each.digest) for each in made.instances] == [(WORKER, "d1"), (FIRST, None)]
    assert (made.steady_seconds, made.claims, made.release) == (2.0, {"a": 1}, "r1")
    assert made.trial_unit == "cubejs-trial@acme.service"


def test_units_that_are_no_longer_wanted_are_those_of_the_same_tenants() -> None:
    there = [
        FIRST,
        SECOND,
        WORKER,
        "cubejs-trial@acme.service",
        "cubejs-api@acmetwo-1.service",
        "cubejs-redis@acme.service",
    ]
    found = unwanted([deployment()], there)
    assert found == {"acme": [SECOND, WORKER, "cubejs-trial@acme.service"]}


@pytest.mark.parametrize(
    ("version", "environment", "expected"),
    [
        pytest.param(
            "0.29.57",
            {"PORT": "/run/1", "CUBEJS_REFRESH_WORKER": "true", "A": "1"},
            {"PORT": "/run/t", "CUBEJS_REFRESH_WORKER": "false", "A": "1"},
            id="told not to refresh",
        ),
        pytest.param(
            "0.20.10",
            {"PORT": "1", "CUBEJS_SCHEDULED_REFRESH_TIMER": "true"},
            {"PORT": "/run/t"},
            id="where any text means yes",
        ),
    ],
)
def test_a_trial_never_refreshes_and_listens_elsewhere(
    version: str, environment: dict[str, str], expected: dict[str, str]
) -> None:
    assert trial_environment(environment, version, "/run/t") == expected


def test_what_must_not_be_shown() -> None:
    environment = {
        "CUBEJS_API_SECRET": "hidden-api",
        "CUBEJS_REDIS_URL": "redis://u:hidden-redis@r:1/0",
        "OWN_TOKEN": "hidden-own",
        "CUBEJS_LOG_LEVEL": "warn",
        "CUBEOPS_RELEASE": "d1d1",
        "OWN_SHORT": "yes",
    }
    assert secret_values(environment) == {"hidden-api", "redis://u:hidden-redis@r:1/0", "hidden-redis", "hidden-own"}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(RUNNING, [FIRST], id="running"),
        pytest.param({**RUNNING, "ActiveState": "activating"}, [FIRST], id="between two restarts"),
        pytest.param({**RUNNING, "ActiveState": "inactive"}, [FIRST], id="stopped and enabled"),
        pytest.param({"ActiveState": "active", "UnitFileState": "disabled"}, [FIRST], id="running and disabled"),
        pytest.param({"ActiveState": "inactive", "UnitFileState": "disabled"}, [], id="at rest"),
        pytest.param({"ActiveState": "failed", "UnitFileState": "disabled"}, [], id="at rest after a failure"),
    ],
)
def test_a_suspended_tenant_is_stopped_and_nothing_else(seen: dict[str, str], expected: list[str]) -> None:
    made = Deployment("acme", "0.29.57", "r1", deployment().instances, suspended=True)
    found = decide(made, {FIRST: seen}, "r1")
    assert found == Steps(suspend=expected)
    assert found.changed is bool(expected)


def test_a_suspended_tenant_is_switched_to_its_release_without_a_trial() -> None:
    made = Deployment("acme", "0.29.57", "r2", deployment().instances, suspended=True)
    found = decide(made, {FIRST: {}}, "r1")
    assert (found.switch, found.needs_trial, found.start) == (True, False, [])
