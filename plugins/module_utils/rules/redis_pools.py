# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the pools of connections that Cube.js processes keep to Redis."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import pools, redis_pool
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, PASS, UNKNOWN, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import (
    POOL_IN_CODE,
    REMEDY,
    Demand,
    Link,
    demand,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import of_redis
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.redis import linked

_DECLARE = "Declare the tenant's max_in_flight in the inventory, or look while it is under load"
_IN_CODE = "Set the pool's size by the variables, where it can be checked"


class RedisPoolSize(of_redis.LinkRule):
    """A query in flight holds two connections and a process up to ten more; a pool of one always deadlocks.

    Connections that cannot be had end, after five seconds, as "ResourceRequest timed out".
    """

    id = "redis-pool-size"
    title = "Redis pools hold 2 x max_in_flight + 10 connections, never fewer than 10"
    sentences = ("pool-default", "pool-variables", "pool-zero", "pool-too-small", "pool-bottleneck")
    source = "Measured on Cube.js 0.29.57; source of @cubejs-backend/query-orchestrator 0.20.9 and 0.29.51"
    remedy = "Leave CUBEJS_REDIS_POOL_MIN out, and set CUBEJS_REDIS_POOL_MAX to twice the queries in flight and 10 more"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield pools that are too small for any load, or for the one declared."""
        for tenant, link in linked(fleet):
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

    def judged(self, link: Link, fleet: Fleet) -> Finding:
        """Return whether the pool of a process is one that works, for the load that is declared or seen."""
        pool = link.pool
        if pool is None:
            return self._not_read(link)
        asked = demand(link, fleet)
        remedy = f"Set {redis_pool.MAXIMUM} to {asked.need}" if asked.need else ""
        if pool.problems:
            return self.of(link.instance, FAIL, "; ".join((*pool.problems, *pool.oddities)), remedy)
        told = list(pool.oddities)
        if asked.need and pool.maximum is not None and pool.maximum < asked.need:
            told.insert(0, f"a pool of {pool.maximum} is fewer than the {asked.need} that {asked.told}, need")
        if told:
            return self.of(link.instance, FAIL, "; ".join(told), remedy, severity=WARNING)
        return self._legal(link, pool, asked)

    def _legal(self, link: Link, pool: redis_pool.Pool, asked: Demand) -> Finding:
        if pool.maximum is None:
            return self.of(link.instance, PASS, "it has no pool: each connection is made on demand")
        size = f"its pool holds {pool.minimum} to {pool.maximum} connections"
        if asked.need is not None:
            return self.of(link.instance, PASS, f"{size}; {asked.told}, need {asked.need}")
        if pool.maximum >= redis_pool.DEFAULT_MAXIMUM:
            return self.of(link.instance, PASS, size)
        return self.of(link.instance, UNKNOWN, f"{size}; how many it needs is neither declared nor seen", _DECLARE)

    def _not_read(self, link: Link) -> Finding:
        unread = link.settings.unread
        if unread is not None:
            return self.of(link.instance, UNKNOWN, unread.reason, unread.remedy or REMEDY)
        if POOL_IN_CODE in link.mentions:
            return self.of(link.instance, UNKNOWN, "its project sets the pool's size in code", _IN_CODE)
        message = "its version, which decides what its pool's size means, is not known"
        return self.of(link.instance, UNKNOWN, message, REMEDY)
