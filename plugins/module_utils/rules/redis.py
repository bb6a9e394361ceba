# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on Redis, which holds each tenant's cache and queue."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_url, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    MASK,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, RedisLink, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import (
    CLIENT_IN_CODE,
    CUBESTORE,
    MEMORY,
    REDIS,
    REMEDY,
    Link,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import view
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import of_redis
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

_READS_IOREDIS = ">=0.26.7"
_HAS_CUBESTORE = ">=0.31"
_DRIVER = "Set CUBEJS_CACHE_AND_QUEUE_DRIVER to redis, or leave it out beside a Redis URL"
_IN_CODE = "Name the Redis in the environment, where it can be checked, and let the code read it from there"


def linked(fleet: Fleet) -> Iterator[tuple[Tenant, RedisLink]]:
    """Yield the planned tenants that use Redis, and how."""
    return ((tenant, tenant.redis) for tenant in fleet.tenants if tenant.redis is not None)


class RedisGiven(Rule):
    """Production needs a Redis that all processes of a tenant reach.

    A process whose settings name none goes on silently: in production with what listens on port 6379 of its own host,
    from 0.32 on with Cube Store, and elsewhere with its own memory.
    """

    id = "redis-endpoint"
    title = "Every tenant has a Redis"
    sentences = ("redis-required", "redis-cache-and-queue", "redis-url")
    source = "Production Checklist: Set up Redis; source of @cubejs-backend/query-orchestrator 0.29.51 and 0.32.30"
    remedy = "Set CUBEJS_REDIS_URL (REDIS_URL up to 0.26) in the environment of every process of the tenant"

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

    def observed(self, _fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield for each instance whether its cache and queue are in a Redis that its settings name."""
        for link in live.once(view).links:
            yield self._judged(link)

    def _judged(self, link: Link) -> Finding:
        driver, version = link.driver, link.instance.version
        given = bool(link.settings.value("cache_and_queue_driver"))
        if not driver:
            return self.of(link.instance, UNKNOWN, link.why, REMEDY)
        if driver == REDIS:
            return self._named(link)
        if driver == MEMORY:
            if given:
                return self.of(
                    link.instance, NOT_APPLICABLE, "its cache and queue are in its memory, as its driver says"
                )
            return self.of(link.instance, FAIL, "no variable names a Redis: its cache and queue are in its memory")
        if driver != CUBESTORE or (version and not versions.within(version, _HAS_CUBESTORE)):
            return self.of(link.instance, FAIL, f"{driver[:20]!r} is no driver that Cube {version} knows", _DRIVER)
        if given:
            return self.of(link.instance, NOT_APPLICABLE, "its cache and queue are in Cube Store, as its driver says")
        message = f"no variable names a Redis: from 0.32 on, Cube {version} looks for Cube Store then"
        return self.of(link.instance, FAIL, message)

    def _named(self, link: Link) -> Finding:
        if link.settings.value("redis_url"):
            return self.of(link.instance, PASS, "its cache and queue are in the Redis that its settings name")
        if link.settings.unread is not None:
            return self.of(link.instance, UNKNOWN, link.settings.unread.reason, link.settings.unread.remedy or REMEDY)
        if CLIENT_IN_CODE in link.mentions:
            return self.of(link.instance, UNKNOWN, "its project makes its own client of Redis, in code", _IN_CODE)
        message = "no variable names a Redis: Cube takes the one on port 6379 of its own host"
        return self.of(link.instance, FAIL, message, severity=WARNING)


class RedisUrlCarried(of_redis.LinkRule):
    """Each client reads URLs in a grammar of its own and misreads others silently, up to another server and index."""

    id = "redis-url"
    title = "The client can use the Redis URL and carry its password"
    sentences = ("redis-url", "redis-password")
    source = "Tried with node_redis 3.1.2, and with Cube's own parser for ioredis in 0.29.57"
    remedy = "Write redis://host:port/index, and the password in CUBEJS_REDIS_PASSWORD (REDIS_PASSWORD before 0.27.1)"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield URLs that the client cannot use as they are meant."""
        for tenant, link in linked(fleet):
            for problem in link.problems:
                subject = f"{tenant.subject}.redis.url"
                yield self.found(subject, f"{MASK}: {problem.message}", problem.remedy, tenant=tenant.name)
            address = link.host or fleet.addresses.get(link.server, "")
            if link.sentinel:
                continue  # see redis-sentinel-possible
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

    def judged(self, link: Link, _fleet: Fleet) -> Finding:
        """Return whether the instance's client can use the URL."""
        seen = link.seen
        if seen is None:
            return self.not_known(link)
        if seen.reason == "url":
            return self.of(link.instance, FAIL, f"{seen.client} cannot use its URL: {seen.problem}")
        return self.of(link.instance, PASS, f"{seen.client} reads its URL as {seen.asked}")
