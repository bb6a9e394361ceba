# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""systemd and the processes it runs, read and told what to do in as few calls as possible."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

PROC = Path("/proc")


class SystemdError(Exception):
    """systemd refused, or is not there; the message says what was asked of it and what to do."""


@dataclass(frozen=True)
class Completed:
    """What a command left behind."""

    rc: int
    stdout: str
    stderr: str


Run = Callable[[Sequence[str]], Completed]


def run(command: Sequence[str]) -> Completed:
    """Run a command without a shell, in the C locale."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
        )
    except OSError as exc:
        raise SystemdError(f"{command[0]} cannot be run: {exc}") from exc
    return Completed(done.returncode, done.stdout, done.stderr)


class Systemd:
    """The service manager of this host. Every method costs at most one call, however many units it names."""

    def __init__(self, run_command: Run = run) -> None:
        self._run = run_command

    def show(self, units: Sequence[str], properties: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return unit -> property -> value; a unit that does not exist has the LoadState `not-found`."""
        if not units:
            return {}
        # Every unit has an Id, so that no block is empty even where a kind of unit lacks the properties asked for.
        stdout = self._call("show", "--no-pager", f"--property={','.join(['Id', *properties])}", "--", *units)
        blocks = stdout.strip("\n").split("\n\n")
        if len(blocks) != len(units):
            raise SystemdError(
                f"systemctl show answered for {len(blocks)} units, asked for {len(units)}: {', '.join(units)}"
            )
        return {unit: _properties(block) for unit, block in zip(units, blocks)}

    def services(self, properties: Sequence[str], names: Sequence[str] = ()) -> list[dict[str, list[str]]]:
        """Return the properties of all services in systemd's memory, and of the named ones, each service once.

        Property -> its values: some are told once for each of their parts (EnvironmentFiles, ExecStart).
        """
        stdout = self._call(
            "show", "--no-pager", f"--property={','.join(['Id', *properties])}", "--", "*.service", *names
        )
        found: dict[str, dict[str, list[str]]] = {}
        for block in stdout.strip("\n").split("\n\n"):
            values: dict[str, list[str]] = {}
            for key, assigned, value in (line.partition("=") for line in block.splitlines()):
                if assigned:
                    values.setdefault(key, []).append(value)
            found[values.get("Id", [""])[0]] = values
        return [values for name, values in found.items() if name]

    def loaded(self, patterns: Sequence[str]) -> list[str]:
        """Return the units in systemd's memory (running, failed, wanted at boot) that match one of the patterns."""
        listed = self._call("list-units", "--all", "--plain", "--no-legend", "--no-pager", "--", *patterns)
        return [line.split()[0] for line in listed.splitlines() if line.strip()]

    def listed(self, pattern: str) -> dict[str, tuple[str, str, str]]:
        """Return the units in systemd's memory that match, each with its load, active and sub state."""
        output = self._call("list-units", "--all", "--plain", "--no-legend", "--no-pager", "--", pattern)
        rows = [line.split(None, 4) for line in output.splitlines() if line.strip()]
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def manager(self, properties: Sequence[str]) -> dict[str, str]:
        """Return properties of the service manager itself; one that it does not know is not there."""
        return _properties(self._call("show", "--no-pager", f"--property={','.join(properties)}"))

    def daemon_reload(self) -> None:
        """Let systemd read its unit files again; nothing is restarted."""
        self._call("daemon-reload")

    def enable(self, units: Sequence[str]) -> None:
        """Start the units at boot (or with the unit that wants them)."""
        self._on("enable", units)

    def enable_for_boot(self, units: Sequence[str]) -> None:
        """Start the units at the next boot: what wants them is told of it when systemd reads its units again.

        First by the links alone, as in an image that does not run: asked to do it, systemd reads all its units again,
        0.6 s beside 300 instances of Redis. It has to be asked about a unit that it knows as one that is not enabled.
        """
        if units and self._run(["env", "SYSTEMD_OFFLINE=1", "systemctl", "enable", "--", *units]).rc == 0:
            seen = self.show(units, ("UnitFileState",))
            units = [unit for unit in units if seen[unit].get("UnitFileState") != "enabled"]
        self.enable(units)

    def disable(self, units: Sequence[str]) -> None:
        """No longer start the units at boot."""
        self._on("disable", units)

    def start(self, units: Sequence[str], *, block: bool = True) -> None:
        """Start the units, also those that systemd had given up; `block` false does not wait until they are up."""
        self.reset_failed(units)
        self._on("start", units, block=block)

    def stop(self, units: Sequence[str]) -> None:
        """Stop the units."""
        self._on("stop", units)

    def restart(self, units: Sequence[str], *, block: bool = True) -> None:
        """Restart the units, also those that systemd had given up; `block` false does not wait until they are up."""
        self.reset_failed(units)
        self._on("restart", units, block=block)

    def reload(self, units: Sequence[str]) -> None:
        """Let the units read their configuration again, without a restart."""
        self._on("reload", units)

    def signal(self, name: str, units: Sequence[str]) -> None:
        """Send a signal to the units' main processes, and to no others of theirs."""
        if units:
            self._call("kill", "--kill-who=main", f"--signal={name}", "--", *units)

    def succeeds(self, command: Sequence[str]) -> bool:
        """Return whether a command of the host's ends well."""
        return self._run(command).rc == 0

    def journal(self, unit: str, lines: int = 20) -> str:
        """Return the last lines that the unit logged; the caller masks what is secret."""
        done = self._run(["journalctl", "--no-pager", "--output=cat", f"--lines={lines}", f"--unit={unit}"])
        return done.stdout.strip()

    def reset_failed(self, units: Sequence[str]) -> None:
        """Let systemd forget that the units failed, and count their restarts anew."""
        if units:
            # Fails for units that were never loaded, which is no reason not to start them.
            self._run(["systemctl", "reset-failed", "--", *units])

    def _on(self, verb: str, units: Sequence[str], *, block: bool = True) -> None:
        if units:
            self._call(*(() if block else ("--no-block",)), verb, "--", *units)

    def _call(self, *arguments: str) -> str:
        done = self._run(["systemctl", *arguments])
        if done.rc != 0:
            said = (done.stderr or done.stdout).strip() or f"status {done.rc}"
            raise SystemdError(f"systemctl {' '.join(arguments)} failed: {said}")
        return done.stdout


def _properties(block: str) -> dict[str, str]:
    return {key: value for key, _unused, value in (line.partition("=") for line in block.splitlines())}


def process_environ(pid: int, proc: Path = PROC) -> dict[str, str]:
    """Return the environment the process was started with; empty when the process is gone.

    Raises SystemdError when it may not be read: taken for an empty one, it would have the process restarted every run.
    """
    path = proc / str(pid) / "environ"
    try:
        raw = _ask_owner(path) if _is_closed_to_us(path) else path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    except OSError as exc:
        raise SystemdError(f"{path} cannot be read: {exc.strerror}. Run as root (become)") from exc
    pairs = (entry.partition("=") for entry in raw.decode("utf-8", "surrogateescape").split("\0") if entry)
    return {key: value for key, _unused, value in pairs}


def _is_closed_to_us(path: Path) -> bool:
    """Return whether the kernel keeps a file of a process from us, as it does from a root without CAP_SYS_PTRACE."""
    try:
        with path.open("rb"):
            return False
    except PermissionError:
        return True


def process_cwds(proc: Path = PROC) -> list[Path]:
    """Return where processes work, of all of which that can be known.

    Of those that the kernel keeps from us it is asked as their users, with one command for each user: one for each
    process took 1.5 s beside 300 instances of Redis.
    """
    found: list[Path] = []
    closed: dict[tuple[int, int], list[str]] = {}
    for path in (entry / "cwd" for entry in proc.iterdir() if entry.name.isdecimal()):
        with contextlib.suppress(OSError):
            try:
                found.append(path.readlink())
            except PermissionError:
                owner = path.lstat()
                closed.setdefault((owner.st_uid, owner.st_gid), []).append(str(path))
    for (user, group), paths in closed.items():
        with contextlib.suppress(OSError):
            # Fails for those that have ended meanwhile, and tells the others.
            told = _run_as(user, group, ["find", *paths, "-maxdepth", "0", "-printf", "%l\\0"]).stdout
            found += [Path(os.fsdecode(each)) for each in told.split(b"\0") if each]
    return found


def _ask_owner(path: Path) -> bytes:
    """Return what a file of a process holds, read as the user that the process runs as."""
    owner = path.lstat()
    done = _run_as(owner.st_uid, owner.st_gid, ["cat", "--", str(path)])
    if done.returncode:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return done.stdout


def _run_as(user: int, group: int, command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a user.

    Container managers take CAP_SYS_PTRACE from root, and no privilege is needed to read what is one's own.
    """
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False, user=user, group=group, extra_groups=[]
    )


def process_started_at(pid: int, proc: Path = PROC) -> float | None:
    """Return when the process started, in seconds since the epoch to 1/100 s; None when it is gone.

    The kernel counts from boot, so the answer moves with the clock when that is set, as the times of files do not.
    """
    stat = _stat(pid, proc)
    if stat is None:
        return None
    return booted_at() + int(stat[19]) / os.sysconf("SC_CLK_TCK")


def booted_at() -> float:
    """Return when this host booted, by its clock of now, in seconds since the epoch."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def serving_since(main_pid: int, proc: Path = PROC) -> float | None:
    """Return when the oldest worker of a service that reloads by replacing its workers started.

    Workers that only finish their last requests (Nginx says "is shutting down" in their title) do not count, and a
    service without workers counts from its main process.
    """
    starts = [process_started_at(pid, proc) for pid in _children(main_pid, proc) if not _is_leaving(pid, proc)]
    known = [start for start in starts if start is not None]
    return min(known) if known else process_started_at(main_pid, proc)


def newest_change(paths: Iterable[str]) -> float | None:
    """Return when the newest of the files changed, in seconds since the epoch; None when none of them exists.

    Of a symbolic link both count: the link (swapped by a rename) and what it points to. The change time counts beside
    the modification time, because a file renamed into place keeps the modification time of when it was staged.
    """
    times: list[float] = []
    for path in paths:
        for look in (os.lstat, os.stat):
            try:
                found = look(path)
            except OSError:
                continue
            times += [found.st_mtime, found.st_ctime]
    return max(times) if times else None


def _stat(pid: int, proc: Path) -> list[str] | None:
    """Return the fields of /proc/PID/stat that follow the name, which may itself hold spaces and brackets."""
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _children(pid: int, proc: Path) -> list[int]:
    """Return the children of a process, which the kernel lists for each of its threads (CONFIG_PROC_CHILDREN).

    Without that list every process of the host is asked for its parent: 50 ms beside 300 instances of Redis, again and
    again while a reload is waited for.
    """
    try:
        listed = [(thread / "children").read_text() for thread in (proc / str(pid) / "task").iterdir()]
        return [int(child) for text in listed for child in text.split()]
    except OSError:
        pass
    children = []
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            stat = _stat(int(entry.name), proc)
            if stat is not None and int(stat[1]) == pid:
                children.append(int(entry.name))
    return children


def _is_leaving(pid: int, proc: Path) -> bool:
    try:
        return b"is shutting down" in (proc / str(pid) / "cmdline").read_bytes()
    except OSError:
        return True
