# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fleet: everything that an inventory describes or that was found running. Plain data, no values of secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Callable, Optional, TypeVar

from ansible_collections.cubeops.cubejs.plugins.module_utils import names, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Problem
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Instance as SeenInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Observation

API = "api"
REFRESH_WORKER = "refresh_worker"
SOCKET = "socket"
TCP = "tcp"
REDIS = "redis"
MYSQL = "mysql"

Member = TypeVar("Member")


@dataclass(frozen=True)
class Secret:
    """What may be known of a secret: where it stands and what is wrong with it, never its value.

    reference: `<tenant>/<purpose>/<rotation>`.
    subject: the variable that gives it.
    given: it stands in the inventory; otherwise it is derived.
    ours: this collection sets it on the server too, so that a weak one can be replaced at will.
    fingerprint: keyed digest, equal for equal values within one run.
    problems: why it is weak; empty when it is not. carried: an environment file can carry it.
    """

    purpose: str
    reference: str
    subject: str
    given: bool
    ours: bool
    fingerprint: str
    problems: tuple[str, ...] = ()
    carried: bool = True


@dataclass(frozen=True)
class RedisLink:
    """How a tenant's processes reach Redis.

    server: the inventory host whose Redis instance it is; "" for an external one.
    host: an external server's; "" for our own, whose address depends on where the process is.
    pool_max: 0 is a connection on demand.
    maxclients: what the inventory asks for, or says of an external server; None is derived, or not known.
    shared: the tenant has an index of an instance that tenants share, in place of an instance of its own.
    by_url: the inventory gives a URL, which is passed on as it is.
    sentinel: Sentinel says which of `server` and `replicas` is the primary; it is asked on the hosts `sentinels`.
    problems: why the client cannot use the URL, or cannot carry a password in it.
    """

    server: str
    host: str
    port: int
    index: int
    tls: bool
    client: str
    pool_min: int
    pool_max: int
    maxclients: int | None
    by_url: bool = False
    problems: tuple[Problem, ...] = ()
    shared: bool = False
    sentinel: bool = False
    replicas: tuple[str, ...] = ()
    sentinels: tuple[str, ...] = ()


@dataclass(frozen=True)
class StorageLink:
    """How a tenant's processes reach the pre-aggregation storage; server as in RedisLink.

    max_age_seconds: how old the newest pre-aggregation may be; None where nobody says.
    max_connections: what the inventory says of an external server; None is not known.
    """

    server: str
    host: str
    port: int
    schema: str
    user: str
    tls: bool
    max_age_seconds: Optional[int] = None
    max_connections: int | None = None


@dataclass(frozen=True)
class DatabaseLink:
    """The source database of a tenant."""

    type: str
    host: str
    port: int | None
    name: str
    user: str
    tls: bool
    pool_max: int


@dataclass(frozen=True)
class Tenant:
    """One Cube.js deployment as the inventory describes it.

    subject: the path of its definition.
    versions: the versions of Cube that its hosts ask for, as they are written; one, unless hosts disagree.
    version_subject: the variable that says so.
    hosts: the names of hosts or groups to which it is bound; none is all.
    api_hosts, worker_host: where its processes live; worker_host is "" without a refresh worker.
    proxy_hosts: whose Nginx serves it.
    redis, storage: None where the tenant does without.
    missing: the variables of endpoints that nothing gives.
    suspended: its processes are to rest, and its proxy says so. wave: lower ones are brought up to date first.
    """

    name: str
    subject: str
    number: int | None
    versions: tuple[str, ...]
    version_subject: str
    server_name: str
    hosts: tuple[str, ...]
    api_hosts: tuple[str, ...]
    worker_host: str
    proxy_hosts: tuple[str, ...]
    api_instances: int
    refresh_worker: bool
    max_in_flight: int
    orchestrators: int
    cache_and_queue_driver: str
    listen: str
    redis: RedisLink | None
    storage: StorageLink | None
    database: DatabaseLink
    secrets: tuple[Secret, ...] = ()
    environment: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    suspended: bool = False
    wave: int = 1

    @cached_property
    def version(self) -> str:
        """Return the version that is deployed; the default's where the one written cannot be, which a rule says."""
        return next((version for version in self.versions if versions.problem(version) is None), versions.DEFAULT)

    @property
    def processes(self) -> int:
        """Return how many Cube.js processes the tenant has in all."""
        return len(self.api_hosts) * self.api_instances + (1 if self.worker_host else 0)


@dataclass(frozen=True)
class Instance:
    """One Cube.js process. memory_bytes and heap_mb are None where the host's memory is not known."""

    tenant: str
    kind: str
    name: str
    host: str
    unit: str
    listen: str
    socket: str | None
    port: int | None
    memory_bytes: int | None = None
    heap_mb: int | None = None
    restart_seconds: int = 5
    stop_seconds: int = 10


@dataclass(frozen=True)
class RedisServer:
    """One Redis instance of ours.

    tenant: whose own it is; "" where tenants share it. need: how many connections its clients may open. tenants: all
    that use it. maxmemory_bytes: None where the host's memory is not known. primary: the host of the first primary of a
    replicated one, its own host included; "" where it is not replicated.
    """

    tenant: str
    name: str
    host: str
    port: int
    bind: tuple[str, ...]
    tls: bool
    maxclients: int
    need: int
    tenants: tuple[str, ...] = ()
    maxmemory_bytes: int | None = None
    primary: str = ""


@dataclass(frozen=True)
class Endpoint:
    """A Redis or MySQL server that is not ours, and who uses it.

    kind: redis or mysql. need: how many connections its clients may open. allowed: how many it lets in, None where the
    inventory does not say. subject: the variable that says so.
    """

    kind: str
    host: str
    port: int
    tenants: tuple[str, ...]
    need: int
    allowed: int | None
    subject: str


@dataclass(frozen=True)
class Store:
    """One MySQL server with pre-aggregations; version None where it is not known, need as in RedisServer."""

    host: str
    port: int
    distribution: str
    version: str | None
    bind: tuple[str, ...]
    max_connections: int
    need: int
    tenants: tuple[str, ...]


@dataclass(frozen=True)
class Proxy:
    """One Nginx, the tenants that it serves, and the ports on which it does."""

    host: str
    tenants: tuple[str, ...]
    ports: tuple[int, ...] = (80, 443)


@dataclass(frozen=True)
class LiveInstance:
    """One Cube.js process as it was seen, and whose it is.

    tenant: the name of its deployment, planned or made up for what nobody planned. kind: what it is meant to be.
    planned: None where the inventory does not know it.
    """

    tenant: str
    kind: str
    host: str
    seen: SeenInstance
    planned: Optional[Instance] = None

    @property
    def name(self) -> str:
        """Return the name by which findings call it: its unit's, or of what else started it."""
        return self.seen.name

    @property
    def version(self) -> str:
        """Return the version of Cube that is installed; "" where it could not be read."""
        return self.seen.packages.version


@dataclass(frozen=True)
class Live:
    """What was seen of the fleet.

    observations: host -> what was read there. missing: host -> why it was not looked at. absent: planned instances that
    are not there, on hosts that were looked at. resting: those of suspended tenants that do not run there, as they
    should not. same_machines: host -> the host under whose name what was seen on this very machine is told.
    declared_age_seconds: tenant -> how old its newest pre-aggregation may be, where that is declared.
    """

    observations: Mapping[str, Observation] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    instances: tuple[LiveInstance, ...] = ()
    absent: tuple[Instance, ...] = ()
    resting: tuple[Instance, ...] = ()
    same_machines: Mapping[str, str] = field(default_factory=dict)
    declared_age_seconds: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def tenants(self) -> tuple[str, ...]:
        """Return the names of the deployments that were seen."""
        return tuple(sorted({instance.tenant for instance in self.instances}))

    @cached_property
    def at_rest(self) -> frozenset[str]:
        """Return the suspended tenants none of whose processes was seen: nobody is there to be judged."""
        return frozenset(instance.tenant for instance in self.resting).difference(self.tenants)

    def instances_of(self, tenant: str) -> tuple[LiveInstance, ...]:
        """Return the processes of a deployment."""
        return self._by_tenant.get(tenant, ())

    def once(self, work: Callable[..., Member], *more: Any) -> Member:
        """Return what a function makes of it, worked out once for all rules that ask for the same.

        more: what the function takes besides, the same for all of them: the fleet.
        """
        if work not in self._worked_out:
            self._worked_out[work] = work(self, *more)
        found: Member = self._worked_out[work]
        return found

    @cached_property
    def _worked_out(self) -> dict[Callable[..., Any], Any]:
        return {}

    @cached_property
    def _by_tenant(self) -> dict[str, tuple[LiveInstance, ...]]:
        return _grouped(self.instances, lambda instance: instance.tenant)


@dataclass(frozen=True)
class Fleet:
    """All of it.

    sentinels: the hosts with one. names: of all hosts and groups, to which a tenant may be bound. addresses: host ->
    where others reach it.
    cube_memory_bytes: host -> what its Cube.js processes have together, where that is known; redis_memory_bytes and
    mysql_memory_bytes: its Redis instances, MySQL; memory_bytes: what the inventory says that the host has in all.
    retired_numbers: of tenants that are gone. unguarded: hosts on which the firewall is turned off.
    firewall_clients: host -> whom it lets in besides those that the plan knows, by service.
    live: None where no host was looked at.
    """

    tenants: tuple[Tenant, ...] = ()
    instances: tuple[Instance, ...] = ()
    redis_servers: tuple[RedisServer, ...] = ()
    stores: tuple[Store, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    sentinels: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    names: frozenset[str] = frozenset()
    addresses: Mapping[str, str] = field(default_factory=dict)
    cube_memory_bytes: Mapping[str, int] = field(default_factory=dict)
    redis_memory_bytes: Mapping[str, int] = field(default_factory=dict)
    mysql_memory_bytes: Mapping[str, int] = field(default_factory=dict)
    memory_bytes: Mapping[str, int] = field(default_factory=dict)
    retired_numbers: frozenset[int] = frozenset()
    unguarded: frozenset[str] = frozenset()
    firewall_clients: Mapping[str, Mapping[str, Optional[Sequence[str]]]] = field(default_factory=dict)
    live: Optional[Live] = None

    @cached_property
    def next_number(self) -> int | None:
        """Return the number for a new tenant; None where all are used up."""
        return names.next_number({*self.retired_numbers, *(tenant.number or 0 for tenant in self.tenants)})

    def tenant(self, name: str) -> Tenant | None:
        """Return the planned tenant of that name."""
        return self._tenants.get(name)

    def instances_of(self, tenant: str) -> tuple[Instance, ...]:
        """Return the processes of a tenant."""
        return self._by_tenant.get(tenant, ())

    def instances_on(self, host: str) -> tuple[Instance, ...]:
        """Return the processes on a host."""
        return self._by_host.get(host, ())

    @cached_property
    def _by_tenant(self) -> dict[str, tuple[Instance, ...]]:
        return _grouped(self.instances, lambda instance: instance.tenant)

    @cached_property
    def _tenants(self) -> dict[str, Tenant]:
        return {tenant.name: tenant for tenant in self.tenants}

    @cached_property
    def _by_host(self) -> dict[str, tuple[Instance, ...]]:
        return _grouped(self.instances, lambda instance: instance.host)


def _grouped(instances: Iterable[Member], key: Callable[[Member], str]) -> dict[str, tuple[Member, ...]]:
    found: dict[str, list[Member]] = {}
    for instance in instances:
        found.setdefault(key(instance), []).append(instance)
    return {name: tuple(members) for name, members in found.items()}
