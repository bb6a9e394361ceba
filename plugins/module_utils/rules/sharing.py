# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on servers that several tenants use, ours and others'."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import memory
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import INFO, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REDIS, Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule, repeated
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenants import SHARED_REDIS

SHOWN = 5
# Of Redis 7 with jemalloc and nothing in it, as the kernel counts it, and what its first clients need.
IDLE_REDIS_BYTES = 16 * memory.MEBIBYTE


class RedisIndexIsNoWall(Rule):
    """A database index keeps tenants from each other's keys by accident, not by force.

    One password opens all indexes, and no access list of Redis can hold a user to one. Its events, its memory and its
    single thread are everybody's: one tenant's KEYS makes all wait.
    """

    id = "redis-index-shared-server"
    title = "Tenants that must not reach each other have a Redis of their own"
    severity = INFO
    source = "Redis documentation: SELECT, ACL"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield servers on which tenants have an index each."""
        places = [
            (tenant, (tenant.redis.server or tenant.redis.host.lower(), tenant.redis.port))
            for tenant in fleet.tenants
            if tenant.redis and (tenant.redis.shared or tenant.redis.host)
        ]
        for _place, members in repeated(places, lambda pair: pair[1]):
            (first, (host, port)), *_others = members
            yield self.found(
                SHARED_REDIS if first.redis and first.redis.shared else f"{first.subject}.redis",
                f"{len(members)} tenants have an index each on {host}:{port}, which prevents accidents, nothing else",
                "Leave redis.shared out, or give each tenant a server of its own, where one must not reach the other's",
                host=host if first.redis and first.redis.server else "",
            )


class SharedRedisIsOurs(Rule):
    """The instance that tenants share is deployed here; on others' servers each tenant names its index itself."""

    id = "redis-shared-host"
    title = "The Redis that tenants share is on a host of cubejs_redis"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants that share something that is not deployed."""
        for tenant in fleet.tenants:
            if tenant.redis and tenant.redis.shared and tenant.redis.host:
                yield self.found(
                    f"{tenant.subject}.redis.shared",
                    f"{tenant.redis.host} is no host of cubejs_redis",
                    "Put it into cubejs_redis; or leave shared out, and give the tenant an index of its own",
                    tenant=tenant.name,
                )


class EndpointHasRoom(Rule):
    """A server that is not ours lets in so many connections, and the pools of all its tenants open theirs together."""

    id = "external-connections"
    title = "Servers that are not deployed here allow what their clients' pools may open"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield servers that are said to allow fewer."""
        for endpoint in fleet.endpoints:
            if endpoint.allowed is not None and endpoint.allowed < endpoint.need:
                what = "Redis" if endpoint.kind == REDIS else "MySQL"
                more = " and others" if len(endpoint.tenants) > SHOWN else ""
                yield self.found(
                    endpoint.subject,
                    f"{what} on {endpoint.host}:{endpoint.port} allows {endpoint.allowed}, fewer than the "
                    f"{endpoint.need} that {', '.join(endpoint.tenants[:SHOWN])}{more} may open",
                    "Let the server allow more and say so here, lower max_in_flight, or move tenants to another server",
                )


class RedisMemorySuffices(Rule):
    """An idle Redis takes about 10 MB; when its host has none left, the kernel ends one, and its tenant's processes."""

    id = "redis-memory-suffices"
    title = "A host's memory holds its Redis instances"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield hosts whose memory is known and too small."""
        for host, share in fleet.redis_memory_bytes.items():
            servers = [server for server in fleet.redis_servers if server.host == host]
            need = len(servers) * IDLE_REDIS_BYTES
            if need > share:
                yield self.found(
                    "cubejs_host_memory_bytes",
                    f"{len(servers)} Redis instances need {need // memory.MEBIBYTE} MiB, Redis' share is "
                    f"{share // memory.MEBIBYTE} MiB",
                    "Give the host more memory, let tenants share an instance (redis.shared), or use another host",
                    host=host,
                )
