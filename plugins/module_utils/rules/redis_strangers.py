# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on others in the Redis of a tenant, whom no host that was looked at explains."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, PASS, UNKNOWN, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import Server, View
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import of_redis
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import is_loopback

_PARTIAL = (
    "Look through all of its keys (redis-cli --scan --pattern 'SQL_*'), or give the deployment a Redis of its own"
)
_ELSEWHERE = "Look at all hosts in one run: leave --limit out, and make the missing ones reachable"


class RedisOfNobodyElse(of_redis.DatabaseRule):
    """Keys of Cube with a prefix that no instance here has belong to a deployment that nobody looked at.

    Its next version may have the prefix of this one, and then both read each other's rows. An upgrade leaves keys with
    the earlier prefix, too, for a day.
    """

    id = "redis-other-deployments"
    title = "No other deployment keeps keys in a tenant's database"
    sentences = ("redis-same",)
    source = "Keys as in the source of @cubejs-backend/query-orchestrator 0.20.9 to 0.31.69"
    remedy = "Move the other deployment to a Redis of its own, or audit its hosts too; after an upgrade wait for a day"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, live: Live) -> Finding:
        """Return whether the prefixes of keys in a database are those of its instances."""
        scanned = [look for look in server.looks if look.prefixes is not None]
        if not scanned:
            return self.not_known(server, "prefixes")
        present = {prefix for look in scanned for prefix in look.prefixes or ()}
        own = {link.instance.seen.prefix for link in server.links}
        strange = present - _explained(prefix for prefix in own if prefix is not None)
        if strange and None in own:
            message = f"the project chooses its prefix in code, and there are {of_redis.listed(strange)}"
            return self.on(server, UNKNOWN, message, "Compare them with what contextToOrchestratorId gives")
        if strange and live.missing:
            message = f"{of_redis.listed(strange)} may be of {of_redis.listed(live.missing)}, not looked at"
            return self.on(server, UNKNOWN, message, _ELSEWHERE)
        if strange:
            return self.on(server, FAIL, f"there are keys of other deployments: {of_redis.listed(strange)}")
        if not any(look.scanned_whole for look in scanned):
            keys = server.most("db_keys")
            many = f"the {keys} keys" if keys is not None else "its keys"
            return self.on(server, UNKNOWN, f"only a part of {many} was looked at, and no other was there", _PARTIAL)
        return self.on(server, PASS, f"all of Cube's keys are its own: {of_redis.listed(present) or 'none'}")


def _explained(prefixes: Iterable[str]) -> set[str]:
    """Return the prefixes, and what of them a key's name may be cut at: where one ends there is an underscore, too."""
    found = set()
    for prefix in prefixes:
        words = prefix.split("_")
        found |= {"_".join(words[: count + 1]) for count in range(len(words))}
    return found


class RedisClientsAreKnown(of_redis.DatabaseRule):
    """Who is connected to a tenant's database from a host that nobody looked at may be one of its processes.

    Or one of another deployment, with the same keys. Monitoring, replicas and Sentinels show on index 0.
    """

    id = "redis-other-clients"
    title = "Clients of a tenant's database are on hosts that were looked at"
    severity = WARNING
    sentences = ("redis-same",)
    source = "Redis documentation: CLIENT LIST"
    remedy = "Audit that host, too; or waive this for monitoring; or keep it out (bind, firewall, another password)"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, live: Live) -> Finding:
        """Return whether all clients of a database are on hosts that were looked at."""
        look = next((each for each in server.looks if each.peers is not None), None)
        if look is None or look.peers is None:
            return self.not_known(server, "peers")
        here = any(link.remote is False for link in server.links)
        known = live.once(_addresses)
        strange = {
            peer.address: peer.count
            for peer in look.peers
            if peer.database == str(look.index) and peer.address not in known and not (here and _is_local(peer.address))
        }
        if not strange:
            return self.on(server, PASS, "all of its clients are on hosts that were looked at")
        message = f"{sum(strange.values())} connections come from elsewhere: {of_redis.listed(strange)}"
        if live.missing:
            return self.on(server, UNKNOWN, f"{message}; not looked at: {of_redis.listed(live.missing)}", _ELSEWHERE)
        return self.on(server, FAIL, message)


def _is_local(address: str) -> bool:
    """Return whether a client is on the server's own host: by loopback, or by a socket's path."""
    return address.startswith("/") or is_loopback(address)


def _addresses(live: Live) -> frozenset[str]:
    return frozenset(address for each in live.observations.values() for address in each.addresses)
