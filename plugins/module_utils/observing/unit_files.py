# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Services of systemd that run Cube.js, or would: what systemd says of them, and which of their files says what."""

from __future__ import annotations

import contextlib
import fnmatch
import os.path
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Unit
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Systemd
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd_words import assignments

DIRECTORIES = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
MAX_UNIT_BYTES = 256 * 1024
HARDENING = (
    "CapabilityBoundingSet", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices", "PrivateTmp",
    "PrivateUsers", "ProtectControlGroups", "ProtectHome", "ProtectKernelModules", "ProtectKernelTunables",
    "ProtectProc", "ProtectSystem", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictSUIDSGID", "UMask",
)  # fmt: skip
PROPERTIES = (
    "LoadState", "Type", "ActiveState", "SubState", "UnitFileState", "Result", "NeedDaemonReload", "FragmentPath",
    "DropInPaths", "MainPID", "ExecStart", "User", "Group", "DynamicUser", "WorkingDirectory", "Restart",
    "RestartUSec", "StartLimitIntervalUSec", "StartLimitBurst", "NRestarts", "TimeoutStopUSec", "LimitNOFILE",
    "MemoryMax", "Environment", "EnvironmentFiles", "UnsetEnvironment", *HARDENING,
)  # fmt: skip
# What can be the program of a service that runs Cube; a Redis of ours has "cubejs" in its name, too.
PROGRAMS = frozenset({
    "node", "nodejs", "npm", "npx", "yarn", "env", "sh", "bash", "dash", "cubejs", "cubejs-server",
    "cubejs-dev-server", "pm2-runtime",
})  # fmt: skip
NODE_PROGRAMS = frozenset({"node", "nodejs"})
STARTED = ("active", "activating", "reloading", "deactivating")

_ARGUMENTS = re.compile(r"argv\[\]=(.*?) ; ignore_errors=")
_PM2 = re.compile(r"pm2[^@/]*\.service")
_CUBE = re.compile(r"cubejs", re.IGNORECASE)
_FILE = re.compile(r"(.*?)(?: \(ignore_errors=(?:yes|no)\))?")
_TIME = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h|day|days|d|w|week|weeks|month|months|y|year|years)?")
_SECONDS = {
    "us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400, "day": 86400, "days": 86400, "w": 604800,
    "week": 604800, "weeks": 604800, "month": 2629800, "months": 2629800, "y": 31557600, "year": 31557600,
    "years": 31557600,
}  # fmt: skip


@dataclass(frozen=True)
class Service:
    """A service with systemd's properties. assigned: file -> the variables for which its Environment= has the word."""

    name: str
    properties: Mapping[str, Sequence[str]] = field(repr=False)
    assigned: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    unreadable: Mapping[str, OSError] = field(default_factory=dict)
    credentials: tuple[str, ...] = ()

    def one(self, name: str) -> str:
        """Return a property's value; "" where systemd did not tell it."""
        found = self.properties.get(name) or [""]
        return found[0]

    @property
    def main_pid(self) -> int:
        """Return its process; 0 for none."""
        text = self.one("MainPID")
        return int(text) if text.isdecimal() else 0

    @property
    def started(self) -> bool:
        """Return whether it runs, or is about to."""
        return self.one("ActiveState") in STARTED

    @property
    def command(self) -> tuple[str, ...]:
        """Return the words of ExecStart=, as far as systemd tells them apart."""
        found = _ARGUMENTS.search(self.one("ExecStart"))
        return tuple(found[1].split()) if found else ()

    @property
    def files(self) -> tuple[str, ...]:
        """Return its unit file and the drop-ins, the later winning."""
        return tuple(path for path in (self.one("FragmentPath"), *self.one("DropInPaths").split()) if path)

    @property
    def environment_files(self) -> tuple[str, ...]:
        """Return the paths of EnvironmentFile=, in order; they may be patterns."""
        matches = (_FILE.fullmatch(text) for text in self.properties.get("EnvironmentFiles", ()) if text)
        return tuple(match[1] for match in matches if match)


def find(systemd: Systemd, tree: Tree, running: Collection[str]) -> dict[str, Service]:
    """Return name -> service for every service that runs Cube or would. running: units of processes that do.

    One call to systemd, for all units in its memory and those that only files know. Raises SystemdError.
    """
    found = {}
    for properties in systemd.services(PROPERTIES, sorted({*running, *_on_disk(tree)})):
        name = properties["Id"][0]
        if properties.get("LoadState", [""])[0] not in ("loaded", "bad-setting", "error"):
            continue
        service = Service(name, properties)
        if name in running or _would_run_cube(service, tree):
            found[name] = _with_files(service, tree)
    return found


def of_pm2(tree: Tree) -> set[str]:
    """Return the services that start a pm2, by the names that `pm2 startup` gives them."""
    found: set[str] = set()
    for folder in DIRECTORIES:
        with contextlib.suppress(OSError):
            found.update(name for name in tree.names(folder) if _PM2.fullmatch(name))
    return found


def _on_disk(tree: Tree) -> set[str]:
    """Return the services whose files speak of Cube, whether systemd has loaded them or not."""
    found = set()
    for folder in DIRECTORIES:
        names: list[str] = []
        with contextlib.suppress(OSError):
            names = tree.names(folder)
        for name in names:
            # A template is no service; its instances are known by their links and drop-ins.
            unit = name[:-2] if name.endswith(".service.d") else name
            if not unit.endswith(".service") or "@." in unit:
                continue
            with contextlib.suppress(OSError):
                if _CUBE.search(unit) or (unit == name and _CUBE.search(tree.text(f"{folder}/{name}", MAX_UNIT_BYTES))):
                    found.add(unit)
    return found


def _would_run_cube(service: Service, tree: Tree) -> bool:
    words = service.command
    program = words[0].rpartition("/")[2] if words else ""
    # A script that runs once, such as a backup of Cube's files, serves nothing.
    if program not in PROGRAMS or service.one("Type") == "oneshot":
        return False
    if any(_CUBE.search(text) for text in (*words, service.one("Environment"), *service.environment_files)):
        return True
    directory = service.one("WorkingDirectory").lstrip("!-")
    return program in NODE_PROGRAMS and bool(directory) and tree.exists(f"{directory}/node_modules/@cubejs-backend")


def _with_files(service: Service, tree: Tree) -> Service:
    assigned: dict[str, Mapping[str, str]] = {}
    unreadable: dict[str, OSError] = {}
    credentials: list[str] = []
    for path in service.files:
        try:
            text = tree.text(path, MAX_UNIT_BYTES)
        except OSError as exc:
            unreadable[path] = exc
            continue
        assigned[path] = _assigned(text)
        credentials += [value.partition(":")[0] for value in _values(text, ("LoadCredential", "SetCredential"))]
    return Service(service.name, service.properties, assigned, unreadable, tuple(sorted(set(credentials))))


def _assigned(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in _values(text, ("Environment",)):
        found = {**found, **assignments(value)} if value else {}
    return found


def _values(text: str, keys: tuple[str, ...]) -> list[str]:
    lines = re.sub(r"\\\r?\n[ \t]*", " ", text).splitlines()
    pairs = (line.partition("=") for line in lines if line[:1] not in "#;")
    return [value.strip() for key, assigned, value in pairs if assigned and key.strip() in keys]


def environment_of(service: Service) -> dict[str, dict[str, str]]:
    """Return unit file or drop-in -> the variables that it decides, with the values that systemd has for them.

    Systemd's are taken, not the files': specifiers are resolved in them. A variable that no file assigns (one could
    not be read) is the unit file's.
    """
    found: dict[str, dict[str, str]] = {path: {} for path in service.files}
    for name, value in assignments(service.one("Environment")).items():
        owners = [path for path in service.files if name in service.assigned.get(path, ())]
        path = owners[-1] if owners else service.one("FragmentPath")
        found.setdefault(path, {})[name] = value
    return found


def expand(tree: Tree, paths: Iterable[str]) -> list[str]:
    """Return paths with patterns replaced by the files that match them."""
    found: list[str] = []
    for path in paths:
        folder, pattern = os.path.split(path)
        if not re.search(r"[*?[]", pattern):
            found.append(path)
            continue
        with contextlib.suppress(OSError):
            found += [f"{folder}/{name}" for name in tree.names(folder) if fnmatch.fnmatchcase(name, pattern)]
    return found


def describe(service: Service, redactor: Redactor) -> Unit:
    """Return what is told of a service."""
    one = service.one
    return Unit(
        name=service.name,
        path=one("FragmentPath"),
        drop_ins=tuple(one("DropInPaths").split()),
        state=one("ActiveState"),
        sub_state=one("SubState"),
        enabled=one("UnitFileState"),
        result=one("Result"),
        stale=one("NeedDaemonReload") == "yes",
        command=redactor.command(service.command),
        user=one("User"),
        group=one("Group"),
        dynamic_user=one("DynamicUser") == "yes",
        working_directory=one("WorkingDirectory"),
        restart=one("Restart"),
        restart_seconds=seconds(one("RestartUSec")),
        start_limit_interval_seconds=seconds(one("StartLimitIntervalUSec")),
        start_limit_burst=number(one("StartLimitBurst")),
        restarts=number(one("NRestarts")),
        timeout_stop_seconds=seconds(one("TimeoutStopUSec")),
        open_files=number(one("LimitNOFILE")),
        memory_max_bytes=number(one("MemoryMax")),
        environment_files=service.environment_files,
        credentials=service.credentials,
        hardening={name: redactor.text(one(name)) for name in HARDENING if name in service.properties},
    )


def seconds(text: str) -> float | None:
    """Return a time span as systemd tells it ("1min 30s"); None for infinity, or what is none."""
    parts = [_TIME.fullmatch(part) for part in text.split()]
    if not parts or None in parts:
        return None
    return float(sum(float(part[1]) * _SECONDS[part[2] or "us"] for part in parts if part))


def number(text: str) -> int | None:
    """Return a number as systemd tells it; None for infinity, or one that is not set."""
    return int(text) if text.isdecimal() and int(text) != 2**64 - 1 else None
