"""A host's processes end after their last request, and not before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import draining
from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import Clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.sockets import Tcp
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd

API = "cubejs-api@acme-1.service"
WORKER = "cubejs-refresh-worker@beta.service"
CLIENT = Tcp("192.0.2.4", 21010, "192.0.2.1", 40000)
OTHER = Tcp("192.0.2.4", 22, "192.0.2.9", 40001)


class World:
    """systemd with two instances, one of them running, a clock, and connections that end at a moment."""

    def __init__(self, ends_at: float = 0.0, running: bool = True) -> None:
        self.now = 0.0
        self.ends_at = ends_at
        self.calls: list[tuple[float, str, tuple[str, ...]]] = []
        self.running = running

    def run(self, command: Sequence[str]) -> Completed:
        """Answer as systemctl does."""
        verb, *rest = command[1:]
        if verb == "list-units":
            return Completed(0, f"{API} loaded active running\n{WORKER} loaded inactive dead\n", "")
        if verb == "show":
            states = {API: "active" if self.running else "inactive", WORKER: "inactive"}
            enabled = "enabled" if self.running else "disabled"
            units = [word for word in rest if word.endswith(".service")]
            blocks = (f"Id={unit}\nActiveState={states[unit]}\nUnitFileState={enabled}" for unit in units)
            return Completed(0, "\n\n".join(blocks), "")
        self.calls.append((self.now, verb, tuple(word for word in rest if word != "--")))
        return Completed(0, "", "")

    def connected(self) -> list[Tcp]:
        """Return what is connected now."""
        return [CLIENT, OTHER] if self.now < self.ends_at else [OTHER]

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def host(self, root: Path) -> draining.Host:
        """Return the host."""
        return draining.Host(Systemd(self.run), self.connected, Clock(lambda: self.now, self.sleep), root)


def test_requests_end_first(tmp_path: Path) -> None:
    (tmp_path / "opt/cubejs").mkdir(parents=True)
    world = World(ends_at=3.0)
    found = draining.drain([21010], 10.0, world.host(tmp_path), apply=True)
    assert found.actions == {API: ["disable", "stop"], WORKER: ["disable"]}
    assert found.standing == ["/opt/cubejs"]
    told = {verb: (when, units) for when, verb, units in world.calls}
    assert told["disable"][1] == (API, WORKER)
    assert told["stop"][1] == (API,)
    assert told["stop"][0] >= 3.0


def test_what_does_not_end_stops_nothing(tmp_path: Path) -> None:
    world = World(ends_at=100.0)
    with pytest.raises(draining.DrainError, match=r"After 10 s .*: 1 from 192\.0\.2\.1\. .*Nothing was stopped"):
        draining.drain([21010], 10.0, world.host(tmp_path), apply=True)
    assert world.calls == []


def test_other_ports_are_not_waited_for(tmp_path: Path) -> None:
    world = World(ends_at=100.0)
    assert draining.drain([21020], 10.0, world.host(tmp_path), apply=True).actions
    assert world.now == 0.0


def test_check_mode_says_what_would_be_done_at_once(tmp_path: Path) -> None:
    world = World(ends_at=100.0)
    found = draining.drain([21010], 10.0, world.host(tmp_path), apply=False)
    assert found.actions == {API: ["disable", "stop"], WORKER: ["disable"]}
    assert (world.calls, world.now) == ([], 0.0)


def test_a_second_time_there_is_nothing_to_do(tmp_path: Path) -> None:
    world = World(running=False)
    assert draining.drain([21010], 10.0, world.host(tmp_path), apply=True).actions == {}
    assert [verb for _when, verb, _units in world.calls] == ["reset-failed"]
