# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on who can get at a Redis server, and on what travels to it."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    ERROR,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import REMEDY, Link
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import Server, View
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import of_redis
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import EVERYWHERE, is_loopback, is_public

_LOOK_THERE = "Look at the host of Redis, too, with become: true; of a managed Redis look at its network rules yourself"


class RedisPassword(of_redis.ServerRule):
    """Cube's cache holds rows of the source, and its queue holds SQL that is run: whoever reaches Redis has both."""

    id = "redis-password"
    title = "Redis turns away who gives no password"
    sentences = ("redis-password",)
    source = "Production Checklist: Set up Redis"
    remedy = "Set requirepass (or a password for the default user), and CUBEJS_REDIS_PASSWORD of every process with it"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether a server refused a client without a password."""
        refused = server.values("stranger_refused")
        if not refused:
            return self.not_known(server, "stranger_refused")
        if not all(refused):
            return self.on(server, FAIL, "it answers clients without a password")
        return self.on(server, PASS, "it refuses clients without a password")


class RedisListensPrivately(of_redis.ServerRule):
    """A Redis that listens on every address is open to whatever network its host joins next."""

    id = "redis-listens-privately"
    title = "Redis listens where its clients are, and not on a public address"
    sentences = ("redis-password",)
    source = "Redis documentation: Security"
    remedy = "Set bind to 127.0.0.1 and the address that other hosts of Cube use, and let a firewall close the port"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, live: Live) -> Finding:
        """Return whether a server listens on a public address, or on all."""
        public = sorted({each for link in server.links for each in link.server_addresses if is_public(each)})
        if public:
            return self.on(server, FAIL, f"it is reached at a public address: {', '.join(public)}")
        places = _listening(server, live)
        if not places:
            message = "its host was not looked at, or does not show where it listens"
            return self.on(server, UNKNOWN, message, _LOOK_THERE)
        wide = [(host, address) for host, address in places if address in EVERYWHERE]
        exposed = sorted({each for host, _all in wide for each in live.observations[host].addresses if is_public(each)})
        exposed += sorted(address for _host, address in places if is_public(address))
        if exposed:
            return self.on(server, FAIL, f"it listens on a public address: {', '.join(exposed)}")
        if wide:
            return self.on(server, FAIL, "it listens on every address of its host", severity=WARNING)
        return self.on(server, PASS, f"it listens on {', '.join(sorted({address for _host, address in places}))}")


def _listening(server: Server, live: Live) -> set[tuple[str, str]]:
    """Return host and address where a server listens, of hosts that were looked at."""
    ports, owners = live.once(_ports), live.once(_owners)
    found = set()
    for link in server.links:
        if link.seen is None:
            continue
        for address in link.server_addresses:
            here = is_loopback(address) or address in link.own_addresses
            host = link.instance.host if here else owners.get(address, "")
            found |= {(host, each) for each in ports.get((host, link.seen.port), ())}
    return found


def _ports(live: Live) -> Mapping[tuple[str, int], list[str]]:
    """Return host and port -> the addresses on which something listens there."""
    found: dict[tuple[str, int], list[str]] = {}
    for host, observation in live.observations.items():
        for each in observation.listening:
            found.setdefault((host, each.port), []).append(each.address)
    return found


def _owners(live: Live) -> Mapping[str, str]:
    """Return address -> the host whose it is; those that several have, such as a bridge's, are nobody's."""
    found: dict[str, str] = {}
    for host, observation in live.observations.items():
        for address in observation.addresses:
            found[address] = "" if address in found else host
    return found


class RedisSpeaksTls(of_redis.LinkRule):
    """Between hosts, rows of the source and the password itself are readable to the network without TLS."""

    id = "redis-tls"
    title = "The way to a Redis on another host is encrypted"
    severity = WARNING
    sentences = ("redis-tls",)
    source = "Production Checklist: Set up Redis"
    remedy = "Let Redis speak TLS, and set CUBEJS_REDIS_TLS=true (REDIS_TLS up to 0.26); or tunnel between the hosts"

    def judged(self, link: Link, _fleet: Fleet) -> Finding:
        """Return whether an instance reaches its Redis by TLS, or on its own host."""
        if link.seen is None or link.seen.reason == "url":
            return self.not_known(link) if link.seen is None else self.of(link.instance, UNKNOWN, link.why, REMEDY)
        if link.seen.tls:
            if not link.reached:
                return self.of(link.instance, UNKNOWN, link.why, REMEDY)
            return self.of(link.instance, PASS, "it speaks TLS with its Redis, whose certificate holds")
        remote = link.remote
        if remote is None:
            message = f"whether {link.seen.host} is another host is not known, and it speaks no TLS"
            return self.of(link.instance, UNKNOWN, message, "Look while the instance has connections to its Redis")
        if not remote:
            return self.of(link.instance, NOT_APPLICABLE, "its Redis is on its own host")
        public = any(map(is_public, link.server_addresses))
        message = f"it reaches {link.seen.host} without TLS" + (", over a public network" if public else "")
        return self.of(link.instance, FAIL, message, severity=ERROR if public else WARNING)
