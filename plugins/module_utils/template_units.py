# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Instances of a template unit that run as their files say, found without a question about each.

systemd answers `systemctl show` with 250 properties of each unit, whichever are asked for: 0.42 s for 305 instances of
Redis. Here they are found in 0.06 s, by what systemd says of all units at once and by the kernel's own files.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import PROC, Systemd, newest_change

# Fewer are asked about one by one as quickly.
FEW = 8
# Times of files and of systemd are of two clocks, and a file's is that of the kernel's last tick.
MARGIN_SECONDS = 1.0


@dataclass(frozen=True)
class Running:
    """An instance that is loaded, enabled and active with one process, none of whose files systemd has yet to read.

    `files_changed`: when the newest file of its unit changed, in seconds since the epoch.
    """

    pid: int
    files_changed: float | None


def running(systemd: Systemd, units: Sequence[str], wants: Path, proc: Path = PROC) -> dict[str, Running]:
    """Return those of the instances of one template for which all of that is known; the others are to be asked about.

    wants: the directory that has a link to each instance that is started at boot.
    """
    if len(units) < FEW:
        return {}
    template = f"{units[0].partition('@')[0]}@"
    manager = systemd.manager(("UnitsLoadTimestampMonotonic", "UnitPath"))
    read_at = _epoch(manager.get("UnitsLoadTimestampMonotonic", ""))
    # What holds for one holds for all, as long as no instance has files of its own.
    sample = systemd.show(units[:1], ("FragmentPath", "DropInPaths", "NeedDaemonReload"))[units[0]]
    places = [Path(place) for place in manager.get("UnitPath", "").split()]
    if read_at is None or sample.get("NeedDaemonReload") != "no" or _has_own_files(places, template):
        return {}
    own = [sample.get("FragmentPath", ""), *sample.get("DropInPaths", "").split()]
    newest = newest_change([*own, *_drop_ins(places, template)])
    if newest is None or newest > read_at - MARGIN_SECONDS:
        return {}
    listed, processes, changed = systemd.listed(f"{template}*.service"), _processes(proc), newest_change(own)
    return {
        unit: Running(processes[unit][0], changed)
        for unit in units
        if listed.get(unit) == ("loaded", "active", "running")
        and len(processes.get(unit, ())) == 1
        and (wants / unit).is_symlink()
    }


def _epoch(monotonic: str) -> float | None:
    """Return a time that systemd tells in microseconds of the monotonic clock; None where it tells none."""
    if not monotonic.isdecimal() or int(monotonic) == 0:
        return None
    return time.time() - (time.clock_gettime(time.CLOCK_MONOTONIC) - int(monotonic) / 1e6)


def _has_own_files(places: Sequence[Path], template: str) -> bool:
    """Say whether any instance has a file, a mask or drop-ins that others of the template do not have."""
    shared = (f"{template}.service", f"{template}.service.d")
    return any(name.startswith(template) and name not in shared for place in places for name in _names(place))


def _drop_ins(places: Sequence[Path], template: str) -> Iterator[str]:
    """Yield the directories of drop-ins that all instances share, and what is in them.

    A new one is newer than systemd's last look; of one that was removed the sample knows.
    """
    for place in places:
        for name in ("service.d", f"{template.partition('-')[0]}-.service.d", f"{template}.service.d"):
            folder = place / name
            yield from map(str, (folder, *(folder / inner for inner in _names(folder))))


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return []


def _processes(proc: Path) -> Mapping[str, list[int]]:
    """Return the processes of each service, as the kernel has them in the service's control group."""
    found: dict[str, list[int]] = {}
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                for line in (entry / "cgroup").read_text(errors="replace").splitlines():
                    _hierarchy, controllers, path = line.split(":", 2)
                    unit = path.rpartition("/")[2]
                    if controllers in ("", "name=systemd") and unit.endswith(".service"):
                        found.setdefault(unit, []).append(int(entry.name))
                        break
    return found
