# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on tenants being kept apart in Redis: a crowd is found once for all of its members, however many."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    FAIL,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, RedisLink
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import REMEDY, Link
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import View, view
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import of_redis
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import repeated
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.redis import linked

_IN_CODE = (
    "Give each tenant a Redis of its own, or at least an index: then nothing hangs on the prefix that the project's "
    "code chooses"
)
# The mark of a cleanup that runs (lock:drop-orphaned-tables), made without a prefix.
_LOCKS = ">=0.27.30"
_BUS = "queue_events_bus"


@dataclass(frozen=True)
class _Crowd:
    """Tenants that have something in common, and the first of their names, which stand for all in a message."""

    members: frozenset[str] = frozenset()
    first: tuple[str, ...] = ()

    def others(self, tenant: str) -> int:
        """Return how many there are besides a tenant."""
        return len(self.members) - (tenant in self.members)


def _told(crowds: Iterable[_Crowd], tenant: str) -> str:
    """Return who is in crowds besides a tenant, in words; "" for nobody."""
    names: set[str] = set()
    count = 0
    for crowd in crowds:
        names.update(name for name in crowd.first if name != tenant)
        count = max(count, crowd.others(tenant))
    shown = sorted(names)[: of_redis.SHOWN]
    return ", ".join(shown) + (f" and {count - len(shown)} more" if count > len(shown) else "")


def _crowds(members: Iterable[tuple[tuple[object, ...], str]]) -> Mapping[tuple[object, ...], _Crowd]:
    found: dict[tuple[object, ...], set[str]] = {}
    for key, tenant in members:
        found.setdefault(key, set()).add(tenant)
    # One more than is shown, since the tenant itself is left out.
    return {
        key: _Crowd(frozenset(names), tuple(heapq.nsmallest(of_redis.SHOWN + 1, names))) for key, names in found.items()
    }


def _reached(live: Live) -> Iterator[Link]:
    return (link for link in live.once(view).links if link.reached)


def _keyspaces(live: Live) -> Mapping[tuple[object, ...], _Crowd]:
    """Return server, index and prefix (None where code chooses it) -> who has keys there."""
    return _crowds(((*link.place, link.instance.seen.prefix), link.instance.tenant) for link in _reached(live))


def _databases(live: Live) -> Mapping[tuple[object, ...], _Crowd]:
    return _crowds((link.place, link.instance.tenant) for link in _reached(live))


def _channels(live: Live) -> Mapping[tuple[object, ...], _Crowd]:
    """Return server -> who listens to the events of queues there."""
    return _crowds((link.place[:1], link.instance.tenant) for link in _reached(live) if link.settings.is_on(_BUS))


def _server(link: RedisLink) -> str:
    return link.server or link.host.lower()


class RedisNotShared(of_redis.TenantRule):
    """Cube's keys carry no tenant: on one keyspace a tenant reads another's rows and runs its queries.

    The prefix is the same constant in every deployment from 0.29 on. On live hosts a keyspace is the server's own
    identity (run_id), the database index, and the prefix by version: a server has many names.
    """

    id = "redis-shared-by-tenants"
    title = "No two tenants share a Redis keyspace"
    severity = CRITICAL
    source = "Seen on Cube.js 0.29.57: one deployment got another's rows, and ran its queries"
    remedy = "Give each tenant a Redis of its own, or at least another index in its Redis URL"
    across_tenants = True

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants on the same server and index."""
        usable = [(tenant, link) for tenant, link in linked(fleet) if link.host or link.shared]
        for _place, members in repeated(usable, lambda pair: (_server(pair[1]), pair[1].port, pair[1].index)):
            first, *others = members
            for tenant, link in others:
                yield self.found(
                    f"{tenant.subject}.redis",
                    f"{first[0].name} is on the same Redis, {_server(link)}:{link.port}, and index {link.index}",
                    "Give each tenant a Redis of its own, or at least another index",
                    tenant=tenant.name,
                )

    def judged(self, tenant: str, links: Sequence[Link], _seen: View, _fleet: Fleet, live: Live) -> Finding:
        """Return whether a tenant is alone in the keyspaces of its instances."""
        spaces, databases = live.once(_keyspaces), live.once(_databases)
        reached = [link for link in links if link.reached]
        own = {(*link.place, link.instance.seen.prefix) for link in reached}
        same = _told((spaces[key] for key in own if key[-1] is not None), tenant)
        if same:
            asked = sorted({f"{link.label} as {link.seen.asked}" for link in reached if link.seen})
            message = f"{same} reads and writes the same keys: same server, index and prefix"
            return self.on(tenant, FAIL, message, evidence=asked[: of_redis.SHOWN])
        # Whoever has a prefix that is not known may have this one.
        others = [(key[0], key[1], None) for key in own]
        in_code = [databases[key[:-1]] for key in own if key[-1] is None]
        in_code += [spaces[key] for key in others if key in spaces]
        unsure = _told(in_code, tenant)
        if unsure:
            message = f"{unsure} is in the same database, and a prefix is chosen in code"
            return self.on(tenant, UNKNOWN, message, _IN_CODE)
        blind = next((link for link in links if not link.reached), None)
        if blind is not None:
            return self.on(tenant, UNKNOWN, f"it is not known where its keys are: {blind.label}: {blind.why}", REMEDY)
        return self.on(tenant, PASS, "no other tenant that was seen has keys where it has its own")


class RedisLocksNotShared(of_redis.TenantRule):
    """Some of what Cube keeps in Redis has no prefix: tenants in one database block each other's cleanup of tables.

    From 0.27.30 a lock guards the cleanup, the same for all in a database. The events of queues go over a channel that
    all have in common on a server, whatever their index.
    """

    id = "redis-locks-shared"
    title = "Tenants do not share what Cube keeps in Redis without a prefix"
    severity = WARNING
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51"
    remedy = "Give each tenant a Redis of its own; another index separates the locks, but not the channel of events"
    across_tenants = True

    def judged(self, tenant: str, links: Sequence[Link], _seen: View, _fleet: Fleet, live: Live) -> Finding:
        """Return whether a tenant shares locks, or the channel of events, with another."""
        databases, channels = live.once(_databases), live.once(_channels)
        reached = [link for link in links if link.reached]
        locked = _told((databases[place] for place in {link.place for link in reached if _locks(link)}), tenant)
        servers = {link.place[:1] for link in reached if link.settings.is_on(_BUS)}
        heard = _told((channels[server] for server in servers), tenant)
        told = [f"only one cleanup of tables at a time is allowed to it and {locked}"] if locked else []
        told += [f"it has one channel of events with {heard}"] if heard else []
        if told:
            return self.on(tenant, FAIL, "; ".join(told))
        if len(reached) < len(links):
            blind = next(link for link in links if not link.reached)
            return self.on(tenant, UNKNOWN, f"{blind.label}: {blind.why}", REMEDY)
        return self.on(tenant, PASS, "no other tenant that was seen shares its locks or its channel of events")


def _locks(link: Link) -> bool:
    # Of a version that is not known the worse is taken.
    return len(link.settings.subjects) > 1 or versions.within(link.instance.version, _LOCKS)
