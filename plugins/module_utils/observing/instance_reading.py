# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One instance: what its process, its unit and its files say, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import (
    BY_SOCKET,
    ENVIRONMENT_FILE,
    SYSTEMD,
    Difference,
    Instance,
    Listener,
    Packages,
    Process,
    Project,
    Setting,
    Value,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import layering, processes, sockets, unit_files
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.installed import Installed, script_path
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.layering import Source
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.project_files import Projects, TooMuchError
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor, clean, most_telling
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.sources import Notes, layer_of, read_sources
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree, user_name

MAX_CONNECTIONS = 100
# Options of a project that choose the prefix of its Redis keys, in code.
CHOOSES_PREFIX = frozenset({
    "contextToAppId", "contextToDataSourceId", "contextToOrchestratorId", "orchestratorOptions", "redisPrefix",
})  # fmt: skip


@dataclass(frozen=True)
class Readers:
    """What reads, shared by all instances of a host."""

    proc: processes.Proc
    tree: Tree
    installed: Installed
    projects: Projects
    redactor: Redactor
    booted: float
    tables: dict[str, sockets.Table] = field(default_factory=dict)

    def table(self, net: str, namespace: str) -> sockets.Table:
        """Return the sockets of a network namespace, read once."""
        if namespace not in self.tables:
            self.tables[namespace] = sockets.read(net)
        return self.tables[namespace]


@dataclass(frozen=True)
class Found:
    """An instance, and what only this host may know of it.

    since_boot: tells its process from a later one. same_network: what it connects to is what this host connects to;
    None where that could not be read.
    """

    instance: Instance
    pid: int = 0
    since_boot: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    same_network: bool | None = True


def read_instance(
    readers: Readers,
    name: str,
    seen: processes.Seen | None,
    service: unit_files.Service | None,
    found_by: tuple[str, ...],
    starter: unit_files.Service | None = None,
) -> Found:
    """Return an instance with all that can be read of it; `seen` is None for a unit without a process.

    starter: what starts its pm2 after a boot.
    """
    notes = Notes(readers.redactor)
    tree = readers.proc.tree(seen.pid, readers.tree) if seen else readers.tree
    directory = _directory(seen, service)
    environ = seen.environ if seen else None
    script = _script(seen, service)
    packages = _packages(readers, tree, script, directory, environ, notes)
    started = readers.booted + seen.since_boot if seen else None
    sources = read_sources(readers.tree, tree, service, directory, packages.version, notes)
    found = layering.effective(sources, environ)
    resolved = script_path(tree, script, directory) if script else ""
    program = layering.program(resolved, packages.version, found)
    if program:
        sources.append(program)
        found.update(layering.effective([program], None))
    environment = {key: each.text for key, each in found.items()}
    project = _project(readers, tree, directory, environment, packages, notes)
    listeners, connections = _sockets(readers, tree, seen, notes)
    for file, exc in (seen.unreadable if seen else {}).items():
        notes.add(f"process.{file}", exc)
    by = (*found_by, BY_SOCKET) if listeners and BY_SOCKET not in found_by else found_by
    # Secrets are known to the redactor from here on; what is told in words comes after.
    settings = {clean(key): _setting(readers.redactor, key, found[key]) for key in most_telling(found)}
    if len(settings) < len(found):
        notes.add("settings", ValueError(f"it has {len(found)} variables, of which {len(settings)} are here"))
    layers = tuple(layer_of(readers.redactor, source, started) for source in sources)
    instance = Instance(
        name=clean(name),
        running=seen is not None,
        found_by=by,
        manager=seen.manager if seen else SYSTEMD,
        process=_process(readers, seen, script, started) if seen else None,
        unit=unit_files.describe(service, readers.redactor) if service else None,
        boot_unit=unit_files.describe(starter, readers.redactor) if starter else None,
        packages=packages,
        project=project,
        layers=layers,
        settings=settings,
        differences=_differences(readers.redactor, sources, seen, service, notes),
        listeners=listeners,
        connections=connections,
        prefix=_prefix(packages.version, environment, project),
        unknown=tuple(notes.unknown),
    )
    if seen is None:
        return Found(instance, environment=environment)
    network, own = readers.proc.network(seen.pid)[1], readers.proc.own_network()
    same = None if own and not network else network == own
    return Found(instance, seen.pid, seen.since_boot, environment, same)


def _directory(seen: processes.Seen | None, service: unit_files.Service | None) -> str:
    if seen:
        return seen.directory
    return service.one("WorkingDirectory").lstrip("!-") if service else ""


def _script(seen: processes.Seen | None, service: unit_files.Service | None) -> str:
    if seen:
        return seen.main
    words = service.command if service else ()
    if not words or words[0].rpartition("/")[2] not in processes.NODE_PROGRAMS:
        return words[0] if words else ""
    found = processes.script_of(words)
    if not found.startswith("$"):
        return found
    # A command that stands in a variable, as in the units of this collection.
    variables: dict[str, str] = {}
    for each in unit_files.environment_of(service).values() if service else ():
        variables.update(each)
    return variables.get(found.strip("${}"), "").partition(" ")[0]


def _packages(
    readers: Readers, tree: Tree, script: str, directory: str, environ: Mapping[str, str] | None, notes: Notes
) -> Packages:
    try:
        found = readers.installed.packages(tree, script, directory, environ or {})
    except OSError as exc:
        notes.add("packages", exc)
        return Packages()
    if not found.version:
        where = found.directory or "script and directory"
        notes.add("packages.version", ValueError(f"no package.json of Cube's server with a version in {where}"))
    return found


def _project(
    readers: Readers, tree: Tree, directory: str, environment: Mapping[str, str], packages: Packages, notes: Notes
) -> Project | None:
    if not directory:
        return None
    try:
        return readers.projects.read(tree, directory, environment.get("CUBEJS_SCHEMA_PATH"), packages.version)
    except (OSError, TooMuchError) as exc:
        notes.add("project", exc)
        return None


def _sockets(
    readers: Readers, tree: Tree, seen: processes.Seen | None, notes: Notes
) -> tuple[tuple[Listener, ...], dict[str, int]]:
    if seen is None:
        return (), {}
    try:
        own = sockets.inodes(readers.proc.open_descriptors(seen.pid).values())
    except OSError as exc:
        notes.add("listeners", exc)
        return (), {}
    table = readers.table(*readers.proc.network(seen.pid))
    listening = [table.listening[inode] for inode in own if inode in table.listening]
    found = [Listener("tcp", each.address, each.port) for each in listening]
    found += [_unix(tree, table.unix[inode], notes) for inode in own if inode in table.unix]
    ports = {each.port for each in listening}
    connections: dict[str, int] = {}
    for inode in own:
        each = table.connected.get(inode)
        # What came in through a port of its own is a client of the instance.
        if each and each.port not in ports:
            key = f"[{each.remote}]:{each.remote_port}" if ":" in each.remote else f"{each.remote}:{each.remote_port}"
            connections[key] = connections.get(key, 0) + 1
    return tuple(found), dict(sorted(connections.items())[:MAX_CONNECTIONS])


def _unix(tree: Tree, path: str, notes: Notes) -> Listener:
    try:
        facts = tree.facts(path)
    except OSError as exc:
        notes.add("listeners.facts", OSError(exc.errno, exc.strerror, path))
        return Listener("unix", path=clean(path))
    return Listener("unix", path=clean(path), mode=facts.mode, owner=facts.owner, group=facts.group)


def _setting(redactor: Redactor, name: str, effective: layering.Effective) -> Setting:
    return Setting(redactor.value(name, effective.text), effective.kind, clean(effective.path))


def _differences(
    redactor: Redactor,
    sources: list[Source],
    seen: processes.Seen | None,
    service: unit_files.Service | None,
    notes: Notes,
) -> tuple[Difference, ...]:
    if seen is None or seen.environ is None or service is None:
        return ()
    direct = bool(service.command) and service.command[0].rpartition("/")[2] in processes.NODE_PROGRAMS
    read = not any(each.what in (ENVIRONMENT_FILE, "unit.file") for each in notes.unknown)
    found = layering.contradictions(sources, seen.environ, all_known=direct and read)

    def value(name: str, text: str | None) -> Value | None:
        return None if text is None else redactor.value(name, text)

    told = set(most_telling(each.name for each in found))
    return tuple(
        Difference(
            clean(each.name), clean(each.path), value(each.name, each.on_disk), value(each.name, each.in_process)
        )
        for each in found
        if each.name in told
    )


def _process(readers: Readers, seen: processes.Seen, script: str, started: float | None) -> Process:
    restarts = (seen.environ or {}).get("restart_time", "")
    soft, hard = seen.open_files
    return Process(
        pid=seen.pid,
        parent=seen.parent,
        user=user_name(seen.uid),
        uid=seen.uid,
        command=readers.redactor.command(seen.words),
        script=readers.redactor.text(script),
        directory=clean(seen.directory),
        executable=clean(seen.executable),
        started_at=started,
        node_version=readers.proc.node_version(seen.pid, readers.installed),
        open_files_soft=soft,
        open_files_hard=hard,
        open_files=readers.proc.open_files(seen.pid),
        memory_bytes=seen.memory_bytes,
        capabilities=seen.flag("CapEff"),
        no_new_privileges=seen.flag("NoNewPrivs"),
        system_calls_filtered=seen.flag("Seccomp"),
        pm2_restarts=int(restarts) if restarts.isdecimal() else None,
        state=seen.status.get("State", "")[:1],
    )


def _prefix(version: str, environment: Mapping[str, str], project: Project | None) -> str | None:
    if not version or project is None or CHOOSES_PREFIX.intersection(project.mentions):
        return None
    return versions.redis_prefix(version, environment.get("CUBEJS_APP"))
