# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was seen on one host, whoever deployed it: plain data, no values of secrets.

What could not be read stands in `unknown` with the reason, and is never taken for fine. Sizes are bytes; times are
seconds, points in time since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import plain_data
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import (
    FirewallSeen,
    HttpSeen,
    Journal,
    MysqlSeen,
    ProxySeen,
    Reach,
    RedisSeen,
    Unknown,
    WebServer,
)

FORMAT = 1

SYSTEMD = "systemd"
USER_SYSTEMD = "systemd-user"
PM2 = "pm2"
CONTAINER = "container"

BY_UNIT = "unit"
BY_PROCESS = "process"
BY_SOCKET = "socket"

# Where a variable can come from, the later winning; what is none of them was set by whoever started the process.
UNIT = "unit"
DROP_IN = "drop_in"
ENVIRONMENT_FILE = "environment_file"
DOTENV = "dotenv"
PROGRAM = "program"
PROCESS = "process"


class ObservationError(ValueError):
    """Data that is no observation of this format; the message says where and what."""


@dataclass(frozen=True)
class Value:
    """A variable's value, or of a secret (value None) its keyed fingerprint and why it is weak."""

    OMITS_DEFAULTS: ClassVar[bool] = True

    value: Optional[str] = None
    fingerprint: str = ""
    problems: tuple[str, ...] = ()

    @property
    def secret(self) -> bool:
        """Return whether the value was kept on the host."""
        return self.value is None

    @property
    def given(self) -> bool:
        """Return whether there is any text in it; of a secret, too."""
        return bool(self.value) if self.value is not None else "it is empty" not in self.problems


@dataclass(frozen=True)
class Layer:
    """A file, or the program itself, that sets variables. changed_after_start: the process may have read another."""

    kind: str
    path: str
    values: Mapping[str, Value] = field(default_factory=dict)
    mode: str = ""
    owner: str = ""
    group: str = ""
    changed_after_start: Optional[bool] = None


@dataclass(frozen=True)
class Setting:
    """What a process goes by for one variable, and where it comes from. path: of the layer's file, "" without one."""

    OMITS_DEFAULTS: ClassVar[bool] = True

    value: Value
    layer: str
    path: str = ""


@dataclass(frozen=True)
class Difference:
    """A variable that stands otherwise on disk than the process has it; None is not there at all."""

    name: str
    path: str
    on_disk: Optional[Value]
    in_process: Optional[Value]


@dataclass(frozen=True)
class Process:
    """One process. command: its words, secrets masked. node_version: "" where it could not be found.

    state: the kernel's letter for it (S sleeps, T is stopped); "" where it could not be read.
    """

    pid: int
    parent: int
    user: str
    uid: int
    command: tuple[str, ...]
    script: str
    directory: str
    executable: str
    started_at: Optional[float] = None
    node_version: str = ""
    open_files_soft: Optional[int] = None
    open_files_hard: Optional[int] = None
    open_files: Optional[int] = None
    memory_bytes: Optional[int] = None
    capabilities: Optional[bool] = None
    no_new_privileges: Optional[bool] = None
    system_calls_filtered: Optional[bool] = None
    pm2_restarts: Optional[int] = None
    state: str = ""


@dataclass(frozen=True)
class Unit:
    """A unit of systemd. hardening: property -> value of those that confine it; None of a number is infinity.

    exists: systemd has loaded it. stale: its files changed since. start_limit_burst 0 or start_limit_interval 0:
    systemd starts it again for ever.
    """

    name: str
    path: str = ""
    drop_ins: tuple[str, ...] = ()
    state: str = ""
    sub_state: str = ""
    enabled: str = ""
    result: str = ""
    stale: bool = False
    command: tuple[str, ...] = ()
    user: str = ""
    group: str = ""
    dynamic_user: bool = False
    working_directory: str = ""
    restart: str = ""
    restart_seconds: Optional[float] = None
    start_limit_interval_seconds: Optional[float] = None
    start_limit_burst: Optional[int] = None
    restarts: Optional[int] = None
    timeout_stop_seconds: Optional[float] = None
    open_files: Optional[int] = None
    memory_max_bytes: Optional[int] = None
    environment_files: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    hardening: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Packages:
    """The installed packages. directory: the node_modules that the process uses; version: of @cubejs-backend/server.

    versions: of every @cubejs-backend package. engines: Node versions that the server accepts. missing: packages that
    the project's package.json asks for and that are not installed; in_development: Cube's that stand in its
    devDependencies. lockfiles: beside it, or beside the packages.
    """

    directory: str = ""
    version: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    engines: str = ""
    antlr4: str = ""
    lockfiles: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    in_development: tuple[str, ...] = ()


@dataclass(frozen=True)
class Project:
    """The project in a process's working directory.

    configuration: the file that Cube reads (cube.js, cube.ts, or an index.js). mentions: which options of it occur,
    outside of comments: what they are set to is code, and not read. schema_digest: over the schema's files.
    pre_aggregations, external, scheduled_refresh: how often the schema has these words. driver_by_context: whether
    driverFactory looks at who asks; None where its text does not tell.
    """

    directory: str
    configuration: str = ""
    mentions: tuple[str, ...] = ()
    schema_directory: str = ""
    schema_digest: str = ""
    schema_files: int = 0
    pre_aggregations: int = 0
    external: int = 0
    scheduled_refresh: int = 0
    driver_by_context: Optional[bool] = False


@dataclass(frozen=True)
class Listener:
    """Where a process listens: kind tcp with address and port, or unix with the socket file's mode and owner."""

    kind: str
    address: str = ""
    port: int = 0
    path: str = ""
    mode: str = ""
    owner: str = ""
    group: str = ""


@dataclass(frozen=True)
class Instance:
    """One Cube.js process, or a unit that would run one.

    name: the unit, or what else started it, unique on the host. found_by: unit, process, socket. manager: what starts
    it again. connections: remote address and port -> established connections. redis, storage, source: keys of the
    observation's `redis` and `mysql`, "" where the instance uses none. prefix: what its Redis keys begin with by its
    version and settings, None where the project decides. boot_unit: what starts the pm2 that keeps it, after a boot.
    """

    name: str
    running: bool
    found_by: tuple[str, ...]
    manager: str
    process: Optional[Process] = None
    unit: Optional[Unit] = None
    boot_unit: Optional[Unit] = None
    packages: Packages = field(default_factory=Packages)
    project: Optional[Project] = None
    layers: tuple[Layer, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    listeners: tuple[Listener, ...] = ()
    connections: Mapping[str, int] = field(default_factory=dict)
    redis: str = ""
    storage: str = ""
    source: str = ""
    prefix: Optional[str] = None
    http: Optional[HttpSeen] = None
    journal: Optional[Journal] = None
    unknown: tuple[Unknown, ...] = ()

    def value(self, name: str) -> Optional[str]:
        """Return a variable's text; None where it is not set, or secret."""
        setting = self.settings.get(name)
        return setting.value.value if setting else None

    def layer_of(self, name: str) -> Optional[Layer]:
        """Return the file, with its mode and owner, from which a variable's effective value comes."""
        setting = self.settings.get(name)
        if setting is None:
            return None
        found = (each for each in self.layers if (each.kind, each.path) == (setting.layer, setting.path))
        return next(found, None)


@dataclass(frozen=True)
class Observation:
    """One host, read once.

    machine: keyed fingerprint of the machine's id. addresses: all of its own, but loopback. listening: everything that
    listens on TCP there, whatever program it is. firewall: None where it could not be asked for.
    """

    format: int
    host: str
    machine: str
    taken_at: float
    privileged: bool
    addresses: tuple[str, ...] = ()
    memory_bytes: Optional[int] = None
    cpus: Optional[int] = None
    container: bool = False
    listening: tuple[Listener, ...] = ()
    instances: tuple[Instance, ...] = ()
    redis: Mapping[str, RedisSeen] = field(default_factory=dict)
    mysql: Mapping[str, MysqlSeen] = field(default_factory=dict)
    web_servers: tuple[WebServer, ...] = ()
    proxies: tuple[ProxySeen, ...] = ()
    reach: tuple[Reach, ...] = ()
    firewall: Optional[FirewallSeen] = None
    unknown: tuple[Unknown, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the observation as plain data."""
        data: dict[str, Any] = plain_data.encode(self)
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Observation:
        """Return the observation in plain data; raise ObservationError, all problems at once."""
        found = data.get("format") if isinstance(data, dict) else None
        if found != FORMAT:
            told = "it has no format" if found is None else f"its format is {str(found)[:20]!r}"
            raise ObservationError(
                f"This is no observation that can be read: {told}, and {FORMAT} is the one known here. Take it with "
                "instance_info of this very version of the collection"
            )
        try:
            return plain_data.decode(cls, data, "observation")
        except plain_data.PlainDataError as exc:
            raise ObservationError(f"This is no observation: {exc}") from exc
