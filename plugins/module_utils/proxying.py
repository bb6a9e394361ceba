# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which proxies serve which tenant: Nginx' servers as their files say, and what was answered to who asked by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import (
    Passing,
    ProxySeen,
    Unknown,
    WebServer,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import PORT
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import (
    Whereabouts,
    is_loopback,
    whereabouts,
)

NOBODY = ""
_HTTP_PORT = "80"
_ADDRESS = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(\d+))?")


@dataclass(frozen=True)
class Site:
    """A name in a file of Nginx on a host, with the servers that it has there.

    passings: the places that pass requests on to the tenant; all of the servers' where none is known to.
    instances: of whatever tenant, to which those places lead. dead_ends: on hosts that were seen, where no Cube.js
    listens. strangers: on hosts that were not.
    """

    host: str
    name: str
    path: str
    servers: tuple[WebServer, ...]
    passings: tuple[Passing, ...]
    instances: tuple[LiveInstance, ...] = ()
    dead_ends: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()

    @property
    def tls_servers(self) -> tuple[WebServer, ...]:
        """Return those of its servers that speak TLS."""
        return tuple(server for server in self.servers if server.tls)

    @property
    def subject(self) -> str:
        """Return how findings call it."""
        return f"{self.name} in {self.path}"


@dataclass(frozen=True)
class Asked:
    """What a proxy answered to the host that asked it."""

    host: str
    seen: ProxySeen

    @property
    def subject(self) -> str:
        """Return how findings call it."""
        seen = self.seen
        at = "" if seen.address == seen.server_name else f" at {seen.address}"
        return (
            f"{seen.server_name}{at}" if seen.https_port == 443 else f"{seen.server_name}{at}, port {seen.https_port}"
        )


@dataclass(frozen=True)
class Serving:
    """The proxies of one tenant. names: by which it is asked for, from the plan and from its sites."""

    tenant: str
    names: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    asked: tuple[Asked, ...] = ()

    @property
    def hosts(self) -> frozenset[str]:
        """Return the hosts of its sites."""
        return frozenset(site.host for site in self.sites)


@dataclass
class _Found:
    names: dict[str, None] = field(default_factory=dict)
    sites: dict[tuple[str, str, str], list[tuple[WebServer, Passing]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)


def proxies_of(fleet: Fleet, live: Live) -> Mapping[str, Serving]:
    """Return tenant -> its proxies, for every tenant that was seen or that a proxy serves.

    A proxy is a tenant's that serves the tenant's planned server name; one with a name that nobody planned is that of
    the tenants whose instances listen where it passes requests on to. What was asked for a name that is nobody's
    stands under "". A suspended tenant at rest is answered for by its proxies alone, and has none here.
    """
    return live.once(_all_proxies, fleet)


def unread_nginx(live: Live) -> Mapping[str, Unknown]:
    """Return host -> why its Nginx could not be read, where it could not."""
    return live.once(_unread)


def _unread(live: Live) -> dict[str, Unknown]:
    return {
        host: note for host, seen in live.observations.items() for note in seen.unknown if note.what == "web_servers"
    }


def _all_proxies(live: Live, fleet: Fleet) -> Mapping[str, Serving]:
    return _Proxies(fleet, live).all()


def is_loopback_listen(listen: str) -> bool:
    """Say whether what a `listen` of Nginx says can be reached from its own host only."""
    address = (listen.split() or [""])[0]
    match = _ADDRESS.fullmatch(address)
    if address.startswith("unix:") or match is None:
        return True
    return bool(match[1]) and not match[1].isdecimal() and is_loopback(match[1])


def place_of(where: Whereabouts, host: str, upstream: str) -> tuple[str, str] | None:
    """Return to which host an upstream of Nginx on a host leads ("" for nobody's), and to which port or socket."""
    if upstream.startswith("unix:"):
        return host, plain_socket(upstream[5:])
    match = _ADDRESS.fullmatch(upstream)
    return (where.host_at(host, match[1]), match[2] or _HTTP_PORT) if match and match[1] else None


class _Proxies:
    def __init__(self, fleet: Fleet, live: Live) -> None:
        self._live = live
        self._where = whereabouts(fleet, live)
        self._planned = {tenant.server_name.lower(): tenant.name for tenant in fleet.tenants if tenant.server_name}
        self._of_planned: dict[str, list[str]] = {}
        for name, tenant in self._planned.items():
            self._of_planned.setdefault(tenant, []).append(name)
        self._listening: dict[tuple[str, str], list[LiveInstance]] = {}
        for instance in live.instances:
            for place in _places(instance):
                self._listening.setdefault((instance.host, place), []).append(instance)
        self._found: dict[str, _Found] = {tenant: _Found() for tenant in live.tenants}

    def all(self) -> Mapping[str, Serving]:
        """Return the proxies of all tenants."""
        for host, seen in self._live.observations.items():
            for server in seen.web_servers:
                if server.passings:
                    self._add_server(host, server)
        by_name = self._names()
        for host, seen in self._live.observations.items():
            for proxy in seen.proxies:
                for tenant in _named(by_name, proxy.server_name.lower()) or (NOBODY,):
                    self._of(tenant).asked.append(Asked(host, proxy))
        return {
            tenant: self._serving(tenant, found)
            for tenant, found in self._found.items()
            if tenant not in self._live.at_rest
        }

    def _of(self, tenant: str) -> _Found:
        return self._found.setdefault(tenant, _Found())

    def _add_server(self, host: str, server: WebServer) -> None:
        names = [name.lower() for name in server.names if name not in ("_", "")]
        planned = dict.fromkeys(self._planned[name] for name in names if name in self._planned)
        reached = {id(passing): self._tenants_at(host, passing) for passing in server.passings}
        for tenant in planned or dict.fromkeys(name for tenants in reached.values() for name in tenants):
            found = self._of(tenant)
            found.names.update(dict.fromkeys([] if planned else names))
            own = [passing for passing in server.passings if tenant in reached[id(passing)]]
            key = (host, next(iter(names), "_"), server.path)
            found.sites.setdefault(key, []).extend((server, passing) for passing in own or server.passings)

    def _tenants_at(self, host: str, passing: Passing) -> dict[str, None]:
        return dict.fromkeys(each.tenant for end in passing.upstreams for each in self._at(host, end))

    def _at(self, host: str, upstream: str) -> list[LiveInstance]:
        """Return the instances that listen where Nginx on a host passes requests on to."""
        place = place_of(self._where, host, upstream)
        return self._listening.get(place, []) if place else []

    def _is_seen(self, host: str, upstream: str) -> bool:
        """Say whether what listens there would have been seen; "$" makes another end for each request."""
        if "$" in upstream:
            return False
        match = _ADDRESS.fullmatch(upstream)
        return match is None or self._where.host_at(host, match[1]) in self._live.observations

    def _names(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {name: [tenant] for name, tenant in self._planned.items()}
        for tenant, each in self._found.items():
            for name in each.names:
                if name not in self._planned:
                    found.setdefault(name, []).append(tenant)
        return found

    def _serving(self, tenant: str, found: _Found) -> Serving:
        planned = [name for name in self._of_planned.get(tenant, ()) if name not in found.names]
        return Serving(tenant, (*planned, *found.names), tuple(self._sites(found)), tuple(found.asked))

    def _sites(self, found: _Found) -> Iterator[Site]:
        for (host, name, path), pairs in found.sites.items():
            ends = dict.fromkeys(end for _server, passing in pairs for end in passing.upstreams)
            reached = {end: self._at(host, end) for end in ends}
            servers = {id(server): server for server, _passing in pairs}
            empty = [end for end, members in reached.items() if not members]
            yield Site(
                host=host,
                name=name,
                path=path,
                servers=tuple(servers.values()),
                passings=tuple(passing for _server, passing in pairs),
                instances=tuple({id(each): each for members in reached.values() for each in members}.values()),
                dead_ends=tuple(end for end in empty if self._is_seen(host, end)),
                strangers=tuple(end for end in empty if not self._is_seen(host, end)),
            )


def _places(instance: LiveInstance) -> Iterator[str]:
    """Yield where an instance listens; of one that does not run, where it would."""
    if instance.seen.listeners:
        for listener in instance.seen.listeners:
            yield plain_socket(listener.path) if listener.kind == "unix" else str(listener.port)
    elif instance.planned and (instance.planned.socket or instance.planned.port):
        yield plain_socket(instance.planned.socket) if instance.planned.socket else str(instance.planned.port)
    else:
        port = instance.seen.value("PORT") or PORT
        yield port if port.isdecimal() else plain_socket(port)


def plain_socket(path: str) -> str:
    """Return the path of a socket as others are compared with it: /var/run is a link to /run wherever this runs."""
    return path[4:] if path.startswith("/var/run/") else path


def _named(by_name: Mapping[str, list[str]], name: str) -> list[str]:
    """Return whose a name is, as Nginx would find it: the name itself, else the longest wildcard before it."""
    if name in by_name:
        return by_name[name]
    rest = name
    while rest:
        for pattern in (f".{rest}", f"*.{rest}" if rest != name else ""):
            if pattern in by_name:
                return by_name[pattern]
        rest = rest.partition(".")[2]
    return []
