# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan in figures, for sizing before a run: plain data without secrets, which `plan_table` shows to people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import (
    API,
    MYSQL,
    REDIS,
    Endpoint,
    Fleet,
    RedisServer,
    Store,
    Tenant,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.servers import mysql_client, redis_need

# Raised when a key changes its meaning or goes; more keys may come.
FORMAT = 1
Limits = dict[tuple[str, str, int], "int | None"]


def summary(fleet: Fleet, findings: Iterable[Finding]) -> dict[str, Any]:
    """Return what is planned, in figures.

    tenants, redis, mysql, external, hosts: a row each. Connections are what pools may open together (need) and what
    the server allows; sizes are bytes; null is not known. findings: as `Finding.as_dict`.
    """
    limits = _limits(fleet)
    redis: dict[str, list[RedisServer]] = {}
    for server in fleet.redis_servers:
        redis.setdefault(server.host, []).append(server)
    return {
        "format": FORMAT,
        "tenants": [_tenant(fleet, tenant, limits) for tenant in fleet.tenants],
        "redis": [_redis(server) for server in fleet.redis_servers],
        "mysql": [_mysql(fleet, store) for store in fleet.stores],
        "external": [_external(endpoint) for endpoint in fleet.endpoints],
        "hosts": [_host(fleet, host, redis.get(host, [])) for host in fleet.addresses],
        "findings": [finding.as_dict() for finding in findings],
    }


def _limits(fleet: Fleet) -> Limits:
    """Return (kind, host, port) -> how many connections the server there allows; None is not known."""
    return {
        **{(each.kind, each.host, each.port): each.allowed for each in fleet.endpoints},
        **{(REDIS, server.host, server.port): server.maxclients for server in fleet.redis_servers},
        **{(MYSQL, store.host, store.port): store.max_connections for store in fleet.stores},
    }


def _tenant(fleet: Fleet, tenant: Tenant, limits: Limits) -> dict[str, Any]:
    instances = fleet.instances_of(tenant.name)
    return {
        "name": tenant.name,
        "number": tenant.number,
        "version": tenant.version,
        "server_name": tenant.server_name,
        "api": dict.fromkeys(tenant.api_hosts, tenant.api_instances),
        "refresh_worker": tenant.worker_host or None,
        "proxies": list(tenant.proxy_hosts),
        "ports": sorted({each.port for each in instances if each.port is not None}),
        "sockets": sum(each.kind == API and each.port is None for each in instances),
        "orchestrators": tenant.orchestrators,
        "wave": tenant.wave,
        "suspended": tenant.suspended,
        "redis": _redis_of(tenant, limits),
        "mysql": _mysql_of(fleet, tenant, limits),
        "memory_bytes": _sum(each.memory_bytes for each in instances),
    }


def _redis_of(tenant: Tenant, limits: Limits) -> dict[str, Any] | None:
    link = tenant.redis
    if link is None:
        return None
    return {
        "server": link.server or link.host,
        "port": link.port,
        "index": link.index,
        "kind": "external" if not link.server else "shared" if link.shared else "own",
        "pool_max": link.pool_max,
        "need": redis_need(tenant),
        "maxclients": limits.get((REDIS, link.server or link.host.lower(), link.port)),
    }


def _mysql_of(fleet: Fleet, tenant: Tenant, limits: Limits) -> dict[str, Any] | None:
    link = tenant.storage
    if link is None:
        return None
    return {
        "server": link.server or link.host,
        "port": link.port,
        "schema": link.schema,
        "kind": "own" if link.server else "external",
        "need": mysql_client(tenant, fleet.addresses.get(link.server, link.host)).need,
        "max_connections": limits.get((MYSQL, link.server or link.host.lower(), link.port)),
    }


def _redis(server: RedisServer) -> dict[str, Any]:
    return {
        "host": server.host,
        "name": server.name,
        "port": server.port,
        "tenants": list(server.tenants),
        "need": server.need,
        "maxclients": server.maxclients,
        "maxmemory_bytes": server.maxmemory_bytes,
    }


def _mysql(fleet: Fleet, store: Store) -> dict[str, Any]:
    return {
        "host": store.host,
        "port": store.port,
        "distribution": store.distribution,
        "tenants": list(store.tenants),
        "need": store.need,
        "max_connections": store.max_connections,
        "memory_bytes": fleet.mysql_memory_bytes.get(store.host),
    }


def _external(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "kind": endpoint.kind,
        "host": endpoint.host,
        "port": endpoint.port,
        "tenants": list(endpoint.tenants),
        "need": endpoint.need,
        "allowed": endpoint.allowed,
    }


def _host(fleet: Fleet, host: str, redis: Sequence[RedisServer]) -> dict[str, Any]:
    instances = fleet.instances_on(host)
    return {
        "name": host,
        "address": fleet.addresses[host],
        "processes": len(instances),
        "redis_instances": len(redis),
        "memory_bytes": fleet.memory_bytes.get(host),
        "cubejs": {
            "share_bytes": fleet.cube_memory_bytes.get(host),
            "limits_bytes": _sum(each.memory_bytes for each in instances),
        },
        "redis": {
            "share_bytes": fleet.redis_memory_bytes.get(host),
            "limits_bytes": _sum(each.maxmemory_bytes for each in redis),
        },
        "mysql": {"share_bytes": fleet.mysql_memory_bytes.get(host)},
    }


def _sum(sizes: Iterable[int | None]) -> int | None:
    """Return the sum; None where a part is not known."""
    found = list(sizes)
    return None if None in found else sum(size for size in found if size is not None)
