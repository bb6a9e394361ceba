# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the Redis server itself: that it serves these instances, and what it must allow and must not do."""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.module_utils import memory, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    ERROR,
    FAIL,
    INFO,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import REMEDY, Link
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import Server, View
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import of_redis

# A query that executes shows life every 30 seconds; others take it over when it missed four of them.
HEARTBEAT_SECONDS = 120.0
_ORCHESTRATOR = "Source of @cubejs-backend/query-orchestrator 0.29.51"


class RedisReachable(of_redis.LinkRule):
    """Any error of Redis ends a Cube process: one that cannot log in with its own settings dies at its first query."""

    id = "redis-reachable"
    title = "Every instance's own settings reach its Redis and log in there"
    severity = CRITICAL
    sentences = ("redis-required", "redis-url", "redis-password")
    source = "Seen on Cube.js 0.29.57: refused, NOAUTH and WRONGPASS each end the process"
    remedy = "Start Redis, let its bind and firewall admit this host, and give the instance the server's password"

    def judged(self, link: Link, _fleet: Fleet) -> Finding:
        """Return whether an instance's settings reach a Redis that serves them."""
        seen = link.seen
        if seen is None:
            return self.not_known(link)
        if seen.reachable is None or seen.reason == "url":
            return self.of(link.instance, UNKNOWN, link.why, REMEDY)
        if not seen.reachable:
            return self.of(link.instance, FAIL, f"{seen.asked} does not serve it: {seen.problem}")
        return self.of(link.instance, PASS, f"{seen.asked} serves it")


class RedisTakesWrites(of_redis.ServerRule):
    """A replica refuses every write, and Cube writes with each query."""

    id = "redis-role"
    title = "Redis is a master, not a replica"
    sentences = ("redis-cache-and-queue",)
    source = "Redis documentation: Replication"
    remedy = "Let the Redis URL name the master; with Sentinel, use ioredis and a redis+sentinel:// URL"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server is a master."""
        roles = server.values("role")
        if not roles:
            return self.not_known(server, "role")
        status = PASS if set(roles) == {"master"} else FAIL
        return self.on(server, status, f"its role is {', '.join(sorted(set(roles)))}")


class RedisVersion(of_redis.ServerRule):
    """Versions that get no repairs any more, and those with which Cube was never tried, are told."""

    id = "redis-version"
    title = "Redis is 6 to 8, or Valkey 8"
    severity = WARNING
    sentences = ("redis-required",)
    source = "Tried with Cube.js 0.29.57"
    remedy = "Use Redis 6.0 to 8, or Valkey 8"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server's product and version are supported."""
        products, found = server.values("product"), server.values("version")
        if not products or not found:
            return self.not_known(server, "version")
        problem = versions.redis_server_problem(products[0], found[0])
        if problem:
            return self.on(server, FAIL, problem.message, problem.remedy)
        return self.on(server, PASS, f"it is {products[0]} {found[0]}")


class RedisIsNoCluster(of_redis.ServerRule):
    """Cube changes several keys in one transaction, which a cluster refuses when they are on different nodes."""

    id = "redis-cluster-mode"
    title = "Redis is not in cluster mode"
    sentences = ("redis-cache-and-queue",)
    source = "cube-js/cube issue 3763"
    remedy = "Use a Redis without cluster mode (cluster-enabled no), with Sentinel where it must not go away"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server is in cluster mode."""
        modes = server.values("cluster_enabled")
        if not modes:
            return self.not_known(server, "cluster_enabled")
        return self.on(server, FAIL if any(modes) else PASS, f"cluster mode is {'on' if any(modes) else 'off'}")


class RedisKeysUsable(of_redis.ServerRule):
    """Cube asks with KEYS which pre-aggregations are in use, and drops tables that are when it gets no answer."""

    id = "redis-keys-command"
    title = "KEYS may be used"
    sentences = ("redis-cache-and-queue",)
    source = _ORCHESTRATOR
    remedy = "Do not rename KEYS, and allow it to the user of Cube (ACL SETUSER name +keys)"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether all logins at a server may use KEYS."""
        found = server.values("keys_command")
        bad = sorted({each for each in found if each != "usable"})
        if bad:
            return self.on(server, FAIL, f"KEYS is {' and '.join(bad)}")
        if len(found) < len(server.looks):
            return self.not_known(server, "keys_command")
        return self.on(server, PASS, "KEYS is usable")


class RedisMemoryBounded(of_redis.ServerRule):
    """Without maxmemory, Redis grows until the kernel ends it, or a neighbour on its host."""

    id = "redis-maxmemory"
    title = "Redis' memory has a limit"
    severity = WARNING
    sentences = ("redis-cache-and-queue",)
    source = "Redis documentation: Key eviction"
    remedy = "Set maxmemory to less than the memory of the host, or of its unit"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server has a limit of memory."""
        limit = server.most("maxmemory_bytes")
        if limit is None:
            return self.not_known(server, "maxmemory_bytes")
        if limit == 0:
            return self.on(server, FAIL, "maxmemory is 0: there is no limit")
        return self.on(server, PASS, f"maxmemory is {limit // memory.MEBIBYTE} MiB")


class RedisKeepsQueue(of_redis.ServerRule):
    """The queue's keys never expire: with allkeys-* Redis drops them for memory, and queries are lost or run twice."""

    id = "redis-eviction-policy"
    title = "Redis never drops what does not expire"
    sentences = ("redis-cache-and-queue",)
    source = _ORCHESTRATOR
    remedy = "Set maxmemory-policy to volatile-lru, or noeviction"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server's policy keeps the queue."""
        policies = server.values("maxmemory_policy")
        if not policies:
            return self.not_known(server, "maxmemory_policy")
        bad = any(policy.startswith("allkeys-") for policy in policies)
        return self.on(server, FAIL if bad else PASS, f"maxmemory-policy is {policies[0]}")


class RedisEvictsNothing(of_redis.ServerRule):
    """Results that Redis dropped for memory are computed again; with allkeys-* queries may be among what it dropped."""

    id = "redis-evicted-keys"
    title = "Redis has dropped nothing for want of memory"
    severity = INFO
    sentences = ("redis-cache-and-queue",)
    source = "Redis documentation: Key eviction"
    remedy = "Raise maxmemory if results are computed again too often, then set the counter back (CONFIG RESETSTAT)"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server has dropped keys since it started."""
        evicted, used, limit = map(server.most, ("evicted_keys", "used_memory_bytes", "maxmemory_bytes"))
        if evicted is None:
            return self.not_known(server, "evicted_keys")
        bounds = f"{used // memory.MEBIBYTE} of {limit // memory.MEBIBYTE} MiB are used" if used and limit else ""
        loses = any(policy.startswith("allkeys-") for policy in server.values("maxmemory_policy"))
        return self.on(
            server,
            FAIL if evicted else PASS,
            f"{evicted} keys were dropped",
            evidence=[bounds] if bounds else [],
            severity=ERROR if evicted and loses else INFO,
        )


class RedisQueueMoves(of_redis.DatabaseRule):
    """A query whose process shows no life for two minutes is taken over by another; where none does, the queue stands.

    Such queries are answered with "Continue wait" for ever.
    """

    id = "redis-queue-moves"
    title = "No query in the queue is older than its last sign of life allows"
    severity = WARNING
    sentences = ("redis-same-queue", "redis-cache-and-queue")
    source = _ORCHESTRATOR
    remedy = (
        "See whether the tenant's processes run and answer, and restart one that hangs: it takes the queue up again"
    )

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether the queues in a database move."""
        looks = [look for look in server.looks if look.prefixes is not None]
        if not looks:
            return self.not_known(server, "prefixes")
        queues = [queue for look in looks for queue in look.queues]
        old = {
            f"{queue.name}: {queue.length} wait, the last sign of life is {queue.oldest_heartbeat_seconds:.0f} s old"
            for queue in queues
            if queue.oldest_heartbeat_seconds is not None and queue.oldest_heartbeat_seconds > HEARTBEAT_SECONDS
        }
        if old:
            message = f"{len(old)} queues have a query without a sign of life for more than {HEARTBEAT_SECONDS:.0f} s"
            return self.on(server, FAIL, message, evidence=sorted(old)[: of_redis.SHOWN])
        still = {queue.name for queue in queues if queue.length and queue.oldest_heartbeat_seconds is None}
        if still:
            message = f"queries wait and none is executed, for now: {of_redis.listed(still)}"
            return self.on(server, UNKNOWN, message, "Look again: if they still wait, see redis-reachable and restart")
        if not any(look.scanned_whole for look in looks):
            message = "only a part of its keys was looked at, and no queue there stood still"
            return self.on(
                server, UNKNOWN, message, "Look at the queues yourself (redis-cli --scan --pattern '*_QUEUE')"
            )
        waiting = max((sum(queue.length for queue in look.queues) for look in looks), default=0)
        return self.on(server, PASS, f"{waiting} queries wait, and what is executed shows life")
