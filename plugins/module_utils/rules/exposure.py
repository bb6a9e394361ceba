# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on ports: who can reach Cube.js, its Redis and its storage besides those who are meant to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import STATUSES, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Listener, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Reach
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.network import OPEN
from ansible_collections.cubeops.cubejs.plugins.module_utils.proxying import proxies_of
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import several
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import Verdict
from ansible_collections.cubeops.cubejs.plugins.module_utils.tries import CLOSED, Tried, Tries, tries_of
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import (
    EVERYWHERE,
    is_loopback,
    is_public,
    whereabouts,
)

TRY = "Let a host that has no business there try: reach: [{host: ..., port: ...}] of instance_info"
TRY_AGAIN = "Write an address that this host has a way to, or give it more time (deadline_seconds)"
_SQL_PORTS = ("CUBEJS_SQL_PORT", "CUBEJS_PG_SQL_PORT")
_OTHERS_WRITE = 0o002
_MODE = re.compile(r"[0-7]{3,4}")


class CubePortExposed(Rule):
    """Cube.js listens on every interface, and its SQL APIs do: who gets there goes round the proxy, and its TLS.

    A socket that everybody on the host may open is open to every other tenant there, unless its directory is not.
    """

    id = "cube-port-exposed"
    title = "Nobody but its proxy reaches an instance's ports and sockets"
    sentences = ("tls-by-proxy",)
    source = "Source of @cubejs-backend/server 0.29.57: server.listen(PORT) takes no address"
    remedy = "Listen on a Unix socket (PORT=/path), or let a firewall keep others than the proxy out"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance who reaches it."""
        tries = tries_of(fleet, live)
        for tenant in live.tenants:
            proxies = _proxy_hosts(fleet, live, tenant)
            for instance in live.instances_of(tenant):
                yield verdicts.of(self, instance, _of_instance(live, instance, tries, proxies))


class RedisExposed(Rule):
    """Redis executes whatever it is told, for every tenant at once where they share it: a password is all there is.

    What it listens on is judged by itself; here it is who came through when they tried.
    """

    id = "redis-port-exposed"
    title = "No host without business there reaches Redis"
    source = "Redis documentation: Security"
    remedy = "Bind Redis to the addresses that its clients use, and let a firewall keep others out"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each Redis server who reaches it."""
        yield from _of_ports(self, fleet, live, "Redis", _redis_uses(live), by_tries_alone=True)


class MysqlExposed(Rule):
    """The storage holds all tenants' rows, and mysql_native_password is a login that can be tried fast."""

    id = "mysql-port-exposed"
    title = "Nobody but Cube.js reaches the storage's server"
    source = "MySQL Reference Manual: Making MySQL Secure Against Attackers"
    remedy = "Set bind_address to the addresses that its clients use, and let a firewall keep others out"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server of pre-aggregations who reaches it."""
        yield from _of_ports(self, fleet, live, "MySQL", _mysql_uses(live))


class TriedPortClosed(Rule):
    """A host that was told to try a port has no business there, by the very question: an answer is a way round.

    Of hosts that were looked at themselves it is known what listens there, and other rules judge it.
    """

    id = "tried-port-closed"
    title = "Ports that a host was told to try, of hosts that were not looked at, are closed to it"
    sentences = ("tls-by-proxy",)
    source = "Source of @cubejs-backend/server 0.29.57: server.listen(PORT) takes no address"
    remedy = "Let what listens there do so on a Unix socket or on loopback, or let a firewall keep this host out"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each try how it ended."""
        where = whereabouts(fleet, live)
        for host, seen in live.observations.items():
            for each in seen.reach:
                if (where.host_at(host, each.host) or each.host) not in live.observations:
                    yield verdicts.found(self, f"{each.host}:{each.port}", _of_try(host, each), host=host)


def _of_try(host: str, tried: Reach) -> Verdict:
    if tried.state == OPEN:
        return verdicts.fails(f"{host} can reach it")
    if tried.state in CLOSED:
        return verdicts.passes(f"{host} tried, and did not get through")
    return verdicts.unknown(f"{host} tried, and could not tell: {tried.problem or 'no reason given'}", TRY_AGAIN)


@dataclass(frozen=True)
class _Use:
    """A port of a server as an instance reaches it. by_socket: through a Unix socket of its own host."""

    instance: LiveInstance
    address: str
    port: int
    by_socket: bool = False


@dataclass
class _Port:
    """A port of a server and who uses it. host: one of the fleet, or the address of another."""

    host: str
    port: int
    clients: set[str] = field(default_factory=set)
    tenants: set[str] = field(default_factory=set)
    by_socket: bool = True


def _redis_uses(live: Live) -> Iterator[_Use]:
    for instance in live.instances:
        seen = live.observations.get(instance.host)
        look = seen.redis.get(instance.seen.redis) if seen else None
        # Without a port it is a URL that the client cannot use.
        if look is not None and look.port:
            yield _Use(instance, look.host, look.port)


def _mysql_uses(live: Live) -> Iterator[_Use]:
    for instance in live.instances:
        seen = live.observations.get(instance.host)
        look = seen.mysql.get(instance.seen.storage) if seen else None
        if look is not None:
            by_socket = bool(look.socket)
            yield _Use(instance, "localhost" if by_socket else look.host, look.port, by_socket)


def _of_ports(
    rule: Rule, fleet: Fleet, live: Live, product: str, uses: Iterable[_Use], *, by_tries_alone: bool = False
) -> Iterator[Finding]:
    """Yield a finding on each port that instances use. by_tries_alone: another rule judges its addresses."""
    where, tries = whereabouts(fleet, live), tries_of(fleet, live)
    ports: dict[tuple[str, int], _Port] = {}
    for use in uses:
        host = where.host_at(use.instance.host, use.address) or use.address
        port = ports.setdefault((host, use.port), _Port(host, use.port))
        port.clients.add(use.instance.host)
        port.tenants.add(use.instance.tenant)
        port.by_socket = port.by_socket and use.by_socket
    for port in ports.values():
        tenant = min(port.tenants) if len(port.tenants) == 1 else ""
        seen = live.observations.get(port.host)
        tried = tries.at(port.host, port.port).without(port.clients)
        verdict = _of_port(port, seen, tried, by_tries_alone=by_tries_alone)
        host = port.host if seen else ""
        yield verdicts.found(rule, f"{product} on {port.host}:{port.port}", verdict, tenant=tenant, host=host)


def _of_port(port: _Port, seen: Observation | None, tried: Tried, *, by_tries_alone: bool) -> Verdict:
    if tried.opened:
        return verdicts.fails(f"{several(tried.opened)} can reach it, where none of its clients is")
    listeners = [each for each in seen.listening if each.port == port.port] if seen else []
    if listeners and all(is_loopback(each.address) for each in listeners):
        return verdicts.passes("it listens on loopback only")
    if tried.closed:
        return verdicts.passes(f"{several(tried.closed)} tried, and did not get through")
    if seen is None:
        return verdicts.unknown("it is on no host that was looked at, and no other tried", TRY)
    if not listeners:
        if port.by_socket:
            return verdicts.passes("it listens on a Unix socket only")
        return verdicts.unknown(
            f"what listens on port {port.port} there was not seen", "Run the task with become: true"
        )
    return _untried(listeners, None if by_tries_alone else seen)


def _untried(listeners: Iterable[Listener], seen: Observation | None) -> Verdict:
    """Return what addresses tell of ports that nobody tried to reach; seen: their host, None leaves them alone."""
    listed = ", ".join(sorted({f"{each.address}:{each.port}" for each in listeners}))
    if seen is not None and any(_is_public(each, seen) for each in listeners):
        return verdicts.fails(
            f"it listens on {listed}, on the Internet, and no host tried whether a firewall keeps others out",
            severity=WARNING,
        )
    return verdicts.unknown(f"it listens on {listed}, and no host that has no business there tried to reach it", TRY)


def _is_public(listener: Listener, seen: Observation) -> bool:
    if listener.address in EVERYWHERE:
        return any(map(is_public, seen.addresses))
    return is_public(listener.address)


def _proxy_hosts(fleet: Fleet, live: Live, tenant: str) -> set[str]:
    """Return the hosts that are meant to reach a tenant's instances."""
    serving, planned, where = proxies_of(fleet, live)[tenant], fleet.tenant(tenant), whereabouts(fleet, live)
    asked = (where.host_at(each.host, each.seen.address) for each in serving.asked)
    return {*serving.hosts, *asked, *(planned.proxy_hosts if planned else ())}


def _of_instance(live: Live, instance: LiveInstance, tries: Tries, proxies: Collection[str]) -> Verdict:
    seen = instance.seen
    if not seen.running:
        return verdicts.not_applicable("it does not run")
    if not seen.listeners:
        notes = (note for note in seen.unknown if note.what == "listeners")
        return verdicts.unknown(next(notes, "no port or socket of it was seen"), "Run the task with become: true")
    found = [_of_socket(each) for each in seen.listeners if each.kind == "unix"]
    untried = []
    for listener in seen.listeners:
        if listener.kind != "tcp" or is_loopback(listener.address):
            continue
        tried = tries.at(instance.host, listener.port).without(proxies)
        if tried.opened:
            who = several(tried.opened)
            return verdicts.fails(
                f"{who} can reach port {listener.port}{_what(instance, listener)}, and is no proxy of it"
            )
        if not tried.closed:
            untried.append(listener)
    if untried:
        found.append(_untried(untried, live.observations.get(instance.host)))
    return min(found, key=lambda each: STATUSES.index(each.status), default=_CLOSED)


_CLOSED = verdicts.passes("it listens where its own host, or nobody but its proxy, gets through")


def _of_socket(listener: Listener) -> Verdict:
    if not _MODE.fullmatch(listener.mode):
        return verdicts.unknown(f"the mode of {listener.path} could not be read", "Run the task with become: true")
    if int(listener.mode, 8) & _OTHERS_WRITE:
        return verdicts.fails(
            f"{listener.path} has mode {listener.mode}: every user of the host may open it, if its directory lets in",
            "Set UMask=0007 in its unit, and give the socket's directory to the proxy's group",
            severity=WARNING,
        )
    return verdicts.passes(f"{listener.path} is open to {listener.owner} and {listener.group} only")


def _what(instance: LiveInstance, listener: Listener) -> str:
    return " (SQL API)" if str(listener.port) in map(instance.seen.value, _SQL_PORTS) else ""
