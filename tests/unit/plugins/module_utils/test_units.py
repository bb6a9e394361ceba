"""Units and the files they run with."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.answers import Answer
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd
from ansible_collections.cubeops.cubejs.plugins.module_utils.units import (
    Clock,
    Outcome,
    Unit,
    UnitsError,
    converge,
    is_settled,
    tell,
)

MAIN, WORKER = 10, 11
UNIT_FILE = "/etc/systemd/system/u.service"


class Machine:
    """A host with one unit: answers systemctl, and moves its process's start when it is told to."""

    def __init__(self, path: Path) -> None:
        self.proc = path / "proc"
        self.proc.mkdir()
        self.now = 0.0
        self.commands: list[str] = []
        self.takes_reloads = True
        self.dies = False
        self.refuses: str | None = None
        self.properties = {
            "LoadState": "loaded",
            "ActiveState": "active",
            "UnitFileState": "enabled",
            "MainPID": str(MAIN),
            "NeedDaemonReload": "no",
        }
        self.started(MAIN, 60)
        self.started(WORKER, 60, parent=MAIN)

    def started(self, pid: int, ago: float, parent: int = 1) -> None:
        """Let a process have started that many seconds ago."""
        ticks = int((time.clock_gettime(time.CLOCK_BOOTTIME) - ago) * os.sysconf("SC_CLK_TCK"))
        (self.proc / str(pid)).mkdir(exist_ok=True)
        (self.proc / str(pid) / "stat").write_text(f"{pid} (x) S {parent} {'0 ' * 17}{ticks}\n")
        (self.proc / str(pid) / "cmdline").touch()

    def __call__(self, command: Sequence[str]) -> Completed:
        """Answer the command."""
        if command[0] == "journalctl":
            return Completed(0, "last words\n", "")
        verb = command[1]
        if verb == "show":
            return Completed(0, "".join(f"{key}={value}\n" for key, value in self.properties.items()), "")
        if verb == "reset-failed":
            return Completed(1, "", "not loaded")
        self.commands.append(verb)
        if verb == self.refuses:
            return Completed(1, "", "no")
        self.properties["NeedDaemonReload"] = "no"
        if verb == "enable":
            self.properties["UnitFileState"] = "enabled"
        if verb == "disable":
            self.properties["UnitFileState"] = "disabled"
        if verb in ("start", "restart"):
            self.properties["ActiveState"] = "failed" if self.dies else "active"
            self.started(MAIN, -1)
        if verb == "stop":
            self.properties["ActiveState"] = "inactive"
        if verb in ("start", "restart") or (verb in ("reload", "kill") and self.takes_reloads):
            self.started(WORKER, -1, parent=MAIN)
        return Completed(0, "", "")

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def converge(self, *units: Unit, apply: bool = True, **options: Any) -> Outcome:
        """Bring the units of this machine to their wanted state."""
        clock = Clock(monotonic=lambda: self.now, sleep=self.sleep)
        return converge(units, Systemd(self), apply=apply, proc=self.proc, clock=clock, **options)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def old(tmp_path: Path) -> str:
    """Return a file; its change time cannot be set, so the test that wants it old makes younger what runs."""
    path = tmp_path / "old.conf"
    path.touch()
    return str(path)


@pytest.fixture
def new(tmp_path: Path) -> str:
    path = tmp_path / "new.conf"
    path.touch()
    return str(path)


@pytest.mark.parametrize(
    ("state", "unit", "expected"),
    [
        pytest.param({}, Unit("u"), [], id="as it should be"),
        pytest.param({"UnitFileState": "disabled"}, Unit("u"), ["enable"], id="not enabled"),
        pytest.param({"UnitFileState": "static"}, Unit("u"), [], id="cannot be enabled"),
        pytest.param({"UnitFileState": "alias"}, Unit("u"), [], id="an alias"),
        pytest.param({}, Unit("u", enabled=False), ["disable"], id="enabled and should not be"),
        pytest.param({"ActiveState": "inactive"}, Unit("u"), ["start"], id="not running"),
        pytest.param({"ActiveState": "failed"}, Unit("u"), ["start"], id="given up"),
        pytest.param({"ActiveState": "activating"}, Unit("u"), [], id="on its way"),
        pytest.param({}, Unit("u", state="stopped"), ["stop"], id="running and should not"),
        pytest.param({"ActiveState": "inactive"}, Unit("u", state="stopped"), [], id="stopped already"),
        pytest.param({"NeedDaemonReload": "yes"}, Unit("u"), ["daemon-reload"], id="unit file changed"),
    ],
)
def test_states(machine: Machine, state: dict[str, str], unit: Unit, expected: list[str]) -> None:
    machine.properties.update(state)
    dry = machine.converge(unit, apply=False)
    assert machine.commands == []
    outcome = machine.converge(unit)
    assert machine.commands == expected
    assert (outcome.changed, outcome.actions) == (dry.changed, dry.actions)
    machine.commands.clear()
    assert not machine.converge(unit).changed
    assert machine.commands == []


@pytest.mark.parametrize("on_change", ["restart", "reload"])
def test_a_newer_file_restarts_or_reloads_once(machine: Machine, new: str, on_change: str) -> None:
    unit = Unit("u", files=(new,), on_change=on_change)
    assert machine.converge(unit, apply=False).actions == {"u": [on_change]}
    assert machine.converge(unit).actions == {"u": [on_change]}
    assert machine.converge(unit).actions == {"u": []}
    assert machine.commands == [on_change]


def test_an_older_file_changes_nothing(machine: Machine, old: str) -> None:
    machine.started(MAIN, -1)
    machine.started(WORKER, -1, parent=MAIN)
    assert not machine.converge(Unit("u", files=(old, "/nonexistent"))).changed


def test_a_unit_without_a_process_counts_from_when_it_became_active(machine: Machine, new: str) -> None:
    machine.properties.update(
        {"MainPID": "0", "ActiveEnterTimestampMonotonic": str(int((time.monotonic() - 60) * 1e6))}
    )
    assert machine.converge(Unit("u", files=(new,)), apply=False).actions == {"u": ["restart"]}
    machine.properties["ActiveEnterTimestampMonotonic"] = str(int((time.monotonic() + 1) * 1e6))
    assert machine.converge(Unit("u", files=(new,)), apply=False).actions == {"u": []}


def test_a_reload_of_a_unit_without_a_process_counts_from_its_end(machine: Machine, new: str) -> None:
    earlier, later = (str(int((time.monotonic() + seconds) * 1e6)) for seconds in (-60, 1))
    machine.properties.update({"MainPID": "0", "ActiveEnterTimestampMonotonic": earlier})
    for changed, steps in ((earlier, ["reload"]), (later, [])):
        machine.properties["StateChangeTimestampMonotonic"] = changed
        unit = Unit("u", files=(new,), on_change="reload")
        assert machine.converge(unit, apply=False).actions == {"u": steps}


@pytest.mark.parametrize(("status", "steps"), [(0, []), (1, ["reload"])])
def test_what_a_unit_set_up_and_somebody_took_away_is_set_up_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, status: int, steps: list[str]
) -> None:
    asked: list[Sequence[str]] = []
    monkeypatch.setattr(Systemd, "succeeds", lambda _self, command: asked.append(command) or status == 0)
    unit = Unit("u", on_change="reload", intact=("nft", "list"))
    assert machine.converge(unit, apply=False).actions == {"u": steps}
    assert asked == [("nft", "list")]


def test_a_changed_unit_file_is_read_and_asks_for_a_restart(
    machine: Machine, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = f"{Path(new).parent}/"
    monkeypatch.setattr("ansible_collections.cubeops.cubejs.plugins.module_utils.units.UNIT_DIRECTORIES", (folder,))
    outcome = machine.converge(Unit("u", files=(new,), on_change="reload"))
    assert outcome.daemon_reloaded
    assert machine.commands == ["daemon-reload", "restart"]


@pytest.mark.parametrize(
    ("known", "masked", "expected"),
    [
        pytest.param(False, False, ["daemon-reload"], id="not read yet"),
        pytest.param(True, False, [], id="read"),
        pytest.param(False, True, [], id="masked"),
    ],
)
def test_the_first_drop_in_of_a_unit_is_noticed(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool, masked: bool, expected: list[str]
) -> None:
    monkeypatch.setattr(
        "ansible_collections.cubeops.cubejs.plugins.module_utils.units.UNIT_DIRECTORIES", (f"{tmp_path}/",)
    )
    drop_in = tmp_path / "u.service.d/a.conf"
    drop_in.parent.mkdir()
    if masked:
        drop_in.symlink_to("/dev/null")
    else:
        drop_in.touch()
    machine.properties["DropInPaths"] = f"/etc/other.conf {drop_in}" if known else "/etc/other.conf"
    outcome = machine.converge(Unit("u.service"))
    assert (machine.commands, outcome.changed) == (expected, False)


@pytest.mark.parametrize(
    ("active", "expected"),
    [pytest.param("active", ["reload"], id="running"), pytest.param("inactive", ["start"], id="not running")],
)
def test_check_mode_counts_changes_that_are_pending(machine: Machine, active: str, expected: list[str]) -> None:
    machine.properties["ActiveState"] = active
    unit = Unit("u", on_change="reload")
    assert machine.converge(unit, apply=False, pending=True).actions == {"u": expected}


def test_pending_means_nothing_outside_check_mode(machine: Machine) -> None:
    assert machine.converge(Unit("u"), pending=True).actions == {"u": []}


@pytest.mark.parametrize(
    ("load", "message"),
    [
        pytest.param("not-found", "u.service does not exist: install its package", id="missing"),
        pytest.param("masked", "`systemctl unmask u.service` lets it run", id="masked"),
        pytest.param("bad-setting", "cannot read: see `systemctl status u.service`", id="broken"),
    ],
)
def test_units_that_cannot_run(machine: Machine, load: str, message: str) -> None:
    machine.properties.update({"LoadState": load, "ActiveState": "inactive", "UnitFileState": ""})
    with pytest.raises(UnitsError, match=message):
        machine.converge(Unit("u.service"))
    assert machine.commands == []


def test_check_mode_on_an_empty_host(machine: Machine) -> None:
    machine.properties.update({"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": ""})
    assert machine.converge(Unit("u"), apply=False).actions == {"u": ["enable", "start"]}


def test_a_missing_unit_that_should_not_run_is_fine(machine: Machine) -> None:
    machine.properties.update({"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": ""})
    assert not machine.converge(Unit("u", state="stopped", enabled=False)).changed


def test_a_unit_that_dies_is_reported_with_its_last_words(machine: Machine) -> None:
    machine.properties["ActiveState"] = "inactive"
    machine.dies = True
    with pytest.raises(UnitsError, match=r"(?s)u did not stay up.*last words"):
        machine.converge(Unit("u"))


def test_a_refused_restart_is_reported_with_the_journal(machine: Machine, new: str) -> None:
    machine.refuses = "restart"
    with pytest.raises(UnitsError, match=r"(?s)systemctl restart -- u failed: no.*last words"):
        machine.converge(Unit("u", files=(new,)))


@pytest.mark.parametrize(("signal", "verb"), [("", "reload"), ("HUP", "kill")])
def test_a_reload_that_is_not_taken_up_is_an_error(machine: Machine, new: str, signal: str, verb: str) -> None:
    machine.takes_reloads = False
    with pytest.raises(UnitsError, match="u was told to reload and went on with its old configuration"):
        machine.converge(Unit("u", files=(new,), on_change="reload", reload_signal=signal), reload_seconds=3.0)
    assert machine.now == pytest.approx(3.0, abs=0.1)
    assert machine.commands == [verb]


def test_who_has_been_told_is_waited_for_and_told_no_second_time(
    machine: Machine, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = Unit("u", files=(new,), on_change="reload", reload_signal="HUP")

    def comes_up(seconds: float) -> None:
        machine.now += seconds
        if machine.now > 0.5:
            machine.started(WORKER, -1, parent=MAIN)

    monkeypatch.setattr(machine, "sleep", comes_up)
    assert machine.converge(unit, told=["u"]).actions == {"u": ["reload"]}
    assert 0.5 < machine.now < 0.6
    assert machine.converge(unit, told=["u"]).actions == {"u": ["reload"]}, "it was told, and has new workers by now"
    assert machine.commands == []


@pytest.mark.parametrize(
    ("unit", "changed", "told"),
    [
        pytest.param({"reload_signal": "HUP", "on_change": "reload"}, ["/etc/u"], ["u"], id="by a signal"),
        pytest.param({"on_change": "reload"}, ["/etc/u"], [], id="by a command of its own"),
        pytest.param({"reload_signal": "HUP"}, ["/etc/u"], [], id="restarted"),
        pytest.param({"reload_signal": "HUP", "on_change": "reload"}, [UNIT_FILE], [], id="a new unit file"),
    ],
)
def test_who_is_told_of_new_files(machine: Machine, unit: dict[str, Any], changed: list[str], told: list[str]) -> None:
    assert tell([Unit("u", files=("/etc/u", UNIT_FILE), **unit)], changed, Systemd(machine)) == told
    assert machine.commands == ["kill"] * len(told)


def test_who_does_not_run_cannot_be_told(machine: Machine) -> None:
    machine.refuses = "kill"
    assert tell([Unit("u", on_change="reload", reload_signal="HUP")], [], Systemd(machine)) == []


@pytest.mark.parametrize(
    ("state", "settled"),
    [
        pytest.param({}, True, id="as it should be"),
        pytest.param({"ActiveState": "inactive"}, False, id="not running"),
        pytest.param({"UnitFileState": "disabled"}, False, id="not enabled"),
        pytest.param({"NeedDaemonReload": "yes"}, False, id="its unit file changed"),
        pytest.param({"LoadState": "masked", "ActiveState": "inactive"}, False, id="masked"),
    ],
)
def test_whether_anything_is_left_to_do(machine: Machine, state: dict[str, str], settled: bool) -> None:
    machine.properties.update(state)
    assert is_settled([Unit("u")], [], Systemd(machine), ask=True, proc=machine.proc) is settled
    assert machine.commands == []


def test_a_reload_that_is_due_is_something_to_do(machine: Machine, new: str) -> None:
    unit = Unit("u", files=(new,), on_change="reload")
    assert not is_settled([unit], [], Systemd(machine), ask=True, proc=machine.proc)
    machine.started(WORKER, -1, parent=MAIN)
    assert is_settled([unit], [], Systemd(machine), ask=True, proc=machine.proc)


def test_without_its_answer_nothing_is_settled(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = Answer(taken.getsockname()[1], 200)
    look = partial(is_settled, [Unit("u")], [nobody], Systemd(machine), proc=machine.proc)
    assert not look(ask=True)
    assert look(ask=False), "in check mode nothing is asked"


def test_where_systemd_cannot_be_asked_nothing_is_settled() -> None:
    assert not is_settled([Unit("u")], [], Systemd(lambda _command: Completed(1, "", "no")), ask=True)


def test_who_has_been_told_and_goes_on_as_before_is_an_error(machine: Machine, new: str) -> None:
    unit = Unit("u", files=(new,), on_change="reload", reload_signal="HUP")
    with pytest.raises(UnitsError, match="u was told to reload and went on with its old configuration"):
        machine.converge(unit, told=["u"], reload_seconds=3.0)


def test_who_has_been_told_and_does_not_run_is_started(machine: Machine, new: str) -> None:
    machine.properties["ActiveState"] = "failed"
    unit = Unit("u", files=(new,), on_change="reload", reload_signal="HUP")
    assert machine.converge(unit, told=["u"]).actions == {"u": ["start"]}


def test_a_signal_stands_in_for_the_units_own_reload(machine: Machine, new: str) -> None:
    units = [Unit("u", files=(new,), on_change="reload", reload_signal="HUP")]
    assert machine.converge(*units).actions == {"u": ["reload"]}
    assert machine.commands == ["kill"]
    assert machine.converge(*units).actions == {"u": []}
