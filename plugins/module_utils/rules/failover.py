# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what Sentinel watches could lose its primary now."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import names
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import ERROR, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, RedisLink
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import several
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.redis import linked

LOOK = "Look at all hosts in one run: leave --limit out, or make the host reachable"


class FailoverPossible(Rule):
    """Clients see nothing of a replica or a Sentinel that is gone, until the primary is lost as well.

    Then there is nothing to promote, or too few Sentinels agree on it: more than half of all have to.
    """

    id = "redis-failover-possible"
    title = "A Redis that Sentinel watches could fail over now: its replicas follow, and the Sentinels run"
    source = "Redis documentation: Sentinel"
    remedy = "Start what is named, and look into its journal for why it ended"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each watched Redis whether its replicas follow, and of each Sentinel whether it runs."""
        if not live.observations and not live.missing:
            return
        for tenant, link in linked(fleet):
            if link.sentinel and link.server:
                unit = names.redis_unit(tenant.name)
                yield verdicts.found(self, unit, _of_replicas(live, tenant.name, link), tenant=tenant.name)
        listening = {host: _listens(live, host, names.SENTINEL_PORT) for host in fleet.sentinels}
        left = sum(each is not False for each in listening.values())
        grave = ERROR if 2 * left <= len(listening) else WARNING
        for host, listens in listening.items():
            verdict = _of_sentinel(listens, f"{left} of {len(listening)}", grave)
            where = host if host in live.observations else ""
            yield verdicts.found(self, f"Sentinel on {host}:{names.SENTINEL_PORT}", verdict, host=where)


def _of_replicas(live: Live, tenant: str, link: RedisLink) -> verdicts.Verdict:
    hosts = (link.server, *link.replicas)
    gone = [host for host in hosts if _listens(live, host, link.port) is False]
    if gone:
        return verdicts.fails(f"nothing listens on port {link.port} of {several(gone)}")
    looks = (live.observations[each.host].redis.get(each.seen.redis) for each in live.instances_of(tenant))
    counts = [seen.replicas for seen in looks if seen is not None and seen.replicas is not None]
    if counts and min(counts) < len(link.replicas):
        return verdicts.fails(f"{min(counts)} of {len(link.replicas)} replicas follow the primary")
    unseen = [host for host in hosts if _listens(live, host, link.port) is None]
    if unseen:
        return verdicts.unknown(f"what listens on {several(unseen)} was not seen", LOOK)
    if not counts and tenant in live.at_rest:
        return verdicts.passes(f"its tenant is suspended, and all of {several(hosts)} listen")
    if not counts:
        return verdicts.unknown("no instance's settings reached the primary, which knows its replicas")
    return verdicts.passes(f"all of {several(hosts)} listen, and {len(link.replicas)} replicas follow")


def _of_sentinel(listens: bool | None, left: str, severity: str) -> verdicts.Verdict:
    if listens is None:
        return verdicts.unknown("what listens on the host was not seen", LOOK)
    if listens:
        return verdicts.passes("it listens")
    return verdicts.fails(f"nothing listens there; {left} Sentinels are left", severity=severity)


def _listens(live: Live, host: str, port: int) -> bool | None:
    """Return whether anything listens on a port of a host; None where that was not seen."""
    seen = live.observations.get(live.same_machines.get(host, host))
    # Something always does on a host that Ansible reaches: nothing at all was not read.
    if seen is None or not seen.listening:
        return None
    return any(each.port == port for each in seen.listening)
