# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Units that run, and run with the files that are on disk now.

A restart never waits for a notification: a run killed between writing a file and restarting its service would lose it.
What decides is when the process started, compared with when its files last changed.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils.answers import Answer, AnswerError, wait_for
from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import CLOCK, Clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import (
    PROC,
    Systemd,
    SystemdError,
    newest_change,
    process_started_at,
    serving_since,
)

PROPERTIES = (
    "LoadState",
    "ActiveState",
    "UnitFileState",
    "MainPID",
    "NeedDaemonReload",
    "DropInPaths",
    "ActiveEnterTimestampMonotonic",
    "StateChangeTimestampMonotonic",
)
UNIT_DIRECTORIES = ("/etc/systemd/system/", "/run/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/")
# `enable` changes nothing on the others (static, generated, transient, alias, indirect).
CAN_BE_ENABLED = ("disabled", "linked", "linked-runtime", "enabled-runtime")
CAN_BE_DISABLED = ("enabled", "linked", "linked-runtime", "enabled-runtime")
RUNNING = ("active", "reloading", "activating")
JOURNAL_LINES = 20
POLL_SECONDS = 0.02
SPEC = {
    "name": {"type": "str", "required": True},
    "files": {"type": "list", "elements": "str", "default": []},
    "on_change": {"type": "str", "choices": ["restart", "reload"], "default": "restart"},
    "reload_signal": {"type": "str", "choices": ["", "HUP"], "default": ""},
    "enabled": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
    "intact": {"type": "list", "elements": "str", "default": []},
}


class UnitsError(Exception):
    """A unit cannot be brought to its wanted state; the message names it and says what to do."""


@dataclass(frozen=True)
class Unit:
    """A wanted unit: `on_change` is `restart` or `reload`, `state` is `started` or `stopped`.

    reload_signal: what has the main process read its files, in place of the unit's own command to reload; "" for that.
    intact: a command that fails when what the unit set up is gone, of which systemd knows nothing; () for others.
    """

    name: str
    files: tuple[str, ...] = ()
    on_change: str = "restart"
    reload_signal: str = ""
    enabled: bool = True
    state: str = "started"
    intact: tuple[str, ...] = ()

    @property
    def unit_files(self) -> tuple[str, ...]:
        """The files that systemd itself reads: a reload of the service does not take those up."""
        return tuple(path for path in self.files if path.startswith(UNIT_DIRECTORIES))


def from_option(given: Mapping[str, Any]) -> Unit:
    """Return the unit that a module's option of this SPEC describes."""
    return Unit(**{**given, "files": tuple(given["files"]), "intact": tuple(given["intact"])})


@dataclass
class Outcome:
    """What was done (or would be) to which unit, in order."""

    actions: dict[str, list[str]] = field(default_factory=dict)
    daemon_reloaded: bool = False

    @property
    def changed(self) -> bool:
        """Return whether anything had to be done."""
        return any(self.actions.values())


def converge(
    units: Sequence[Unit],
    systemd: Systemd,
    *,
    apply: bool,
    pending: bool = False,
    told: Sequence[str] = (),
    reload_seconds: float = 10.0,
    proc: Path = PROC,
    clock: Clock = CLOCK,
) -> Outcome:
    """Bring every unit to its wanted state, restarting or reloading those whose files are newer than what runs.

    With `apply` false nothing is touched, and `pending` says that their files would have changed by now. `told` are the
    names of units that have been told to reload since their files changed: they get no second signal. A reload is
    only believed when new workers run within `reload_seconds`: a service that goes on with its old configuration, as
    Nginx does when it cannot open a new port, is an error.
    """
    names = [unit.name for unit in units]
    seen = systemd.show(names, PROPERTIES)
    outcome = Outcome()
    if _needs_daemon_reload(units, seen, proc):
        outcome.daemon_reloaded = True
        if apply:
            systemd.daemon_reload()
            seen = systemd.show(names, PROPERTIES)
    if apply:
        _refuse_unusable(units, seen)
    for unit in units:
        is_due = unit.name in told or (pending and not apply)
        outcome.actions[unit.name] = _steps(unit, seen[unit.name], systemd, is_due, proc)
    if apply and outcome.changed:
        for verb in ("disable", "stop", "enable", "start", "restart"):
            _act(getattr(systemd, verb), [name for name, steps in outcome.actions.items() if verb in steps], systemd)
        reloaded = [unit for unit in units if "reload" in outcome.actions[unit.name]]
        signals = {unit.name: unit.reload_signal for unit in reloaded if unit.name not in told}
        for signal in sorted(set(signals.values())):
            tell = partial(systemd.signal, signal) if signal else systemd.reload
            _act(tell, [name for name in signals if signals[name] == signal], systemd)
        _prove(units, outcome, systemd, reload_seconds, proc, clock)
    return outcome


def is_settled(
    units: Sequence[Unit], answers: Sequence[Answer], systemd: Systemd, *, ask: bool, proc: Path = PROC
) -> bool:
    """Return whether `converge` would have nothing to do and, with `ask`, all is answered at once as it should be.

    What keeps that from being seen is told by whoever converges the units then.
    """
    try:
        outcome = converge(units, systemd, apply=False, proc=proc)
        if ask:
            wait_for(answers, 0)
    except (AnswerError, SystemdError):
        return False
    return not (outcome.changed or outcome.daemon_reloaded)


def tell(units: Sequence[Unit], changed: Collection[str], systemd: Systemd) -> list[str]:
    """Signal those of the units that take up changed files by a signal, and return the names of these.

    changed: paths. A unit whose own files are among them has to be restarted, and one that does not run cannot be told.
    """
    told = []
    for unit in units:
        if unit.reload_signal and unit.on_change == "reload" and not set(unit.unit_files) & set(changed):
            with contextlib.suppress(SystemdError):
                systemd.signal(unit.reload_signal, [unit.name])
                told.append(unit.name)
    return told


def _steps(unit: Unit, seen: Mapping[str, str], systemd: Systemd, is_due: bool, proc: Path) -> list[str]:
    steps = []
    state = seen.get("UnitFileState", "")
    missing = seen.get("LoadState") != "loaded"
    if unit.enabled and (state in CAN_BE_ENABLED or missing):
        steps.append("enable")
    if not unit.enabled and state in CAN_BE_DISABLED:
        steps.append("disable")
    running = seen.get("ActiveState") in RUNNING
    if unit.state == "stopped":
        return [*steps, "stop"] if running else steps
    if not running:
        steps.append("start")
    elif _is_stale(unit.unit_files, "restart", seen, proc):
        steps.append("restart")
    elif is_due or _is_stale(unit.files, unit.on_change, seen, proc) or not _is_intact(unit, systemd):
        steps.append(unit.on_change)
    return steps


def _is_intact(unit: Unit, systemd: Systemd) -> bool:
    return not unit.intact or systemd.succeeds(unit.intact)


def _is_stale(files: Sequence[str], on_change: str, seen: Mapping[str, str], proc: Path) -> bool:
    changed = newest_change(files)
    if changed is None:
        return False
    pid = int(seen.get("MainPID") or 0)
    if pid:
        since = serving_since(pid, proc) if on_change == "reload" else process_started_at(pid, proc)
    else:
        # A unit without a process is `reloading` for the time that a reload takes, which its state remembers.
        since = _moment(seen, "StateChange" if on_change == "reload" else "ActiveEnter")
    return since is None or changed > since


def _moment(seen: Mapping[str, str], event: str) -> float:
    """Return when something happened to a unit without a main process (a timer, a oneshot), as seconds of the epoch."""
    monotonic = int(seen.get(f"{event}TimestampMonotonic") or 0) / 1_000_000
    return time.time() - time.monotonic() + monotonic


def _needs_daemon_reload(units: Sequence[Unit], seen: Mapping[str, Mapping[str, str]], proc: Path) -> bool:
    return any(
        seen[unit.name].get("NeedDaemonReload") == "yes"
        or has_unread_drop_in(unit.name, seen[unit.name])
        or (
            seen[unit.name].get("ActiveState") in RUNNING
            and _is_stale(unit.unit_files, "restart", seen[unit.name], proc)
        )
        for unit in units
    )


def has_unread_drop_in(name: str, seen: Mapping[str, str]) -> bool:
    """Return whether a unit has a drop-in that systemd did not read.

    systemd 252 does not notice the first file in a new directory of drop-ins: NeedDaemonReload stays at `no`.
    """
    known = seen.get("DropInPaths", "").split()
    folders = (Path(directory) / f"{name}.d" for directory in UNIT_DIRECTORIES[:2])
    found = (path for folder in folders for path in folder.glob("*.conf") if path.resolve() != Path(os.devnull))
    return any(str(path) not in known for path in found)


def _refuse_unusable(units: Sequence[Unit], seen: Mapping[str, Mapping[str, str]]) -> None:
    remedies = {
        "not-found": "does not exist: install its package or write its unit file first",
        "masked": "is masked by someone: `systemctl unmask {name}` lets it run",
    }
    problems = []
    for unit in units:
        state = seen[unit.name].get("LoadState", "")
        if state == "loaded" or (unit.state == "stopped" and not unit.enabled):
            continue
        advice = remedies.get(state, "has a unit file that systemd cannot read: see `systemctl status {name}`")
        problems.append(f"{unit.name} {advice.format(name=unit.name)}")
    if problems:
        raise UnitsError("; ".join(problems))


def _act(tell: Callable[[Sequence[str]], None], names: Sequence[str], systemd: Systemd) -> None:
    if not names:
        return
    try:
        tell(names)
    except SystemdError as exc:
        raise UnitsError(_with_journal(str(exc), names, systemd)) from exc


def _prove(
    units: Sequence[Unit], outcome: Outcome, systemd: Systemd, reload_seconds: float, proc: Path, clock: Clock
) -> None:
    started = [unit for unit in units if unit.state == "started" and outcome.actions[unit.name]]
    seen = systemd.show([unit.name for unit in started], PROPERTIES)
    dead = [unit.name for unit in started if seen[unit.name].get("ActiveState") not in RUNNING]
    if dead:
        raise UnitsError(_with_journal(f"{', '.join(dead)} did not stay up", dead, systemd))
    deadline = clock.monotonic() + reload_seconds
    for unit in started:
        if "reload" not in outcome.actions[unit.name]:
            continue
        while _is_stale(unit.files, "reload", seen[unit.name], proc):
            if clock.monotonic() >= deadline:
                told = f"{unit.name} was told to reload and went on with its old configuration"
                message = f"{told}: its own error log says why"
                raise UnitsError(_with_journal(message, [unit.name], systemd))
            clock.sleep(POLL_SECONDS)


def _with_journal(message: str, names: Sequence[str], systemd: Systemd) -> str:
    tails = [f"\n{name}, last lines of its journal:\n{systemd.journal(name, JOURNAL_LINES)}" for name in names]
    return message + "".join(tails)
