# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Processes of Node.js as /proc shows them. A process may end while it is read: then it was not there."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import CONTAINER, PM2, SYSTEMD, USER_SYSTEMD
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.installed import Installed, library_of_node
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree

MAX_PROC_BYTES = 4 * 1024 * 1024
NODE_PROGRAMS = ("node", "nodejs")
# Options of node that take the next word.
_WITH_ARGUMENT = frozenset({"-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions"})
_CONTAINER = re.compile(r"(?:^|[/-])(?:docker|libpod|cri-containerd|crio|lxc\.payload|lxc|kubepods|nspawn)\b")
_USER_MANAGER = re.compile(r"user@\d+\.service")
_FILES_LIMIT = re.compile(r"^Max open files\s+(\S+)\s+(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Seen:
    """A process of Node.js: its numbers, its words, and what it may be asked about where that may be read.

    directory, root: as the process sees them, "" where they may not be read. environ: None where it may not be read.
    unreadable: file of /proc -> why. holder: the service in whose control group it is, whoever manages it.
    """

    pid: int
    parent: int
    uid: int
    words: tuple[str, ...]
    script: str
    since_boot: float
    status: Mapping[str, str]
    directory: str = ""
    executable: str = ""
    environ: Mapping[str, str] | None = field(default=None, repr=False)
    open_files: tuple[int | None, int | None] = (None, None)
    manager: str = ""
    unit: str = ""
    holder: str = ""
    unreadable: Mapping[str, OSError] = field(default_factory=dict)

    @property
    def main(self) -> str:
        """Return the script that does the work: pm2 starts others' by one of its own."""
        if self.script.rpartition("/")[2].startswith("ProcessContainer"):
            return (self.environ or {}).get("pm_exec_path") or self.script
        return self.script

    @property
    def memory_bytes(self) -> int | None:
        """Return the resident memory."""
        found = self.status.get("VmRSS", "").split()
        return int(found[0]) * 1024 if found and found[0].isdecimal() else None

    def flag(self, name: str) -> bool | None:
        """Return whether a number of /proc/PID/status (decimal or hexadecimal) is more than nothing."""
        text = self.status.get(name)
        return None if text is None else int(text, 16) != 0


class Proc:
    """A /proc, the host's or a recorded one; `clock_ticks` is how many of its ticks are a second."""

    def __init__(self, root: str = "/proc", clock_ticks: int | None = None) -> None:
        self.root = root.rstrip("/")
        self._ticks = clock_ticks or os.sysconf("SC_CLK_TCK")
        self._group: str | None = None

    def pids(self) -> list[int]:
        """Return the processes that can be seen, in order."""
        return sorted(int(name) for name in os.listdir(self.root) if name.isdecimal())  # noqa: PTH208 no Path: hot

    def hides_others(self) -> bool:
        """Return whether processes of other users cannot be seen at all (hidepid)."""
        return os.geteuid() != 0 and not os.path.exists(f"{self.root}/1/stat")  # noqa: PTH110 as above

    def nodes(self) -> Iterator[Seen]:
        """Yield the processes of Node.js."""
        for pid in self.pids():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError, IndexError):
                words = self.words(pid)
                if words and _is_node(words[0]):
                    yield self.look(pid, words)

    def words(self, pid: int) -> tuple[str, ...]:
        """Return a command line; a title that the process gave itself is split at its blanks."""
        try:
            raw = self._read(pid, "cmdline").rstrip(b"\0").decode("utf-8", "surrogateescape")
        except PermissionError:
            return ()
        words = tuple(raw.split("\0"))
        return tuple(words[0].split()) if len(words) == 1 else words

    def look(self, pid: int, words: tuple[str, ...]) -> Seen:
        """Return what there is to know of a process; raises OSError when it has ended."""
        unreadable: dict[str, OSError] = {}
        stat = self._read(pid, "stat").decode("utf-8", "replace").rpartition(")")[2].split()
        status = dict(_status(self._read(pid, "status").decode("utf-8", "replace")))
        environ = self._attempt(pid, "environ", unreadable)
        variables = None if environ is None else _environ(environ)
        limits = (self._attempt(pid, "limits", unreadable) or b"").decode("utf-8", "replace")
        directory = self._link(pid, "cwd", unreadable)
        group = (self._attempt(pid, "cgroup", unreadable) or b"").decode("utf-8", "replace")
        manager, unit = manager_of(group, self._own_group())
        holder = unit if manager == SYSTEMD else ""
        if variables is not None and "pm_id" in variables:
            manager, unit = PM2, ""
        return Seen(
            pid=pid,
            parent=int(stat[1]),
            uid=int(status["Uid"].split()[1]),
            words=words,
            script=script_of(words),
            since_boot=int(stat[19]) / self._ticks,
            status=status,
            directory=directory,
            executable=self._link(pid, "exe", unreadable),
            environ=variables,
            open_files=_limits(limits),
            manager=manager,
            unit=unit,
            holder=holder,
            unreadable=unreadable,
        )

    def since_boot(self, pid: int) -> float | None:
        """Return when a process started, in seconds since boot; None when it is gone."""
        try:
            stat = self._read(pid, "stat").decode("utf-8", "replace").rpartition(")")[2].split()
            return int(stat[19]) / self._ticks
        except (OSError, ValueError, IndexError):
            return None

    def tree(self, pid: int, host: Tree) -> Tree:
        """Return the files as the process sees them; the host's where that may not be looked at."""
        root = f"{self.root}/{pid}/root"
        return Tree(root) if os.access(f"{root}/", os.X_OK) else host

    def open_descriptors(self, pid: int) -> dict[int, str]:
        """Return descriptor -> what it is open on, such as "socket:[123]"; raises OSError."""
        folder = f"{self.root}/{pid}/fd"
        found = {}
        for name in os.listdir(folder):  # noqa: PTH208 no Path: hot
            with contextlib.suppress(OSError):
                found[int(name)] = os.readlink(f"{folder}/{name}")  # noqa: PTH115 as above
        return found

    def open_files(self, pid: int) -> int | None:
        """Return how many descriptors a process has open; None where that may not be seen."""
        try:
            return len(os.listdir(f"{self.root}/{pid}/fd"))  # noqa: PTH208 as above
        except OSError:
            return None

    def network(self, pid: int) -> tuple[str, str]:
        """Return where the sockets of a process's network are listed, and the name of that network."""
        try:
            namespace = os.readlink(f"{self.root}/{pid}/ns/net")  # noqa: PTH115 as above
        except OSError:
            return f"{self.root}/net", ""
        return f"{self.root}/{pid}/net", namespace

    def own_network(self) -> str:
        """Return the name of the network in which this program itself is."""
        try:
            return os.readlink(f"{self.root}/self/ns/net")  # noqa: PTH115 as above
        except OSError:
            return ""

    def node_version(self, pid: int, installed: Installed) -> str:
        """Return the version of Node.js that a process runs; "" where that may not be seen."""
        version = installed.node_version(f"{self.root}/{pid}/exe")
        if version:
            return version
        # Where the program is small, a library does the work.
        maps = (self._attempt(pid, "maps", {}) or b"").decode("utf-8", "surrogateescape")
        library = library_of_node(maps)
        return installed.node_version(f"{self.root}/{pid}/root{library}") if library else ""

    def _read(self, pid: int, name: str) -> bytes:
        with open(f"{self.root}/{pid}/{name}", "rb") as opened:
            return opened.read(MAX_PROC_BYTES)

    def _own_group(self) -> str:
        """Return the control group in which this host's own first process is: of a container, the container's."""
        if self._group is None:
            text = (self._attempt(1, "cgroup", {}) or b"").decode("utf-8", "replace")
            paths = [line.split(":", 2)[2] for line in text.splitlines() if line.count(":") >= 2]
            longest = max(paths, key=len, default="/")
            self._group = longest[: -len("/init.scope")] if longest.endswith("/init.scope") else longest
        return self._group

    def _attempt(self, pid: int, name: str, unreadable: dict[str, OSError]) -> bytes | None:
        try:
            return self._read(pid, name)
        except OSError as exc:
            unreadable[name] = exc
            return None

    def _link(self, pid: int, name: str, unreadable: dict[str, OSError]) -> str:
        try:
            return os.readlink(f"{self.root}/{pid}/{name}")  # noqa: PTH115 no Path: hot
        except OSError as exc:
            unreadable[name] = exc
            return ""


def _is_node(word: str) -> bool:
    return word.rpartition("/")[2] in NODE_PROGRAMS


def script_of(words: tuple[str, ...]) -> str:
    """Return the script that node runs, as it was given; "" for none."""
    rest = iter(words[1:])
    for word in rest:
        if word in _WITH_ARGUMENT:
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return ""


def _status(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, found, value = line.partition(":")
        if found:
            yield name, value.strip()


def _environ(raw: bytes) -> dict[str, str]:
    entries = (entry.partition("=") for entry in raw.decode("utf-8", "surrogateescape").split("\0"))
    found: dict[str, str] = {}
    for name, assigned, value in entries:
        # Of a name that is there twice, getenv() and Node take the first.
        if assigned and name:
            found.setdefault(name, value)
    return found


def _limits(text: str) -> tuple[int | None, int | None]:
    found = _FILES_LIMIT.search(text)
    if found is None:
        return None, None
    soft, hard = (int(each) if each.isdecimal() else None for each in found.groups())
    return soft, hard


def manager_of(groups: str, own: str) -> tuple[str, str]:
    """Return who manages a process, and its unit, by the control groups that it is in.

    own: the control group of the host itself, which may be a container; one within it is another.
    """
    paths = [line.split(":", 2)[2] for line in groups.splitlines() if line.count(":") >= 2]
    within = [path[len(own) :] if own != "/" and path.startswith(own) else path for path in paths]
    if any(_CONTAINER.search(path) for path in within):
        return CONTAINER, ""
    for path in within:
        # Of a process that the service manager keeps in a group below the unit's, too.
        services = [part for part in path.split("/") if part.endswith(".service")]
        users = [part for part in services if _USER_MANAGER.fullmatch(part)]
        units = [part for part in services if part not in users]
        if units:
            return (USER_SYSTEMD if users else SYSTEMD), units[-1]
    return "", ""
