# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Role variables of the servers around Cube.js: Redis instances, MySQL schemas and users, Nginx servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable, cast

from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory as inventories
from ansible_collections.cubeops.cubejs.plugins.module_utils import memory, names, pools, secrets, tenants
from ansible_collections.cubeops.cubejs.plugins.module_utils.deployments import products
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import (
    API,
    TCP,
    Fleet,
    Instance,
    Proxy,
    RedisLink,
    RedisServer,
    StorageLink,
    Store,
    Tenant,
)

# What Cube does in a schema of its own: builds, index and all, and drops. It never alters a table.
PRIVILEGES = ("SELECT", "INSERT", "CREATE", "DROP", "INDEX")
DATABASES = 16
# One for each number that a tenant can have: their count cannot be changed while Redis runs.
SHARED_DATABASES = names.NUMBERS[-1] + 1


@dataclass(frozen=True)
class Servers:
    """Derives servers from tenants. definitions: name -> the tenant's checked definition."""

    inventory: inventories.Inventory
    definitions: Mapping[str, Mapping[str, Any]]
    ca_directory: str

    def redis(self, all_tenants: Sequence[Tenant]) -> Iterator[RedisServer]:
        """Yield the Redis instances: tenants' own, then those that tenants share."""
        together: dict[str, list[Tenant]] = {}
        for tenant in all_tenants:
            link = tenant.redis
            if link is None or not link.server or tenant.number is None:
                continue
            if link.shared:
                together.setdefault(link.server, []).append(tenant)
            else:
                given: Mapping[str, Any] = self.definitions[tenant.name].get("redis") or {}
                for host in (link.server, *link.replicas):
                    maxmemory = self._maxmemory(host, given, memory.redis_maxmemory)
                    server = self._redis(link, [tenant], tenant.name, link.maxclients, maxmemory)
                    yield self._member(server, host) if link.sentinel else server
        for host, sharing in together.items():
            settings = tenants.shared_redis(self.inventory, host)
            link = cast(RedisLink, sharing[0].redis)
            maxmemory = self._maxmemory(host, settings, memory.shared_redis_maxmemory)
            yield self._redis(link, sharing, "", settings.get("maxclients"), maxmemory)

    def _redis(
        self, link: RedisLink, sharing: Sequence[Tenant], owner: str, maxclients: int | None, maxmemory: int | None
    ) -> RedisServer:
        need = sum(redis_need(tenant) for tenant in sharing)
        return RedisServer(
            tenant=owner,
            name=owner or names.SHARED_REDIS,
            host=link.server,
            port=link.port,
            bind=self.inventory.binds(link.server, (host for tenant in sharing for host in _clients(tenant))),
            tls=link.tls,
            maxclients=maxclients or pools.maxclients(need),
            need=need,
            tenants=tuple(tenant.name for tenant in sharing),
            maxmemory_bytes=maxmemory,
        )

    def _member(self, server: RedisServer, host: str) -> RedisServer:
        """Return the same instance as a member of a replicated Redis on a host."""
        return replace(server, host=host, bind=self.inventory.first_bound(host), primary=server.host)

    def _maxmemory(self, host: str, given: Mapping[str, Any], derive: Callable[[int], int]) -> int | None:
        stated = given.get("maxmemory_bytes")
        share = self.redis_share(host)
        return stated if stated is not None else None if share is None else derive(share)

    def store(self, host: str, clients: Sequence[Tenant]) -> Store:
        """Return the MySQL server of a host for the tenants that keep their pre-aggregations there."""
        port = int(self.inventory.variable(host, "mysql_port", tenants.MYSQL_PORT))
        need = pools.mysql_need(mysql_client(tenant, self.inventory.address(host)) for tenant in clients)
        given = self.inventory.variable(host, "mysql_max_connections")
        return Store(
            host=host,
            port=port,
            distribution=str(self.inventory.variable(host, "mysql_distribution", "mariadb")),
            version=None,
            bind=self.inventory.binds(host, (client for tenant in clients for client in _clients(tenant))),
            max_connections=int(given) if given is not None else pools.max_connections(need),
            tenants=tuple(tenant.name for tenant in clients),
            need=need,
        )

    def redis_share(self, host: str) -> int | None:
        """Return the memory of a host's Redis instances together, in bytes; None where it is not known."""
        if host not in self.inventory.members(inventories.REDIS):
            return None
        return self._share(host, "redis", "redis_memory_bytes")

    def mysql_share(self, host: str) -> int | None:
        """Return the memory of a host's MySQL in bytes; None where it is not known."""
        return self._share(host, "mysql", "mysql_memory_bytes")

    def redis_variables(self, host: str, servers: Iterable[RedisServer], watched: Iterable[Tenant]) -> dict[str, Any]:
        """Return the redis role's variables on a host; watched: the tenants whose Redis Sentinels watch."""
        return {
            "redis_memory_bytes": self.redis_share(host),
            "redis_ca_directory": self.inventory.variable(host, "redis_ca_directory", self.ca_directory),
            "redis_instances": [self._redis_instance(server) for server in servers],
            "redis_other_instances": [],
            **self._sentinel_variables(host, watched),
        }

    def _sentinel_variables(self, host: str, watched: Iterable[Tenant]) -> dict[str, Any]:
        sentinels = self.inventory.members(inventories.SENTINELS)
        here = host in sentinels
        return {
            "redis_sentinel_enabled": here,
            "redis_sentinel_bind": list(self.inventory.first_bound(host)) if here else [inventories.LOOPBACK],
            "redis_sentinel_port": names.SENTINEL_PORT,
            "redis_sentinel_peers": [self.inventory.address(each) for each in sentinels],
            "redis_sentinel_watched": [
                self._watched(tenant, tenant.redis) for tenant in watched if tenant.redis and here
            ],
        }

    def _watched(self, tenant: Tenant, link: RedisLink) -> dict[str, Any]:
        return {
            "name": tenant.name,
            "hosts": [self.inventory.address(each) for each in (link.server, *link.replicas)],
            "port": link.port,
            "password": secrets.refer(self.definitions[tenant.name], secrets.FOR_REDIS),
            "quorum": pools.quorum(len(link.sentinels)),
        }

    def _redis_instance(self, server: RedisServer) -> dict[str, Any]:
        given, definition, databases = self._redis_given(server)
        return {
            "name": server.name,
            "port": server.port,
            "bind": list(server.bind),
            "password": secrets.refer(definition, secrets.FOR_REDIS),
            "maxclients": server.maxclients,
            "maxmemory_bytes": server.maxmemory_bytes,
            "databases": databases,
            "tls": server.tls,
            "tls_names": list(server.bind) if server.tls else [],
            **({"replication": {"primary": self.inventory.address(server.primary)}} if server.primary else {}),
            "settings": dict(given.get("settings") or {}),
        }

    def _redis_given(self, server: RedisServer) -> tuple[Mapping[str, Any], Mapping[str, Any], int]:
        """Return what the inventory says of an instance, whose secrets it has, and how many databases."""
        if server.tenant:
            definition = self.definitions[server.tenant]
            given: Mapping[str, Any] = definition.get("redis") or {}
            return given, definition, max(DATABASES, int(given.get("index") or 0) + 1)
        given = tenants.shared_redis(self.inventory, server.host)
        return given, secrets.of_shared_redis(int(given.get("rotation") or 0)), SHARED_DATABASES

    def mysql_variables(self, store: Store, clients: Sequence[Tenant]) -> dict[str, Any]:
        """Return the mysql role's variables on a host."""
        schemas = dict.fromkeys(tenant.storage.schema for tenant in clients if tenant.storage)
        return {
            "mysql_port": store.port,
            "mysql_bind_addresses": list(store.bind),
            "mysql_memory_bytes": self.mysql_share(store.host),
            "mysql_max_connections": store.max_connections,
            "mysql_databases": [{"name": schema} for schema in schemas],
            "mysql_users": [
                self._mysql_user(tenant, tenant.storage, store.host) for tenant in clients if tenant.storage
            ],
        }

    def _mysql_user(self, tenant: Tenant, link: StorageLink, host: str) -> dict[str, Any]:
        # A grant names where the client is, as the server sees it.
        hosts = dict.fromkeys(self.inventory.address_from(host, each) for each in _clients(tenant))
        return {
            "name": link.user,
            "hosts": list(hosts),
            "password": secrets.refer(self.definitions[tenant.name], secrets.FOR_STORAGE),
            "privileges": {link.schema: list(PRIVILEGES)},
        }

    def nginx_variables(self, proxy: Proxy, fleet: Fleet) -> dict[str, Any]:
        """Return the nginx role's variables on a host."""
        served = filter(None, map(fleet.tenant, sorted(proxy.tenants)))
        return {
            "nginx_servers": [self._nginx_server(tenant, proxy.host, fleet) for tenant in served],
            "nginx_other_servers": [],
        }

    def _nginx_server(self, tenant: Tenant, host: str, fleet: Fleet) -> dict[str, Any]:
        definition = self.definitions[tenant.name]
        certificate: Mapping[str, Any] = definition.get("certificate") or {}
        return {
            "name": tenant.name,
            "server_name": tenant.server_name,
            "upstreams": [
                self._upstream(instance, host) for instance in fleet.instances_of(tenant.name) if instance.kind == API
            ],
            "web_sockets": bool(definition.get("web_sockets", False)),
            "maintenance": tenant.suspended,
            "certificate": {key: value for key, value in certificate.items() if value is not None},
        }

    def _upstream(self, instance: Instance, host: str) -> str:
        if instance.listen != TCP:
            return f"unix:{instance.socket}"
        address = self.inventory.address_from(host, instance.host)
        return f"[{address}]:{instance.port}" if ":" in address else f"{address}:{instance.port}"

    def _share(self, host: str, product: str, variable: str) -> int | None:
        given = self.inventory.variable(host, variable)
        if given is not None:
            return int(given)
        total = self.inventory.variable(host, "cubejs_host_memory_bytes")
        return None if total is None else memory.shares(int(total), products(self.inventory, host))[product]


def redis_need(tenant: Tenant) -> int:
    """Return how many connections to Redis a tenant's processes may open; 0 without Redis."""
    if tenant.redis is None:
        return 0
    return pools.redis_need(tenant.max_in_flight, tenant.redis.pool_max, tenant.processes, tenant.orchestrators)


def mysql_client(tenant: Tenant, address: str) -> pools.MysqlClient:
    """Return a tenant as a client of its storage; address: where other hosts reach that, if it is ours."""
    on_source = tenants.on_source_server(tenant, address)
    return pools.MysqlClient(tenant.processes, tenant.orchestrators, tenant.database.pool_max, source=on_source)


def _clients(tenant: Tenant) -> tuple[str, ...]:
    """Return the hosts of a tenant's processes."""
    return tuple(dict.fromkeys(filter(None, (*tenant.api_hosts, tenant.worker_host))))
