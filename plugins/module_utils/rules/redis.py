# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on Redis, which holds each tenant's cache and queue."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import pools, redis_url, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import MASK, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, RedisLink, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule, repeated
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenants import SHARED_REDIS

_READS_IOREDIS = ">=0.26.7"


def _linked(fleet: Fleet) -> Iterator[tuple[Tenant, RedisLink]]:
    return ((tenant, tenant.redis) for tenant in fleet.tenants if tenant.redis is not None)


def _server(link: RedisLink) -> str:
    return link.server or link.host.lower()


class RedisGiven(Rule):
    """Production needs a Redis that all processes of a tenant reach."""

    id = "redis-endpoint"
    title = "Every tenant has a Redis"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants for which no host and no address of a Redis is given."""
        for tenant in fleet.tenants:
            if "redis.host" in tenant.missing:
                yield self.found(
                    f"{tenant.subject}.redis",
                    "there is no host in cubejs_redis and no address is given",
                    "Put a host into cubejs_redis, or write redis: {host: redis.example, port: 6379, password: ...}, "
                    "or cache_and_queue_driver: memory for a single process",
                    tenant=tenant.name,
                )


class RedisUrlCarried(Rule):
    """Each client reads URLs in a grammar of its own and misreads others silently, up to another server and index."""

    id = "redis-url"
    title = "The client can use the Redis URL and carry its password"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield URLs that the client cannot use as they are meant."""
        for tenant, link in _linked(fleet):
            for problem in link.problems:
                subject = f"{tenant.subject}.redis.url"
                yield self.found(subject, f"{MASK}: {problem.message}", problem.remedy, tenant=tenant.name)
            address = link.host or fleet.addresses.get(link.server, "")
            if link.client == redis_url.IOREDIS and ":" in address:
                yield self.found(
                    f"{tenant.subject}.redis.host",
                    f"Cube cannot read the IPv6 address {address} for ioredis",
                    "Use a name or an IPv4 address, or node_redis",
                    tenant=tenant.name,
                )
            if link.client == redis_url.IOREDIS and not versions.within(tenant.version, _READS_IOREDIS):
                yield self.found(
                    f"{tenant.subject}.redis.client",
                    f"Cube {tenant.version} does not know ioredis (since 0.26.7)",
                    "Use node_redis, or a newer version",
                    tenant=tenant.name,
                )


class RedisPoolSize(Rule):
    """A query in flight holds two connections and a process up to ten more; a pool of one always deadlocks.

    Connections that cannot be had end, after five seconds, as "ResourceRequest timed out".
    """

    id = "redis-pool-size"
    title = "Redis pools hold 2 x max_in_flight + 10 connections, never fewer than 10"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield pools that are too small for any load, or for the one declared."""
        for tenant, link in _linked(fleet):
            subject = f"{tenant.subject}.redis.pool_max"
            need = pools.redis_pool(tenant.max_in_flight)
            if link.pool_max != 0 and link.pool_max < pools.SMALLEST_POOL:
                yield self.found(
                    subject,
                    f"{link.pool_max} is neither 0 nor at least {pools.SMALLEST_POOL}",
                    f"Use {need}, or leave it out; 0 opens a connection on demand",
                    tenant=tenant.name,
                )
            elif 0 < link.pool_max < need:
                yield self.found(
                    subject,
                    f"{link.pool_max} is fewer than the {need} that {tenant.max_in_flight} queries in flight need",
                    f"Use {need}, or lower max_in_flight",
                    tenant=tenant.name,
                    severity=WARNING,
                )
            if link.pool_min < 0 or pools.SMALLEST_POOL <= link.pool_max < link.pool_min:
                yield self.found(
                    f"{tenant.subject}.redis.pool_min",
                    f"{link.pool_min} is not within 0 and pool_max ({link.pool_max})",
                    "Use 2",
                    tenant=tenant.name,
                )


class RedisHasRoom(Rule):
    """Redis refuses connections beyond maxclients, and any Redis error ends a Cube process."""

    id = "redis-maxclients"
    title = "Redis allows what its clients' pools may open"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield Redis instances with fewer connections than their clients may open."""
        subjects = {tenant.name: tenant.subject for tenant in fleet.tenants}
        for server in fleet.redis_servers:
            wanted = pools.maxclients(server.need)
            if server.maxclients < wanted:
                own = f"{subjects.get(server.tenant, server.name)}.redis"
                yield self.found(
                    f"{own if server.tenant else SHARED_REDIS}.maxclients",
                    f"{server.maxclients} is fewer than {wanted} ({server.need} from pools, {pools.REDIS_RESERVE} "
                    "in reserve)",
                    f"Use {wanted}, or leave it out",
                    tenant=server.tenant,
                    host=server.host,
                )


class RedisNotShared(Rule):
    """Cube's keys carry no tenant: on one keyspace a tenant reads another's rows and runs its queries.

    The prefix is the same constant in every deployment from 0.29 on.
    """

    id = "redis-shared-by-tenants"
    title = "No two tenants share a Redis keyspace"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants on the same server and index."""
        usable = [(tenant, link) for tenant, link in _linked(fleet) if link.host or link.shared]
        for _place, members in repeated(usable, lambda pair: (_server(pair[1]), pair[1].port, pair[1].index)):
            first, *others = members
            for tenant, link in others:
                yield self.found(
                    f"{tenant.subject}.redis",
                    f"{first[0].name} is on the same Redis, {_server(link)}:{link.port}, and index {link.index}",
                    "Give each tenant a Redis of its own, or at least another index",
                    tenant=tenant.name,
                )
