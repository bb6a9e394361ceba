# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on Redis that Sentinel watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.cubeops.cubejs.plugins.module_utils import firewall, names, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import ERROR, INFO, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, RedisLink, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import is_address
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import view
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import several
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.redis import linked
from ansible_collections.cubeops.cubejs.plugins.module_utils.tries import Tried, tries_of
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import whereabouts

# With two, neither can call a primary gone once the other is: a failover needs more than half of them.
FEWEST_SENTINELS = 3
_READS_SENTINEL = ">=0.26.7"
# For which ioredis waits for a connection unless it is told otherwise, and Cube cannot tell it; see decision 89.
_CONNECT_SECONDS = 10


class SentinelCanFailOver(Rule):
    """A failover needs a replica to promote, more than half of the Sentinels to agree, and clients that ask them.

    Cube asks Sentinel through ioredis alone, which it has from 0.26.7 on, and by a URL that can neither ask for TLS nor
    hold an IPv6 address.
    """

    id = "redis-sentinel-possible"
    title = "A Redis with Sentinel has replicas, enough Sentinels, and clients that can ask them"
    sentences = ("redis-url",)
    source = "Redis documentation: Sentinel; source of @cubejs-backend/query-orchestrator 0.29.51 (IORedisFactory.js)"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants whose Redis cannot be watched as it is asked for."""
        for tenant, link in linked(fleet):
            for message, remedy in _problems(tenant, link, fleet) if link.sentinel else ():
                yield self.found(f"{tenant.subject}.redis.sentinel", message, remedy, tenant=tenant.name)


def _problems(tenant: Tenant, link: RedisLink, fleet: Fleet) -> Iterator[tuple[str, str]]:
    if not link.server:
        yield (
            "its Redis is not deployed here",
            "Leave it out, and name an external one by its Sentinel URL in redis.url",
        )
        return
    if link.shared:
        yield "the Redis that tenants share is not replicated", "Leave sentinel out, or shared"
    if link.tls:
        yield "Cube's Sentinel URL cannot ask for TLS", "Leave sentinel out, or tls"
    if not link.replicas:
        yield (
            f"its only host of Redis is {link.server}: there is no replica to promote",
            "Put another host into cubejs_redis, or bind the tenant to more of its hosts",
        )
    if len(link.sentinels) < FEWEST_SENTINELS:
        yield (
            f"{len(link.sentinels)} Sentinels cannot outvote the loss of one",
            f"Put {FEWEST_SENTINELS} or more hosts, an odd number, into cubejs_redis_sentinels",
        )
    if any(":" in fleet.addresses.get(host, "") for host in link.sentinels):
        yield "Cube cannot read the IPv6 address of a Sentinel", "Give its host an IPv4 address in cubejs_address"
    if not versions.within(tenant.version, _READS_SENTINEL):
        yield f"Cube {tenant.version} cannot ask Sentinels (since 0.26.7)", "Leave it out, or use a newer version"


class SentinelReliesOnFirewall(Rule):
    """Sentinels ask for no password, because Cube cannot give them one: who reaches their port decides on the primary.

    With a command anyone could make a server of his own the primary, to which every process then sends its password and
    its queries. The firewall of this collection keeps others away; an audit has a host without business there try.
    """

    id = "redis-sentinel-open"
    title = "Sentinels are behind a firewall"
    severity = INFO
    source = "source of @cubejs-backend/query-orchestrator 0.29.51 (IORedisFactory.js sets no sentinelPassword)"
    remedy = "Leave firewall_enabled on and run site.yml, or let another firewall keep others than its clients out"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield that there are Sentinels, which only a firewall protects, and on which hosts there is none of ours."""
        if not fleet.sentinels:
            return
        message = (
            f"{len(fleet.sentinels)} Sentinels ask nobody for a password on port {names.SENTINEL_PORT}, and cannot"
        )
        bare = sorted(fleet.unguarded.intersection(fleet.sentinels))
        if bare:
            message += f"; firewall_enabled is false on {', '.join(bare)}"
            severity = WARNING
        else:
            message += ": the firewall admits to it the hosts of Cube.js, of Redis and of Sentinels, and nobody else"
            severity = INFO
        yield self.found("cubejs_redis_sentinels", message, severity=severity)

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each Sentinel whether hosts that are not its clients reach it."""
        tries = tries_of(fleet, live)
        for door in firewall.doors(fleet):
            if door.service == firewall.SENTINEL:
                for port in door.ports:
                    tried = tries.at(door.host, port).without(door.clients)
                    host = door.host if door.host in live.observations else ""
                    yield verdicts.found(self, f"Sentinel on {door.host}:{port}", _of_tries(tried), host=host)


def _of_tries(tried: Tried) -> verdicts.Verdict:
    if tried.opened:
        who = several(tried.opened)
        return verdicts.fails(
            f"{who} can reach it without a password, and is no client: whoever does can make any host the primary",
            severity=ERROR,
        )
    if tried.closed:
        return verdicts.passes(f"the firewall protects it: {several(tried.closed)} tried, and did not get through")
    return verdicts.unknown(
        "only a firewall protects it, and no host that has no business there tried to reach it",
        "Audit a host that is in none of the groups, too (cubejs_audit_hosts)",
    )


class SentinelOfOwnHostFirst(Rule):
    """For each connection of a pool ioredis asks the Sentinels of the URL, in their order.

    It waits 10 s for one whose host is gone. A request waits no longer than that for a connection: it fails with
    "ResourceRequest timed out", although Redis itself is well. The Sentinel of the instance's own host is gone with its
    host only when the instance is, too.
    """

    id = "redis-sentinel-first"
    title = "An instance asks the Sentinel of its own host first"
    severity = WARNING
    sentences = ("redis-url",)
    source = "Measured on Cube.js 0.29.57 with ioredis 4.31, a host of three unplugged: 31.1 s, and 5.9 s in this order"
    remedy = "Name the Sentinel of the instance's own host first in CUBEJS_REDIS_URL"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance that asks Sentinels whether the first is on its own host."""
        where = whereabouts(fleet, live)
        for link in live.once(view).links:
            asked = link.seen.sentinels if link.seen else ()
            if asked:
                here = link.instance.host
                hosts = {each: where.host_at(here, each.rpartition(":")[0]) for each in asked}
                own = [each for each in asked if hosts[each] == here]
                # A name that none of the hosts has may be another one for this very host.
                lost = [each for each in asked if not hosts[each] and not is_address(each.rpartition(":")[0])]
                yield verdicts.of(self, link.instance, _of_order(asked, own, lost))


def _of_order(asked: Sequence[str], own: Sequence[str], lost: Sequence[str]) -> verdicts.Verdict:
    first = asked[0]
    if first in own:
        return verdicts.passes(f"it asks {first} first, on its own host")
    if first in lost or (lost and not own):
        return verdicts.unknown(f"which host {lost[0]} is", "Name Sentinels by their addresses in CUBEJS_REDIS_URL")
    waits = f"while that one's host is gone, each new connection waits {_CONNECT_SECONDS} s, and requests fail"
    if own:
        return verdicts.fails(
            f"it asks {first} before {own[0]}, on its own host: {waits}", f"Name {own[0]} first in CUBEJS_REDIS_URL"
        )
    return verdicts.fails(
        f"it asks {first} first, and none on its own host: {waits}",
        "Run a Sentinel on the host, too, and name it first",
        severity=INFO,
    )
