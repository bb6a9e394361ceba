# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What runs on a host for each tenant: the deployments that the cubejs role carries out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory as inventories
from ansible_collections.cubeops.cubejs.plugins.module_utils import (
    memory,
    names,
    redis_url,
    secrets,
    settings,
    settings_table,
    versions,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import (
    API,
    REFRESH_WORKER,
    SOCKET,
    TCP,
    Instance,
    RedisLink,
    Tenant,
)

# A pause before a restart, so that 60 s without Redis end by themselves; the offset keeps processes apart.
RESTART_SECONDS = 5
RESTART_OFFSETS = 5
# Cube ends itself by force a second after its graceful period; systemd waits a little longer.
STOP_MARGIN_SECONDS = 5
STOP_SECONDS = 10
# What the health gate asks of a version is in health.py.
STEADY_SECONDS = 3


@dataclass(frozen=True)
class Builder:
    """Builds what one inventory's hosts run. ca_directory is where the controller keeps its own CA by default."""

    inventory: inventories.Inventory
    ca_directory: str

    def instances(self, tenant: Tenant, definition: Mapping[str, Any]) -> list[Instance]:
        """Return the processes of a tenant; none while its number or name is missing."""
        if tenant.number is None or not names.is_tenant_name(tenant.name):
            return []
        found = [
            self._instance(tenant, definition, API, host, index)
            for host in tenant.api_hosts
            for index in range(1, tenant.api_instances + 1)
        ]
        if tenant.worker_host:
            found.append(self._instance(tenant, definition, REFRESH_WORKER, tenant.worker_host, 0))
        return found

    def _instance(self, tenant: Tenant, definition: Mapping[str, Any], kind: str, host: str, index: int) -> Instance:
        is_api = kind == API
        name = names.api_instance(tenant.name, index) if is_api else names.refresh_worker_instance(tenant.name)
        listen = self._listen(tenant, host) if is_api else SOCKET
        limit = self._limit(definition, kind, host)
        number = tenant.number or 0
        graceful = versions.stops_gracefully(tenant.version)
        return Instance(
            tenant=tenant.name,
            kind=kind,
            name=name,
            host=host,
            unit=names.api_unit(name) if is_api else names.refresh_worker_unit(name),
            listen=listen,
            socket=names.socket_path(name) if listen == SOCKET else None,
            port=names.api_port(number, index) if listen == TCP else None,
            memory_bytes=limit.memory_bytes if limit else None,
            heap_mb=limit.heap_mb if limit else None,
            restart_seconds=RESTART_SECONDS + (number + index) % RESTART_OFFSETS,
            stop_seconds=_graceful_seconds(definition) + STOP_MARGIN_SECONDS if graceful else STOP_SECONDS,
        )

    def _listen(self, tenant: Tenant, host: str) -> str:
        """Return how an API instance listens: on a socket where its only proxies are on its own host."""
        asked = tenant.listen or self.inventory.variable(host, "cubejs_listen")
        if asked:
            return str(asked)
        return TCP if any(proxy != host for proxy in tenant.proxy_hosts) else SOCKET

    def _limit(self, definition: Mapping[str, Any], kind: str, host: str) -> memory.Limit | None:
        given = definition.get(f"{kind}_memory_bytes")
        share = cube_share(self.inventory, host)
        if given is None and share is None:
            return None
        return memory.process_limit(kind, share or 0, given)

    def deployment(
        self, tenant: Tenant, definition: Mapping[str, Any], host: str, instances: Sequence[Instance]
    ) -> dict[str, Any]:
        """Return what the cubejs role needs to run a tenant's instances on a host."""
        version = tenant.version
        start = versions.start(version)
        scripts = self.inventory.variable(host, "cubejs_install_scripts")
        return {
            "tenant": tenant.name,
            "number": tenant.number,
            "user": names.system_user(tenant.name),
            "suspended": tenant.suspended,
            "wave": tenant.wave,
            "version": version,
            "project": dict(definition.get("project") or {}),
            "database_type": tenant.database.type,
            "drivers": _drivers(tenant),
            "install_scripts": versions.needs_install_scripts(version) if scripts is None else scripts,
            "settings": self._settings(tenant, definition, host),
            "environment": {
                name: secrets.refer(definition, f"{secrets.FOR_ENVIRONMENT}{name}") for name in tenant.environment
            },
            "ca_certificates": self._ca_certificates(tenant, definition),
            "start": {"command": list(start.command), "own_index": start.own_index},
            "health": {
                "claims": dict(definition.get("health_claims") or {}),
                "steady_seconds": STEADY_SECONDS,
            },
            "instances": [_instance_data(tenant, instance) for instance in instances],
        }

    def _settings(self, tenant: Tenant, definition: Mapping[str, Any], host: str) -> dict[str, Any]:
        values: dict[str, Any] = {
            "node_env": "production",
            "telemetry": False,
            "log_level": definition.get("log_level"),
            "web_sockets": definition.get("web_sockets"),
            "graceful_shutdown_seconds": _graceful_seconds(definition),
            "time_zones": list(definition.get("time_zones") or ()),
            "api_secret": secrets.refer(definition, secrets.FOR_API),
            "cache_and_queue_driver": tenant.cache_and_queue_driver,
            "extra_ca_certificates": (
                names.ca_bundle(tenant.name) if self._ca_certificates(tenant, definition) else None
            ),
        }
        values.update(_database_settings(tenant, definition))
        values.update(self._redis_settings(tenant, definition, host))
        values.update(self._storage_settings(tenant, definition, host))
        return settings.read_by(settings_table.TABLE, values, tenant.version)

    def _redis_settings(self, tenant: Tenant, definition: Mapping[str, Any], host: str) -> dict[str, Any]:
        link = tenant.redis
        if link is None:
            return {}
        address = self.inventory.address_from(host, link.server) if link.server else link.host
        has_password = bool(link.server) or secrets.given(definition, secrets.FOR_REDIS) is not None
        return {
            "redis_url": self._redis_url(tenant, link, definition, address, host),
            "redis_password": _redis_password(tenant, definition) if has_password else None,
            "redis_tls": link.tls,
            "redis_pool_min": link.pool_min,
            "redis_pool_max": link.pool_max,
            "redis_use_ioredis": True if link.client == redis_url.IOREDIS else None,
        }

    def _redis_url(
        self, tenant: Tenant, link: RedisLink, definition: Mapping[str, Any], address: str, host: str
    ) -> str | dict[str, str]:
        if link.by_url:
            return secrets.refer(definition, secrets.FOR_REDIS_URL)
        if link.sentinel:
            # ioredis asks them in this order, for each connection of its pool, and waits 10 s (connectTimeout) for one
            # whose host is gone without a word. That of its own host is gone only with it: docs/decisions/0089.
            ordered = sorted(link.sentinels, key=lambda each: each != host)
            sentinels = ((self.inventory.address(each), names.SENTINEL_PORT) for each in ordered)
            return redis_url.build_sentinel(sentinels, tenant.name, link.index)
        return redis_url.build(address, link.port, link.index)

    def _storage_settings(self, tenant: Tenant, definition: Mapping[str, Any], host: str) -> dict[str, Any]:
        link = tenant.storage
        if link is None:
            return {}
        return {
            "storage_type": "mysql",
            "storage_host": self.inventory.address_from(host, link.server) if link.server else link.host,
            "storage_port": link.port,
            "storage_name": link.schema,
            "storage_user": link.user,
            "storage_password": secrets.refer(definition, secrets.FOR_STORAGE),
            "pre_aggregations_schema": link.schema,
        }

    def _ca_certificates(self, tenant: Tenant, definition: Mapping[str, Any]) -> list[str]:
        """Return the paths, on the controller, of the private CAs that the tenant's processes trust."""
        found = [(definition.get("database") or {}).get("ca"), (definition.get("redis") or {}).get("ca")]
        if tenant.redis is not None and tenant.redis.tls and tenant.redis.server:
            directory = self.inventory.variable(tenant.redis.server, "redis_ca_directory", self.ca_directory)
            found.append(f"{directory}/ca.crt")
        return list(dict.fromkeys(path for path in found if path))


def _redis_password(tenant: Tenant, definition: Mapping[str, Any]) -> dict[str, str]:
    """Return the reference of the password: the tenant's, or that of an instance that tenants share."""
    references = [secret.reference for secret in tenant.secrets if secret.purpose == secrets.FOR_REDIS]
    return {secrets.REFERENCE: references[0]} if references else secrets.refer(definition, secrets.FOR_REDIS)


def _graceful_seconds(definition: Mapping[str, Any]) -> int:
    return int(definition.get("graceful_shutdown_seconds", 20))


def _database_settings(tenant: Tenant, definition: Mapping[str, Any]) -> dict[str, Any]:
    given: Mapping[str, Any] = definition.get("database") or {}
    has_password = secrets.given(definition, secrets.FOR_DATABASE) is not None
    return {
        "database_type": given.get("type"),
        "database_host": given.get("host"),
        "database_port": given.get("port"),
        "database_name": given.get("name"),
        "database_user": given.get("user"),
        "database_password": secrets.refer(definition, secrets.FOR_DATABASE) if has_password else None,
        # Left out when it is not wanted: some drivers take the mere presence of the variable for a yes.
        "database_ssl": True if tenant.database.tls else None,
        "database_ssl_reject_unauthorized": given.get("ssl_verify", True) if tenant.database.tls else None,
        "database_pool_max": tenant.database.pool_max,
    }


def _drivers(tenant: Tenant) -> list[str]:
    kinds = [tenant.database.type, "mysql" if tenant.storage else ""]
    return list(dict.fromkeys(package for package in map(versions.driver_package, kinds) if package))


def _instance_data(tenant: Tenant, instance: Instance) -> dict[str, Any]:
    values: dict[str, Any] = {
        "port": instance.socket or instance.port,
        "refresh_worker": instance.kind == REFRESH_WORKER,
        # From 0.30.34 on an API instance builds only when told to; with a refresh worker it need not.
        "pre_aggregations_builder": True
        if instance.kind == API and not tenant.worker_host and tenant.storage
        else None,
    }
    # Flat, so that its fields are its data; asdict would copy each of them.
    return {**vars(instance), "settings": settings.read_by(settings_table.TABLE, values, tenant.version)}


def products(inventory: inventories.Inventory, host: str) -> frozenset[str]:
    """Return the products with a share of a host's memory that live there."""
    return inventory.products(host) & memory.WEIGHTS.keys()


def cube_share(inventory: inventories.Inventory, host: str) -> int | None:
    """Return the memory of a host's Cube.js processes together, in bytes; None where it is not known."""
    given = inventory.variable(host, "cubejs_memory_bytes")
    if given is not None:
        return int(given)
    total = inventory.variable(host, "cubejs_host_memory_bytes")
    return None if total is None else memory.shares(int(total), products(inventory, host))["cubejs"]
