"""Instances of a template unit, over directories that play the host."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd
from ansible_collections.cubeops.cubejs.plugins.module_utils.template_units import FEW, Running, running

UNITS = [f"cubejs-redis@t{number}.service" for number in range(FEW)]
# systemd reads its files in a minute, since the time of an inode's change cannot be set; what changes then is newer.
READ, LATER = 60, time.time() + 3600


@dataclass
class Host:
    """systemd, its unit files, and /proc."""

    root: Path
    properties: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.units, self.wants, self.proc = (self.root / name for name in ("units", "wants", "proc"))
        for folder in (self.units, self.wants, self.proc):
            folder.mkdir()
        (self.units / "cubejs-redis@.service").touch()
        for number, unit in enumerate(UNITS):
            (self.wants / unit).symlink_to(self.units / "cubejs-redis@.service")
            self.process(100 + number, f"0::/cubejs.slice/{unit}\n")
        self.properties = {
            "UnitsLoadTimestampMonotonic": str(int((time.clock_gettime(time.CLOCK_MONOTONIC) + READ) * 1e6)),
            "UnitPath": f"{self.units} {self.root}/none",
            "FragmentPath": str(self.units / "cubejs-redis@.service"),
            "DropInPaths": "",
            "NeedDaemonReload": "no",
        }
        self.states = dict.fromkeys(UNITS, "loaded active running")

    def process(self, pid: int, cgroup: str) -> None:
        """Let a process run in a control group."""
        (self.proc / str(pid)).mkdir()
        (self.proc / str(pid) / "cgroup").write_text(cgroup)

    def run(self, command: Sequence[str]) -> Completed:
        """Play systemctl."""
        self.asked.append(command[1])
        if command[1] == "list-units":
            return Completed(0, "".join(f"{unit} {state} Redis\n" for unit, state in self.states.items()), "")
        return Completed(0, "".join(f"{key}={value}\n" for key, value in self.properties.items()), "")

    def found(self, units: Sequence[str] = UNITS) -> dict[str, Running]:
        """Return what is found."""
        return running(Systemd(self.run), units, self.wants, self.proc)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_all_are_found_with_three_questions(host: Host) -> None:
    found = host.found()
    assert [each.pid for each in found.values()] == [100 + number for number in range(FEW)]
    assert list(found) == UNITS
    assert found[UNITS[0]].files_changed == pytest.approx(time.time(), abs=30)
    assert host.asked == ["show", "show", "list-units"]


def test_few_are_asked_about_one_by_one(host: Host) -> None:
    assert host.found(UNITS[:-1]) == {}
    assert host.asked == []


def _process(host: Host) -> None:
    host.process(7, f"4:memory:/\n1:name=systemd:/x/{UNITS[1]}\n0::/x\n")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda host: host.states.update({UNITS[1]: "loaded failed failed"}), id="failed"),
        pytest.param(lambda host: host.states.update({UNITS[1]: "loaded activating start"}), id="starts"),
        pytest.param(lambda host: host.states.pop(UNITS[1]), id="not in systemd's memory"),
        pytest.param(lambda host: (host.wants / UNITS[1]).unlink(), id="not enabled"),
        pytest.param(_process, id="two processes"),
        pytest.param(lambda host: (host.proc / "101/cgroup").unlink(), id="no process"),
    ],
)
def test_one_that_is_not_at_rest_is_to_be_asked_about(host: Host, change: Callable[[Host], object]) -> None:
    change(host)
    assert list(host.found()) == [UNITS[0], *UNITS[2:]]


def _write(host: Host, name: str, later: bool = False) -> None:
    path = host.units / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("[Service]\n")
    if later:
        os.utime(path, (LATER, LATER))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda host: host.properties.pop("UnitsLoadTimestampMonotonic"), id="systemd before 251"),
        pytest.param(lambda host: host.properties.update(UnitsLoadTimestampMonotonic="0"), id="never read"),
        pytest.param(lambda host: host.properties.update(NeedDaemonReload="yes"), id="systemd says so"),
        pytest.param(lambda host: _write(host, "cubejs-redis@.service", later=True), id="the unit's file"),
        pytest.param(lambda host: _write(host, "cubejs-redis@.service.d/a.conf", later=True), id="a new drop-in"),
        pytest.param(lambda host: _write(host, "service.d/a.conf", later=True), id="a new drop-in of all services"),
        pytest.param(lambda host: _write(host, f"{UNITS[3]}.d/a.conf"), id="an instance's own drop-in, however old"),
        pytest.param(lambda host: _write(host, UNITS[3]), id="an instance's own file, however old"),
    ],
)
def test_where_files_differ_or_changed_all_are_to_be_asked_about(host: Host, change: Callable[[Host], object]) -> None:
    change(host)
    assert host.found() == {}


def test_old_drop_ins_of_all_instances_are_of_no_account(host: Host) -> None:
    _write(host, "cubejs-redis@.service.d/a.conf")
    host.properties["DropInPaths"] = str(host.units / "cubejs-redis@.service.d/a.conf")
    assert list(host.found()) == UNITS
