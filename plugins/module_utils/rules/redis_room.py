# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on how many connections a Redis server has for its clients."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import pools
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, PASS, UNKNOWN, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import REDIS, Demand, Link, demand
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_refusals import RESERVED_FILES
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import Server, View
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import of_redis
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenants import SHARED_REDIS

# Beyond this share of maxclients a burst may find none left.
MOST_USED = 0.8
_DECLARE = "Declare each tenant's max_in_flight (and orchestrators) in the inventory, or look while it is under load"


@dataclass(frozen=True)
class _Room:
    """What a server's clients take of it, in connections: what they need, and what their pools let them open.

    others: clients that are none of these processes, None where that is not known. blind: instances of which it is not
    known what they take.
    """

    need: int
    may_open: int
    others: Optional[int]
    blind: tuple[str, ...]

    @property
    def beside(self) -> int:
        """Return what is kept for others: the reserve, or more where more are there."""
        return max(pools.REDIS_RESERVE, self.others or 0)


def _takes(link: Link, asked: Demand) -> tuple[int, int] | None:
    """Return what one process needs, and what it may open; None where that is not known."""
    limit = link.pool.maximum if link.pool else None
    bounds = [each for each in (asked.need, limit) if each is not None]
    if asked.orchestrators is None or not bounds:
        return None
    may_open = limit if limit is not None else min(bounds)
    return asked.orchestrators * min(bounds), asked.orchestrators * may_open


def _room(server: Server, seen: View, fleet: Fleet) -> _Room:
    need = may_open = 0
    blind = [each.label for name in server.tenants for each in seen.tenants[name] if _may_be_there(each)]
    opened: list[int | None] = []
    for link in server.links:
        opened.append(link.open_connections)
        taken = _takes(link, demand(link, fleet))
        if taken is None:
            blind.append(link.label)
        else:
            need, may_open = need + taken[0], may_open + taken[1]
    return _Room(need, may_open, _others(server.most("connected_clients"), opened), tuple(blind))


def _may_be_there(link: Link) -> bool:
    return not link.reached and link.driver in (REDIS, "")


def _others(connected: int | None, opened: Sequence[int | None]) -> int | None:
    known = [each for each in opened if each is not None]
    if connected is None or len(known) < len(opened):
        return None
    return max(0, connected - sum(known))


class RedisHasRoom(of_redis.ServerRule):
    """Redis refuses connections beyond maxclients, and any Redis error ends a Cube process."""

    id = "redis-maxclients"
    title = "Redis allows what its clients' pools may open"
    sentences = ("redis-connections", "pool-cluster")
    source = "Production Checklist: Set up Redis, Redis Pool; measured on Cube.js 0.29.57"
    remedy = "Raise the server's maxclients, and the limit of open files of its process with it"
    across_tenants = True

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

    def judged(self, server: Server, seen: View, fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server has the connections that all its clients need, and those that they may open."""
        maxclients = server.most("maxclients")
        if maxclients is None:
            return self.not_known(server, "maxclients")
        room = _room(server, seen, fleet)
        wanted = max(pools.SMALLEST_SERVER, room.need + room.beside)
        at_most = max(pools.SMALLEST_SERVER, room.may_open + room.beside)
        evidence = (
            f"maxclients {maxclients}",
            f"{len(server.links)} processes need {room.need}, and may open {room.may_open}",
            f"{'an unknown number of' if room.others is None else room.others} other clients",
        )
        if maxclients < wanted:
            message = f"{maxclients} is fewer than {wanted} ({room.need} needed, {room.beside} kept for others)"
            return self.on(server, FAIL, message, _raise_to(at_most), evidence=evidence)
        if room.blind:
            message = f"what all its clients need is not known: {of_redis.listed(room.blind)}"
            return self.on(server, UNKNOWN, message, _DECLARE, evidence=evidence)
        if maxclients < at_most:
            message = f"{maxclients} is fewer than {at_most}, to which the pools may grow ({room.need} are needed)"
            remedy = f"Lower CUBEJS_REDIS_POOL_MAX to what each process needs. Otherwise: {_raise_to(at_most)}"
            return self.on(server, FAIL, message, remedy, evidence=evidence, severity=WARNING)
        return self.on(server, PASS, f"{maxclients} connections suffice for {at_most}", evidence=evidence)


def _raise_to(wanted: int) -> str:
    return f"Set the server's maxclients to {wanted}, and its limit of open files to {wanted + RESERVED_FILES} or more"


class RedisHasRoomForQueue(of_redis.ServerRule):
    """Each query that waits holds a connection: fewer than there are queries in all queues, and Redis is what is slow.

    A queue's size is what the plan declares, or what is waiting where that is more.
    """

    id = "redis-queue-times-tenants"
    title = "Redis has queue size times number of tenants connections"
    severity = WARNING
    sentences = ("pool-rule-of-thumb", "pool-bottleneck")
    source = "Production Checklist: Redis Pool"
    remedy = "Raise CUBEJS_REDIS_POOL_MAX of the tenants, and the server's maxclients, above the size of all queues"
    across_tenants = True

    def judged(self, server: Server, _seen: View, fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server, and each tenant's pools there, hold as many connections as queries wait."""
        maxclients = server.most("maxclients")
        if maxclients is None:
            return self.not_known(server, "maxclients")
        of_tenant: dict[str, list[Link]] = {}
        for link in server.links:
            of_tenant.setdefault(link.instance.tenant, []).append(link)
        sizes = {name: _queue_size(links, fleet) for name, links in of_tenant.items()}
        total = sum(size for size in sizes.values() if size is not None)
        small = [name for name, size in sizes.items() if size and size > _pools_hold(of_tenant[name], fleet)]
        evidence = (f"queue sizes {total} over {len(sizes)} tenants", f"maxclients {maxclients}")
        if small:
            message = f"the pools of {of_redis.listed(small)} hold fewer connections than their queues have entries"
            return self.on(server, FAIL, message, evidence=evidence)
        if total > maxclients - pools.REDIS_RESERVE:
            message = f"queues of {total} are more than {maxclients} connections less {pools.REDIS_RESERVE} in reserve"
            return self.on(server, FAIL, message, evidence=evidence)
        blind = [name for name, size in sizes.items() if size is None]
        if blind:
            message = f"the queue size is neither declared nor seen of {of_redis.listed(blind)}"
            return self.on(server, UNKNOWN, message, _DECLARE, evidence=evidence)
        return self.on(server, PASS, f"{maxclients} connections suffice for queues of {total}", evidence=evidence)


def _queue_size(links: Sequence[Link], fleet: Fleet) -> int | None:
    """Return how many queries a tenant may have waiting; None where that is neither declared nor seen whole."""
    looks = [link.seen for link in links if link.seen is not None]
    waiting = max((sum(queue.length for queue in look.queues) for look in looks), default=0)
    planned = fleet.tenant(links[0].instance.tenant)
    if planned is not None:
        return max(planned.max_in_flight * planned.orchestrators, waiting)
    return waiting if any(look.prefixes is not None and look.scanned_whole for look in looks) else None


def _pools_hold(links: Sequence[Link], fleet: Fleet) -> float:
    """Return how many connections a tenant's pools hold together; infinity where they are not bounded, or not known."""
    held = 0.0
    for link in links:
        orchestrators = demand(link, fleet).orchestrators
        if link.pool is None or link.pool.maximum is None or orchestrators is None:
            return math.inf
        held += link.pool.maximum * orchestrators
    return held


class RedisConnectionsUsed(of_redis.ServerRule):
    """Redis turns clients away at maxclients, and Cube's pools grow in bursts: some must be left at any time."""

    id = "redis-connections-used"
    title = "Fewer than 80 % of Redis' connections are in use"
    sentences = ("redis-connections", "pool-cluster")
    source = "Operating practice; what is beyond maxclients is refused (Redis documentation: Client handling)"
    remedy = "Find who holds the connections (CLIENT LIST), or raise maxclients and the limit of open files"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server has connections left."""
        used, maxclients = server.most("connected_clients"), server.most("maxclients")
        if used is None or not maxclients:
            return self.not_known(server, "maxclients", "connected_clients")
        status = FAIL if used >= MOST_USED * maxclients else PASS
        return self.on(server, status, f"{used} of {maxclients} connections are in use ({used / maxclients:.0%})")


class RedisRejectedNone(of_redis.ServerRule):
    """Each connection that Redis refused ended a query, or a whole process. The server counts them since it started."""

    id = "redis-rejected-connections"
    title = "Redis has refused no connection"
    severity = WARNING
    sentences = ("redis-connections", "pool-cluster")
    source = "Redis documentation: INFO; cube-js/cube issue 104"
    remedy = "Raise maxclients as redis-maxclients says, then set the counter back (CONFIG RESETSTAT)"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server has refused connections."""
        rejected, uptime = server.most("rejected_connections"), server.most("uptime_seconds")
        if rejected is None:
            return self.not_known(server, "rejected_connections")
        since = f" in {uptime / 3600:.0f} hours" if uptime is not None else ""
        return self.on(server, FAIL if rejected else PASS, f"{rejected} connections were refused{since}")
