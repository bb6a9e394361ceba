"""Rolls over a machine that is played: order, gates, trials, and where they stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.environment import from_file, to_file
from ansible_collections.cubeops.cubejs.plugins.module_utils.health import META, Probes
from ansible_collections.cubeops.cubejs.plugins.module_utils.instances import Deployment, Instance, Steps
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import Address, HttpError, Response
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.rolling import Clock, Roll, RollError, Stopped, Tools
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd

WORKER, FIRST, SECOND = "cubejs-refresh-worker@acme.service", "cubejs-api@acme-1.service", "cubejs-api@acme-2.service"
TRIAL = "cubejs-trial@acme.service"
SOCKETS = {
    WORKER: "/run/cubejs/acme/cube.sock",
    FIRST: "/run/1",
    SECOND: "/run/2",
    TRIAL: "/run/cubejs/acme.trial/cube.sock",
}


class Processes:
    """/proc, as far as it is looked at: whether a process is there."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def __truediv__(self, pid: str) -> Processes:
        self.pid = int(pid)
        return self

    def exists(self) -> bool:
        """Return whether a unit has this process now."""
        found = [unit for unit, pid in self.machine.pids.items() if pid == self.pid]
        return any("SubState=running" in self.machine.properties(unit) for unit in found)


class Machine:
    """A host with a tenant's units, in memory but for the store; time passes by sleeping."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.now = 0.0
        self.commands: list[str] = []
        self.pids = dict.fromkeys((WORKER, FIRST, SECOND), 1)
        self.next_pid = 2
        self.answers: dict[str, Callable[[str], Response]] = {}
        self.dies_after: dict[str, float] = {}
        self.started: dict[str, float] = {}
        self.refuses = ""
        self.asked: list[str] = []
        self.trial: dict[str, str] = {}
        self.proc = Processes(self)
        for release in ("old", "new"):
            folder = self.store.release("acme", release) / "environment"
            folder.mkdir(parents=True)
            for unit, name in ((WORKER, "acme"), (FIRST, "acme-1"), (SECOND, "acme-2")):
                environment = {
                    "PORT": SOCKETS[unit],
                    "CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory",
                    "CUBEJS_API_SECRET": "hidden-secret",
                    "NODE_EXTRA_CA_CERTS": "/opt/cubejs/tenants/acme/current/ca.crt",
                    "CUBEJS_REFRESH_WORKER": "true" if unit == WORKER else "false",
                }
                (folder / f"{name}.env").write_text(to_file(environment))
        self.store.switch("acme", "old")

    def __call__(self, command: Sequence[str]) -> Completed:
        """Answer systemctl and journalctl."""
        verb, unit = command[1], command[-1]
        if command[0] == "journalctl":
            return Completed(0, "started\nfailed with hidden-secret\n", "")
        if verb == "show":
            return Completed(0, self.properties(unit), "")
        if verb != "reset-failed":
            self.commands.append(f"{verb} {unit}")
        if verb == self.refuses:
            return Completed(1, "", "Job failed")
        if verb in ("start", "restart"):
            self.pids[unit], self.next_pid = self.next_pid, self.next_pid + 1
            self.started[unit] = self.now
            if unit == TRIAL:
                self.trial = from_file((self.store.root / "tenants/acme/trial.env").read_text())
                assert (self.store.root / "tenants/acme/trial").readlink().name == "new"
        if verb == "stop":
            self.pids[unit] = 0
        return Completed(0, "", "")

    def properties(self, unit: str) -> str:
        """Return what systemctl shows of a unit."""
        pid = self.pids.get(unit, 0)
        after = self.dies_after.get(unit)
        state, sub = ("active", "running") if pid else ("inactive", "dead")
        if after is not None and self.now >= self.started.get(unit, 0) + after:
            state, sub, pid = "activating", "auto-restart", 0
        return f"ActiveState={state}\nSubState={sub}\nMainPID={pid}\nExecMainStatus=1\nResult=exit-code\n"

    def get(self, address: Address, path: str, _headers: object, _timeout: float) -> Response:
        """Answer HTTP."""
        unit = next(unit for unit, socket in SOCKETS.items() if socket == address.socket_path)
        self.asked.append(f"{path} of {unit}")
        return self.answers.get(unit, lambda _path: Response(200, "{}"))(path)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @property
    def tools(self) -> Tools:
        """Return what a roll works with."""
        clock = Clock(lambda: self.now, self.sleep)
        return Tools(Systemd(self), self.store, 20.0, Probes(get=self.get), clock, proc=self.proc)

    def roll(self, steps: Steps, tools: Tools | None = None) -> Roll:
        """Return a roll to the release `new`."""
        made = Deployment(
            "acme",
            "0.29.57",
            "new",
            (
                Instance("acme", "refresh_worker", WORKER, "w"),
                Instance("acme-1", "api", FIRST, "a"),
                Instance("acme-2", "api", SECOND, "b"),
            ),
        )
        return Roll(made, steps, tools or self.tools)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def answering(status: int, body: str = "", path: str = "/readyz") -> Callable[[str], Response]:
    """Return an instance that answers one path so, and everything else well."""
    return lambda asked: Response(status, body) if asked == path else Response(200, "{}")


EVERYTHING = Steps(restart=[WORKER, FIRST, SECOND], switch=True)


def test_a_new_release_is_tried_switched_to_and_rolled(machine: Machine) -> None:
    machine.roll(EVERYTHING).run()
    assert machine.commands == [
        f"start {TRIAL}",
        f"stop {TRIAL}",
        f"restart {WORKER}",
        f"restart {FIRST}",
        f"restart {SECOND}",
    ]
    assert machine.store.current("acme") == "new"
    assert sorted(path.name for path in (machine.store.root / "tenants/acme").iterdir()) == ["current", "releases"]
    assert machine.now >= 12, "four gates of three steady seconds each"


def test_the_trial_is_started_with_its_own_socket_and_the_new_releases_ca(machine: Machine) -> None:
    machine.roll(EVERYTHING).run()
    assert machine.trial["PORT"] == SOCKETS[TRIAL]
    assert machine.trial["CUBEJS_REFRESH_WORKER"] == "false"
    assert machine.trial["NODE_EXTRA_CA_CERTS"] == "/opt/cubejs/tenants/acme/trial/ca.crt"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(answering(500, "Error: hidden-secret", META), "schema does not compile", id="schema"),
        pytest.param(answering(500, "DOWN"), "/readyz answers 500", id="never ready"),
    ],
)
def test_a_release_that_fails_its_trial_is_not_switched_to(
    machine: Machine, fault: Callable[[str], Response], said: str
) -> None:
    machine.answers[TRIAL] = fault
    with pytest.raises(RollError, match=said) as caught:
        machine.roll(EVERYTHING).run()
    assert str(caught.value).startswith(
        "Release new of tenant acme was tried and is not switched to; what runs goes on."
    )
    assert "  | failed with <masked>" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert machine.store.current("acme") == "old"
    assert machine.commands == [f"start {TRIAL}", f"stop {TRIAL}"]
    assert sorted(path.name for path in (machine.store.root / "tenants/acme").iterdir()) == ["current", "releases"]


def test_what_a_killed_trial_left_does_not_matter(machine: Machine) -> None:
    (machine.store.root / "tenants/acme/trial.env").write_text("left")
    machine.store.switch("acme", "old", link="trial")
    machine.roll(EVERYTHING).run()
    assert machine.store.current("acme") == "new"


def test_a_first_start_is_at_once_and_without_a_trial(machine: Machine) -> None:
    machine.pids.clear()
    machine.roll(Steps(start=[WORKER, FIRST, SECOND], switch=True)).run()
    assert machine.commands == [f"start {WORKER}", f"start {FIRST}", f"start {SECOND}"]
    assert machine.now < 4, "each was watched after the other"


def test_one_of_several_that_dies_while_all_are_watched_is_told(machine: Machine) -> None:
    machine.pids.clear()
    machine.dies_after[SECOND] = 2.0
    with pytest.raises(RollError, match=f"^{SECOND} is not healthy: the process ended with status 1"):
        machine.roll(Steps(start=[WORKER, FIRST, SECOND], switch=True)).run()


def test_the_roll_stops_at_the_first_that_is_not_healthy(machine: Machine) -> None:
    machine.answers[FIRST] = answering(500)
    with pytest.raises(RollError, match=f"^{FIRST} is not healthy: /readyz answers 500"):
        machine.roll(Steps(restart=[WORKER, FIRST, SECOND])).run()
    assert machine.commands == [f"restart {WORKER}", f"restart {FIRST}"]
    assert machine.pids[SECOND] == 1


@pytest.mark.parametrize(
    ("after", "said"),
    [
        pytest.param(0.0, "the process ended with status 1", id="at once"),
        pytest.param(2.0, "the process ended with status 1", id="within the steady time"),
    ],
)
def test_a_process_that_answers_and_dies_is_not_healthy(machine: Machine, after: float, said: str) -> None:
    machine.dies_after[FIRST] = after
    with pytest.raises(RollError, match=said):
        machine.roll(Steps(restart=[FIRST])).run()


def test_another_process_in_its_place_is_not_healthy(machine: Machine) -> None:
    def answer(_path: str) -> Response:
        machine.pids[FIRST] += 100
        return Response(200, "{}")

    machine.answers[FIRST] = answer
    with pytest.raises(RollError, match="another one has taken its place"):
        machine.roll(Steps(restart=[FIRST])).run()


def test_a_process_that_comes_up_is_not_asked_all_the_time(machine: Machine) -> None:
    def answer(_path: str) -> Response:
        if machine.now < 19:
            raise HttpError("not yet")
        return Response(200, "{}")

    machine.answers[FIRST] = answer
    machine.roll(Steps(restart=[FIRST])).run()
    assert len(machine.asked) < 50


def test_a_slow_start_is_waited_for(machine: Machine) -> None:
    def answer(_path: str) -> Response:
        if machine.now < 15:
            raise HttpError("not yet")
        return Response(200, "{}")

    machine.answers[FIRST] = answer
    machine.roll(Steps(restart=[FIRST])).run()
    assert 15 <= machine.now < 21


def test_nothing_is_restarted_while_one_that_is_up_to_date_is_unhealthy(machine: Machine) -> None:
    machine.answers[FIRST] = answering(500)
    with pytest.raises(RollError, match=f"^{FIRST}"):
        machine.roll(Steps(keep=[WORKER, FIRST], restart=[SECOND])).run()
    assert machine.commands == []


def test_systemd_that_refuses_is_told_with_the_journal(machine: Machine) -> None:
    machine.refuses = "restart"
    with pytest.raises(RollError, match=r"(?s)Job failed.*\| started"):
        machine.roll(Steps(restart=[FIRST])).run()


def test_readyz_is_never_asked_while_redis_cannot_be_reached(machine: Machine) -> None:
    path = machine.store.release("acme", "new") / "environment/acme-1.env"
    text = path.read_text().replace('DRIVER="memory"', 'DRIVER="redis"')
    path.write_text(text + 'CUBEJS_REDIS_URL="redis://127.0.0.1:1/0"\n')
    with pytest.raises(RollError, match=r"Redis 127\.0\.0\.1:1: Connection refused"):
        machine.roll(Steps(restart=[FIRST])).run()
    assert machine.asked == []
    assert machine.now >= 10, "a server that is being restarted is given a moment"


def test_another_tenants_failure_keeps_a_roll_from_going_on(machine: Machine) -> None:
    tools = machine.tools
    tools.stop.set()
    for steps in (EVERYTHING, Steps(restart=[FIRST]), Steps(start=[FIRST]), Steps(switch=True)):
        with pytest.raises(Stopped):
            machine.roll(steps, tools).run()
    assert (machine.commands, machine.store.current("acme")) == ([], "old")


def test_asking_all_does_nothing_to_them(machine: Machine) -> None:
    machine.roll(Steps()).check()
    assert machine.commands == []
    assert sorted(machine.asked) == sorted(f"/readyz of {unit}" for unit in (WORKER, FIRST, SECOND))
    machine.pids[SECOND] = 0
    machine.answers[SECOND] = answering(500)
    before = machine.now
    with pytest.raises(RollError, match=f"^{SECOND}"):
        machine.roll(Steps()).check()
    assert machine.now == before, "one that does not run was waited for"


def test_one_that_systemd_is_restarting_is_waited_for(machine: Machine) -> None:
    def answer(_path: str) -> Response:
        if machine.now < 6:
            raise HttpError("not yet")
        return Response(200, "{}")

    machine.answers[FIRST] = answer
    machine.roll(Steps()).check()
    assert machine.now >= 6


def test_what_could_not_be_judged_is_said(machine: Machine) -> None:
    machine.answers[FIRST] = answering(403, path=META)
    roll = machine.roll(Steps(restart=[FIRST]))
    roll.run()
    assert roll.notes == [f"{FIRST}: not judged: the schema: {META} answers 403, the project checks tokens itself"]
