"""Releases: switched to one instance after the other, refused when they do not work, and cleared away."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tenant import FIRST, SECOND, TENANT, UNITS, WORKER

BRING_UP = "cubeops.cubejs.cubejs : Bring the instances up to date, one at a time"
SHIP = "cubeops.cubejs.cubejs : Bring the releases to the host"


def tasks(run: Any) -> set[str]:
    """Return the tasks that changed something."""
    assert run.status == 0, run.output
    return {task for _host, task in run.changed}


def test_a_change_is_foretold_and_rolled_one_instance_at_a_time(acme: Any, converge: Any) -> None:
    before, release = acme.pids(), acme.current()
    stop = "/tmp/cubeops-stop-watching"
    acme.host.check_output("rm -f %s", stop)
    watched = acme.start_script("watch.py", stop, "/run/cubejs/acme-1/cube.sock", "/run/cubejs/acme-2/cube.sock")
    try:
        foretold = tasks(converge("--check", acme_log_level="info"))
        done = tasks(converge(acme_log_level="info"))
    finally:
        acme.host.check_output("touch %s", stop)
    rounds = watched().split()
    assert foretold == done == {SHIP, BRING_UP}
    assert acme.current() != release
    assert all(pid not in (0, before[unit]) for unit, pid in acme.pids().items())
    assert {acme.environ(unit)["CUBEJS_LOG_LEVEL"] for unit in UNITS} == {"info"}
    starts = [int(acme.show(unit, "ExecMainStartTimestampMonotonic")) for unit in (WORKER, FIRST, SECOND)]
    assert starts == sorted(starts)
    assert "00" not in rounds, "for a moment nobody answered"
    assert {"01", "10"} <= set(rounds), "the watch did not see the restarts"
    assert not converge(acme_log_level="info").changed


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        pytest.param(
            "schema/Broken.js", "cube(`Broken`, { sql: `SELECT 1`, measures: {", "does not compile", id="schema"
        ),
        pytest.param("cube.js", "throw new Error('no configuration');", "no configuration", id="configuration"),
        pytest.param(
            "cube.js", "module.exports = { driverFactory: () => { throw new Error('no driver'); } };", "", id="driver"
        ),
    ],
)
def test_a_broken_project_is_refused_and_what_runs_is_untouched(
    acme: Any, lab: Any, project: Path, file: str, text: str, said: str
) -> None:
    before, release = acme.pids(), acme.current()
    (project / file).write_text(text)
    # What never answers takes all the time that there is.
    run = lab.converge("-e", f"acme_project={project}", "-e", "cubejs_start_timeout_seconds=45")
    assert run.status != 0
    assert "was tried and is not switched to" in run.output
    assert said in run.output
    assert "planted" not in run.output
    assert (acme.pids(), acme.current()) == (before, release)
    assert acme.show("cubejs-trial@acme.service", "ActiveState") == "inactive"
    assert not acme.host.file(f"{TENANT}/trial.env").exists
    assert not lab.converge().changed


def test_a_wrong_password_is_refused_without_being_shown(acme: Any, lab: Any) -> None:
    before = acme.pids()
    run = lab.converge("-e", "acme_database_password=plantedWrong3Kd8", "-vvv")
    assert run.status != 0
    assert "Access denied" in run.output
    assert "planted" not in run.output
    assert acme.pids() == before


def test_old_releases_go_and_what_runs_stays(acme: Any, converge: Any) -> None:
    for level in ("error", "info"):
        tasks(converge(acme_log_level=level))
        # The inventory keeps one besides the current one.
        assert len(acme.releases()) <= 2
        assert acme.current() in acme.releases()
    working = acme.host.check_output("readlink /proc/%s/cwd", str(acme.pid(FIRST)))
    assert working == f"{TENANT}/releases/{acme.current()}/project"


def test_fewer_and_more_instances_leave_the_others_alone(acme: Any, converge: Any) -> None:
    before = acme.pids()
    foretold = tasks(converge("--check", acme_api_instances=1))
    assert tasks(converge(acme_api_instances=1)) == foretold
    assert acme.show(SECOND, "ActiveState") == "inactive"
    assert acme.show(SECOND, "LoadState") == "not-found" or acme.show(SECOND, "UnitFileState") == "disabled"
    assert not acme.host.file(f"/etc/systemd/system/{SECOND}.d").exists
    assert not acme.host.file("/run/cubejs/acme-2").exists
    assert not converge(acme_api_instances=1).changed
    tasks(converge())
    after = acme.pids()
    assert after[SECOND]
    assert (after[WORKER], after[FIRST]) == (before[WORKER], before[FIRST])


def test_tcp_by_variable(acme: Any, converge: Any) -> None:
    tasks(converge(acme_listen="tcp"))
    listening = acme.host.check_output("ss -Hltnp")
    assert ":10010" in listening
    assert ":10011" in listening
    assert not acme.host.file("/run/cubejs/acme-1/cube.sock").exists


@pytest.fixture(scope="module")
def whole(acme: Any, lab: Any) -> str:
    """Return the state of the host after a change of the log level that nobody disturbed; it is changed back."""
    tasks(lab.converge("-e", "acme_log_level=error"))
    state = acme.state()
    tasks(lab.converge())
    # A damaged release that a process of an earlier test ran in lies aside until something else is staged.
    return "\n".join(line for line in state.splitlines() if not line.startswith("tmp"))


def test_a_run_killed_between_switch_and_restart_is_completed_by_the_next(
    acme: Any, lab: Any, converge: Any, whole: str
) -> None:
    """The link is switched and nothing was restarted, staged leftovers lie about: the next run restarts everything."""
    before = acme.pids()
    staged = lab.converge("-e", "acme_log_level=error", "--tags", "cubejs_configure")
    assert staged.status == 0, staged.output
    wanted = next(line.split()[-1] for line in whole.splitlines() if line.startswith(f"{TENANT}/current "))
    acme.host.check_output("ln -sfn %s %s/current", wanted, TENANT)
    acme.host.check_output("mkdir -p /opt/cubejs/.staging/killed/environment")
    tasks(converge(acme_log_level="error"))
    assert all(pid not in (0, before[unit]) for unit, pid in acme.pids().items())
    assert {acme.environ(unit)["CUBEJS_LOG_LEVEL"] for unit in UNITS} == {"error"}
    tasks(converge(acme_log_level="info"))
    assert "killed" not in acme.host.check_output("ls -A /opt/cubejs/.staging")


@pytest.mark.parametrize("seconds", [4.0, 10.0])
def test_a_run_killed_anywhere_ends_in_the_same_state(
    acme: Any, lab: Any, converge: Any, whole: str, seconds: float
) -> None:
    command = ["ansible-playbook", "-i", str(lab.scenario / "inventory.yml"), "-i", str(lab.folder / "hosts.yml")]
    process = subprocess.Popen(
        [*command, str(lab.scenario / "converge.yml"), "-e", "acme_log_level=error"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        subprocess.run(["kill", "-9", "--", f"-{process.pid}"], check=True)
        process.wait()
    # What was killed is the controller; what it had started on the host goes on there, and the next run waits for it.
    assert converge(acme_log_level="error").status == 0
    assert {acme.environ(unit)["CUBEJS_LOG_LEVEL"] for unit in UNITS} == {"error"}
    normal = [line for line in acme.state().splitlines() if "/releases/" not in line]
    assert normal == [line for line in whole.splitlines() if "/releases/" not in line]
    assert acme.all_ready()
