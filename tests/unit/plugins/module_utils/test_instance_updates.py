"""All tenants of a host in one go, over a systemd that is played."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.environment import to_file
from ansible_collections.cubeops.cubejs.plugins.module_utils.health import Probes
from ansible_collections.cubeops.cubejs.plugins.module_utils.instance_updates import Outcome, check, converge
from ansible_collections.cubeops.cubejs.plugins.module_utils.instances import Deployment, Instance
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import Address, Response
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.rolling import Clock, RollError, Tools
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd


def unit(tenant: str, number: int = 1) -> str:
    """Return the unit of a tenant's API instance."""
    return f"cubejs-api@{tenant}-{number}.service"


class Machine:
    """A host: units in memory, a store and unit files on disk."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path / "cubejs")
        self.units = path / "units"
        self.runtime = path / "run"
        self.proc = path / "proc"
        self.proc.mkdir()
        self.lock = threading.Lock()
        self.commands: list[str] = []
        self.shown: list[str] = []
        self.running: dict[str, str] = {}
        self.enabled: set[str] = set()
        for tenant in ("acme", "bazaar"):
            (self.proc / str(self.pid(unit(tenant)))).mkdir()
        self.needs_reload = False
        self.unhealthy = ""

    def release(self, tenant: str, name: str, runtime: str = "r1") -> None:
        """Put a release in place."""
        folder = self.store.release(tenant, name)
        (folder / "environment").mkdir(parents=True)
        (folder / "node_modules").symlink_to(f"../../../../runtimes/{runtime}/node_modules")
        (folder / "release.json").touch()
        environment = {"PORT": f"/run/{tenant}", "CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"}
        (folder / f"environment/{tenant}-1.env").write_text(to_file(environment))
        modules = self.store.runtime(runtime) / "node_modules"
        modules.mkdir(parents=True, exist_ok=True)
        (modules / ".package-lock.json").touch()

    def runs(self, tenant: str, digest: str, number: int = 1) -> None:
        """Let an instance run, started with a digest."""
        name = unit(tenant, number)
        self.running[name] = digest
        self.enable(name)
        folder = self.proc / str(self.pid(name))
        folder.mkdir(exist_ok=True)
        (folder / "environ").write_text(f"CUBEOPS_RELEASE={digest}\0")
        (self.units / f"{name}.d").mkdir(parents=True, exist_ok=True)
        (self.runtime / f"{tenant}-{number}").mkdir(parents=True, exist_ok=True)

    def enable(self, name: str) -> None:
        """Let systemd start a unit at boot."""
        self.enabled.add(name)
        wants = self.units / "multi-user.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        if not (wants / name).is_symlink():
            (wants / name).symlink_to("../cubejs-api@.service")

    @staticmethod
    def pid(name: str) -> int:
        """Return the process of a unit."""
        return 1000 + sum(name.encode())

    def __call__(self, command: Sequence[str]) -> Completed:
        """Answer systemctl."""
        if command[0] == "env":
            return Completed(1, "", "not offline")
        verb = command[1] if command[0] == "systemctl" else "journal"
        units = list(command[command.index("--") + 1 :]) if "--" in command else []
        with self.lock:
            if verb == "show":
                self.shown += units
                return Completed(0, "\n".join(map(self.properties, units)), "")
            if verb == "list-units":
                return Completed(0, "".join(f"{name} loaded active running x\n" for name in self.running), "")
            if verb not in ("reset-failed", "journal"):
                self.commands.append(" ".join([verb, *units]))
            for name in units:
                if verb == "enable":
                    self.enable(name)
                if verb in ("start", "restart"):
                    self.running[name] = "new"
                if verb == "stop":
                    self.running.pop(name, None)
            if verb == "daemon-reload":
                self.needs_reload = False
        return Completed(0, "", "")

    def properties(self, name: str) -> str:
        """Return what systemctl shows of a unit."""
        state = "active" if name in self.running else "inactive"
        pid = self.pid(name) if name in self.running else 0
        enabled = "enabled" if name in self.enabled else "disabled"
        reload = "yes" if self.needs_reload else "no"
        return (
            f"Id={name}\nActiveState={state}\nSubState=running\nMainPID={pid}\nUnitFileState={enabled}\n"
            f"NeedDaemonReload={reload}\nEnvironment=\nExecMainStatus=0\nResult=success\n"
        )

    def get(self, address: Address, _path: str, _headers: object, _timeout: float) -> Response:
        """Answer HTTP."""
        return Response(500 if address.socket_path == f"/run/{self.unhealthy}" else 200, "{}")

    @property
    def tools(self) -> Tools:
        """Return what a roll works with."""
        clock = iter(range(10**9))
        ticking = Clock(lambda: float(next(clock)), lambda _: None)
        return Tools(Systemd(self), self.store, 20.0, Probes(get=self.get), ticking, proc=self.proc)

    def converge(self, *made: Deployment, **options: Any) -> Outcome:
        """Bring deployments up to date."""
        arguments = {"apply": True, "units": self.units, "proc": self.proc, "runtime": self.runtime, **options}
        return converge(made, self.tools, **arguments)


def deployment(tenant: str, release: str = "new", digest: str = "new") -> Deployment:
    """Return a tenant with one instance."""
    return Deployment(tenant, "0.29.57", release, (Instance(f"{tenant}-1", "api", unit(tenant), digest),), 0.0)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    for tenant in ("acme", "bazaar"):
        made.release(tenant, "new")
    return made


def test_a_first_run_and_then_none(machine: Machine) -> None:
    made = [deployment("acme"), deployment("bazaar")]
    outcome = machine.converge(*made)
    assert outcome.actions == {unit("acme"): ["enable", "start"], unit("bazaar"): ["enable", "start"]}
    assert outcome.switched == {"acme": "new", "bazaar": "new"}
    assert machine.commands[0] == f"enable {unit('acme')} {unit('bazaar')}"
    for tenant in ("acme", "bazaar"):
        machine.runs(tenant, "new")
    machine.commands.clear()
    assert not machine.converge(*made).changed
    assert machine.commands == []


def test_check_mode_foretells_and_touches_nothing(machine: Machine) -> None:
    machine.needs_reload = True
    foretold = machine.converge(deployment("acme"), apply=False)
    assert (machine.commands, machine.store.current("acme")) == ([], None)
    done = machine.converge(deployment("acme"))
    assert (foretold.actions, foretold.switched) == (done.actions, done.switched)


def test_a_file_that_was_written_counts_in_check_mode_only(machine: Machine) -> None:
    """In a run it is on disk, and may be again what the process was started with."""
    machine.store.switch("acme", "new")
    machine.runs("acme", "new")
    pending = [f"/etc/systemd/system/{unit('acme')}.d/instance.conf"]
    assert machine.converge(deployment("acme"), apply=False, pending=pending).actions == {unit("acme"): ["restart"]}
    assert not machine.converge(deployment("acme"), pending=pending).changed


def test_unit_files_are_read_anew_first(machine: Machine) -> None:
    machine.needs_reload = True
    machine.converge(deployment("acme"))
    assert machine.commands[0] == "daemon-reload"


def test_instances_that_are_no_longer_wanted_go_and_those_of_others_stay(machine: Machine) -> None:
    machine.store.switch("acme", "new")
    machine.runs("acme", "new")
    machine.runs("acme", "new", number=2)
    machine.runs("gone", "new")
    outcome = machine.converge(deployment("acme"))
    assert outcome.actions == {unit("acme", 2): ["stop"]}
    assert machine.commands == [f"stop {unit('acme', 2)}", f"disable {unit('acme', 2)}", "daemon-reload"]
    assert sorted(path.name for path in machine.units.glob("*.d")) == [f"{unit('acme')}.d", f"{unit('gone')}.d"]
    assert sorted(path.name for path in machine.runtime.iterdir()) == ["acme-1", "gone-1"]


def test_old_releases_go_and_the_packages_that_only_they_had(machine: Machine) -> None:
    for name in ("a", "b", "c"):
        machine.release("acme", name, runtime=f"r-{name}")
        machine.store.switch("acme", name)
    machine.release("gone", "g", runtime="r-g")
    machine.store.runtime("half").mkdir()
    outcome = machine.converge(deployment("acme"), kept=1)
    assert outcome.removed_releases == ["acme/a", "acme/b"]
    assert outcome.removed_runtimes == ["r-a", "r-b"]
    assert machine.store.releases()["acme"] == ["c", "new"]
    assert sorted(machine.store.runtimes()) == ["r-c", "r-g", "r1"]


def test_the_first_release_of_a_tenant_takes_none_away(machine: Machine) -> None:
    for name in ("a", "b"):
        machine.release("acme", name)
    machine.store.switch("acme", "new")
    machine.runs("acme", "new")
    outcome = machine.converge(deployment("acme"), deployment("bazaar"), kept=0)
    assert (list(outcome.switched), outcome.removed_releases) == (["bazaar"], [])


def test_a_release_that_a_process_was_started_from_stays(machine: Machine) -> None:
    machine.release("acme", "a")
    machine.store.switch("acme", "a")
    (machine.proc / "7").mkdir()
    (machine.proc / "7/cwd").symlink_to(machine.store.release("acme", "a") / "project")
    assert machine.converge(deployment("acme"), kept=0).removed_releases == []


def test_nothing_is_removed_by_a_run_without_changes(machine: Machine) -> None:
    for name in ("a", "b"):
        machine.release("acme", name)
    machine.store.switch("acme", "new")
    machine.runs("acme", "new")
    assert not machine.converge(deployment("acme"), kept=0).changed
    assert len(machine.store.releases()["acme"]) == 3


def test_failures_of_all_tenants_are_told_and_nothing_is_removed(machine: Machine) -> None:
    machine.release("acme", "a")
    machine.store.switch("acme", "a")
    machine.unhealthy = "acme"
    with pytest.raises(RollError, match=r"cubejs-api@acme-1\.service is not healthy"):
        machine.converge(deployment("acme"), kept=0)
    assert machine.store.releases()["acme"] == ["a", "new"]


def test_one_that_is_up_to_date_and_not_healthy_is_told_after_the_others_were_brought_up_to_date(
    machine: Machine,
) -> None:
    machine.store.switch("acme", "new")
    machine.runs("acme", "new")
    machine.unhealthy = "acme"
    with pytest.raises(RollError, match=r"^cubejs-api@acme-1\.service is not healthy"):
        machine.converge(deployment("acme"), deployment("bazaar"))
    assert machine.commands == [f"enable {unit('bazaar')}", f"start {unit('bazaar')}"]


@pytest.mark.parametrize(
    ("unhealthy", "expectation"),
    [
        pytest.param("", lambda: None, id="all healthy"),
        pytest.param("bazaar", lambda: pytest.raises(RollError, match="bazaar"), id="one is not"),
    ],
)
def test_asking_all(machine: Machine, unhealthy: str, expectation: Callable[[], Any]) -> None:
    machine.unhealthy = unhealthy
    made = [deployment("acme"), deployment("bazaar")]
    for tenant in ("acme", "bazaar"):
        machine.runs(tenant, "new")
    context = expectation()
    if context is None:
        check(made, machine.tools)
    else:
        with context:
            check(made, machine.tools)
    assert machine.commands == []


@pytest.mark.parametrize("state", ["running", "enabled", "both"])
def test_what_runs_of_a_suspended_tenant_is_found_and_stopped(machine: Machine, state: str) -> None:
    machine.store.switch("acme", "new")
    if state != "enabled":
        machine.running[unit("acme")] = "new"
    if state != "running":
        machine.enable(unit("acme"))
    outcome = machine.converge(replace(deployment("acme"), suspended=True))
    assert outcome.actions == {unit("acme"): ["suspend"]}


def test_systemd_is_not_asked_about_a_tenant_at_rest(machine: Machine) -> None:
    machine.store.switch("acme", "new")
    assert not machine.converge(replace(deployment("acme"), suspended=True)).changed
    assert machine.shown == ["cubejs.slice"]
