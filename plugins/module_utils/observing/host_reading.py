# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything passive that is read of one host: its Cube.js processes, and the units that would run one.

Processes are found in /proc, units in systemd and its files, and what listens on a port of Cube's by the socket; one
process is one instance, however often it is found.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.cubeops.cubejs.plugins.module_utils import names
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import (
    BY_PROCESS,
    BY_SOCKET,
    BY_UNIT,
    PM2,
    SYSTEMD,
    Instance,
    Listener,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import processes, sockets, unit_files
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.installed import (
    SCOPE,
    Installed,
    script_path,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.instance_reading import (
    Found,
    Readers,
    read_instance,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.project_files import (
    Projects,
    is_written_for_cube,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree, user_name
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import PORT
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import (
    Systemd,
    SystemdError,
    booted_at,
)

MAX_LISTENING = 1000
BECOME = "Run the task with become: true"
# Programs of Node.js that start others, or manage packages, in a project's directory.
WRAPPERS = frozenset({
    "npm", "npm-cli.js", "npx", "npx-cli.js", "yarn", "yarn.js", "pnpm", "pnpm.cjs", "nodemon", "nodemon.js", "pm2",
    "Daemon.js", "corepack", "corepack.js",
})  # fmt: skip
COMMANDS = frozenset({"cubejs-server", "cubejs-dev-server"})
# The command line that comes with Cube's image: only these of its commands serve.
SERVES = frozenset({"server", "dev-server"})


@dataclass(frozen=True)
class Places:
    """Where a host is looked at. booted: when it booted, in seconds since the epoch; systemd: None where it has none.

    root, proc: of the host itself, or of a recording.
    """

    root: str = "/"
    proc: str = "/proc"
    systemd: Systemd | None = field(default_factory=Systemd)
    booted: float | None = None


@dataclass(frozen=True)
class Reading:
    """What was read: instances with their environments as they are, which stay on the host."""

    found: tuple[Found, ...]
    addresses: tuple[str, ...]
    listening: tuple[Listener, ...]
    unknown: tuple[Unknown, ...]


def read_host(places: Places, redactor: Redactor) -> Reading:
    """Read the host; whatever cannot be read ends in `unknown`, nothing is raised."""
    return _Host(places, redactor).read()


class _Host:
    def __init__(self, places: Places, redactor: Redactor) -> None:
        self._places = places
        self._proc = processes.Proc(places.proc)
        self._tree = Tree(places.root)
        self._installed = Installed()
        self._unknown: list[Unknown] = []
        self._starters: dict[str, unit_files.Service] = {}
        self._readers = Readers(
            proc=self._proc,
            tree=self._tree,
            installed=self._installed,
            projects=Projects(),
            redactor=redactor,
            booted=booted_at() if places.booted is None else places.booted,
        )

    def read(self) -> Reading:
        seen = [each for each in self._cubes() if not names.is_trial_unit(each.unit)]
        own = {each.unit for each in seen if each.manager == SYSTEMD}
        starters = self._starters_of_pm2(seen) - own
        services = self._services(own | starters)
        self._starters = {name: services.pop(name) for name in sorted(starters) if name in services}
        sharing = Counter(each.unit for each in seen)
        found = [self._of_process(each, services, sharing) for each in seen]
        taken = {each.unit for each in seen}
        found += [
            read_instance(self._readers, name, None, service, (BY_UNIT,))
            for name, service in sorted(services.items())
            if name not in taken and not names.is_trial_unit(name)
        ]
        found += self._by_socket(found, services)
        net = f"{self._places.proc}/net"
        rows = sorted({(each.port, each.address) for each in self._readers.table(net, "").listening.values()})
        listening = tuple(Listener("tcp", address, port) for port, address in rows[:MAX_LISTENING])
        return Reading(tuple(_distinct(found)), sockets.local_addresses(net), listening, tuple(self._unknown))

    def _cubes(self) -> Iterator[processes.Seen]:
        """Yield the processes that are Cube's."""
        if self._proc.hides_others():
            reason = "processes of other users are hidden (/proc is mounted with hidepid)"
            self._unknown.append(Unknown("processes", reason, BECOME))
        closed = 0
        try:
            nodes = list(self._proc.nodes())
        except OSError as exc:
            self._unknown.append(Unknown("processes", f"{self._places.proc}: {exc.strerror}", BECOME))
            return
        for seen in nodes:
            verdict = self._is_cube(seen)
            closed += verdict is None
            if verdict:
                yield seen
        if closed:
            reason = f"{closed} processes of Node.js may not be looked into: whether they are Cube.js is not known"
            self._unknown.append(Unknown("processes", reason, BECOME))

    def _is_cube(self, seen: processes.Seen) -> bool | None:
        """Return whether a process of Node.js is Cube's; None where that cannot be told."""
        base = seen.main.rpartition("/")[2]
        if base in WRAPPERS or f"{SCOPE}/server" in seen.main or base in COMMANDS:
            return base not in WRAPPERS
        if base == "cubejs" and SERVES.intersection(seen.words):
            return True
        configured = any(name.startswith("CUBEJS_") for name in seen.environ or ())
        tree = self._proc.tree(seen.pid, self._tree)
        try:
            packages = self._installed.packages(tree, seen.main, seen.directory, seen.environ or {})
        except OSError:
            return configured or (None if seen.unreadable else False)
        if not seen.directory and not packages.directory:
            return configured or None
        # A front end has Cube's settings without its server, and other programs lie beside a server in one project.
        return bool(packages.directory) and (configured or self._speaks_of_cube(tree, seen))

    def _speaks_of_cube(self, tree: Tree, seen: processes.Seen) -> bool:
        if is_written_for_cube(tree, script_path(tree, seen.main, seen.directory)):
            return True
        with contextlib.suppress(OSError):
            return "CUBEJS_" in tree.text(f"{seen.directory}/.env")
        return False

    def _starters_of_pm2(self, seen: Sequence[processes.Seen]) -> set[str]:
        """Return the services that may start the pm2 of these processes: in one of which it is, or named after it."""
        holders = {each.holder for each in seen if each.manager == PM2}
        return {*holders, *unit_files.of_pm2(self._tree)} - {""} if holders else set()

    def _starter(self, seen: processes.Seen) -> unit_files.Service | None:
        """Return the service that starts a process's pm2: it is within it, or the service is its user's."""
        if seen.manager != PM2:
            return None
        users = {user_name(seen.uid), *(("",) if seen.uid == 0 else ())}
        named = (each for name, each in self._starters.items() if name.startswith("pm2") and each.one("User") in users)
        return self._starters.get(seen.holder) or next(named, None)

    def _services(self, running: set[str]) -> dict[str, unit_files.Service]:
        if self._places.systemd is None:
            self._unknown.append(Unknown("units", "systemd was not asked", ""))
            return {}
        try:
            return unit_files.find(self._places.systemd, self._tree, running)
        except SystemdError as exc:
            remedy = "Where another service manager runs Cube.js, its units are not looked for; its processes are"
            said = self._readers.redactor.text(str(exc).rpartition(" failed: ")[2])
            self._unknown.append(Unknown("units", f"systemd cannot be asked: {said}", remedy))
            return {}

    def _of_process(
        self, seen: processes.Seen, services: Mapping[str, unit_files.Service], sharing: Mapping[str, int]
    ) -> Found:
        service = services.get(seen.unit) if seen.manager == SYSTEMD else None
        by = (BY_PROCESS, BY_UNIT) if service else (BY_PROCESS,)
        return read_instance(self._readers, _name(seen, sharing), seen, service, by, self._starter(seen))

    def _by_socket(self, found: Sequence[Found], services: Mapping[str, unit_files.Service]) -> Iterator[Found]:
        """Yield Cube's processes that only their sockets give away: what listens on its port, and is none of ours."""
        known = {each.pid for each in found}
        taken = {each.port for one in found for each in one.instance.listeners}
        table = self._readers.table(f"{self._places.proc}/net", "")
        strange = {inode for inode, tcp in table.listening.items() if tcp.port == int(PORT)}
        if not strange or int(PORT) in taken:
            return
        owner = self._owner(strange)
        if owner is None:
            reason = f"something listens on port {PORT}, Cube.js' own, and whose it is may not be seen"
            self._unknown.append(Unknown(f"listeners.{PORT}", reason, BECOME))
            return
        seen = next((each for each in self._proc.nodes() if each.pid == owner), None)
        if seen is None or seen.pid in known:
            return
        service = services.get(seen.unit) if seen.manager == SYSTEMD else None
        candidate = read_instance(self._readers, _name(seen, {seen.unit: 1}), seen, service, (BY_SOCKET,))
        if candidate.instance.packages.directory:
            yield candidate

    def _owner(self, inodes: set[str]) -> int | None:
        for pid in self._proc.pids():
            with contextlib.suppress(OSError):
                if inodes.intersection(sockets.inodes(self._proc.open_descriptors(pid).values())):
                    return pid
        return None


def _name(seen: processes.Seen, sharing: Mapping[str, int]) -> str:
    """Return what an instance is called: its unit, pm2's name for it, or its number.

    sharing: unit -> how many of Cube's processes are in it.
    """
    if seen.manager == PM2:
        environ = seen.environ or {}
        label = environ.get("name") or environ.get("pm_id") or str(seen.pid)
        return f"pm2:{label[:100]}"
    if seen.unit and seen.manager == SYSTEMD:
        return seen.unit if sharing[seen.unit] == 1 else f"{seen.unit}:{seen.pid}"
    return f"process:{seen.pid}"


def _distinct(found: Sequence[Found]) -> Iterator[Found]:
    """Yield what was found, with the process number behind a name that several have."""
    names = Counter(each.instance.name for each in found)
    for each in found:
        name = each.instance.name
        if names[name] > 1:
            renamed: Instance = replace(each.instance, name=f"{name}:{each.pid}")
            yield replace(each, instance=renamed)
        else:
            yield each
