# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which Redis the live instances reach: grouped once, by instance, tenant and server.

Two instances share a server when they see one run_id, whatever names, addresses, Sentinels or TLS lie between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import RedisSeen, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import (
    CLIENT_IN_CODE,
    DRIVER_IN_CODE,
    REDIS,
    REMEDY,
    Link,
    settings_of,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import is_loopback


@dataclass(frozen=True)
class Server:
    """One Redis server, the instances that use it, and what was seen there with each login.

    name: an address of it, by which findings call it. reached: it is known who it is. used: any of the instances uses
    a Redis at all; of those that do not, and of those whose Redis is not known, there is one "server" a tenant.
    """

    name: str
    links: tuple[Link, ...]
    reached: bool = False
    used: bool = True
    looks: tuple[RedisSeen, ...] = ()

    @cached_property
    def tenants(self) -> tuple[str, ...]:
        """Return the deployments that use it."""
        return tuple(sorted({link.instance.tenant for link in self.links}))

    @property
    def tenant(self) -> str:
        """Return the only deployment that uses it, or ""."""
        return self.tenants[0] if len(self.tenants) == 1 else ""

    @property
    def host(self) -> str:
        """Return the only host whose instances use it, or ""."""
        hosts = {link.instance.host for link in self.links}
        return hosts.pop() if len(hosts) == 1 else ""

    @cached_property
    def databases(self) -> tuple[Server, ...]:
        """Return each of its databases that is used, as a server of its own, by index."""
        found: dict[int, list[Link]] = {}
        for link in self.links:
            found.setdefault(link.place[1], []).append(link)
        return tuple(
            replace(self, name=f"{self.name}/{index}", links=tuple(links), looks=_looks(links))
            for index, links in sorted(found.items())
        )

    def values(self, name: str) -> list[Any]:
        """Return what the looks say of a field of RedisSeen, without those that do not know it."""
        return [value for value in (getattr(look, name) for look in self.looks) if value is not None and value != ""]

    def most(self, name: str) -> int | None:
        """Return the largest number that the looks say."""
        return max(self.values(name), default=None)

    def why(self, *names: str) -> Unknown:
        """Return why a field is not known, and what would let it be."""
        for look in self.looks:
            for each in look.unknown:
                if each.what in (*names, "everything"):
                    return each
        if not self.reached:
            return Unknown("redis", next((link.why for link in self.links), ""), REMEDY)
        return Unknown(names[0] if names else "redis", "the server did not tell", REMEDY)


@dataclass(frozen=True)
class View:
    """All of it. tenants: deployment -> the links of its instances that run, or would after a boot."""

    links: tuple[Link, ...]
    tenants: Mapping[str, tuple[Link, ...]]
    servers: tuple[Server, ...]


def view(live: Live) -> View:
    """Return which Redis every live instance reaches; the cost grows with their number only."""
    addresses = {host: frozenset(each.addresses) for host, each in live.observations.items()}
    links = tuple(
        _link(instance, live.observations.get(instance.host), addresses.get(instance.host, frozenset()))
        for instance in live.instances
        if would_run(instance)
    )
    tenants: dict[str, list[Link]] = {}
    for link in links:
        tenants.setdefault(link.instance.tenant, []).append(link)
    return View(links, {name: tuple(each) for name, each in sorted(tenants.items())}, _servers(links))


def would_run(instance: LiveInstance) -> bool:
    """Return whether an instance runs, is planned, or is started at boot: a unit left over from before is none."""
    unit = instance.seen.unit
    starts = unit is not None and (unit.enabled.startswith("enabled") or unit.state in ("active", "activating"))
    return instance.seen.running or instance.planned is not None or starts


def _link(instance: LiveInstance, observation: Observation | None, addresses: frozenset[str]) -> Link:
    settings = settings_of(instance)
    found = Link(instance, settings, settings.driver)
    named = bool(settings.value("redis_url"))
    driver = "" if DRIVER_IN_CODE in found.mentions else settings.driver
    seen = observation.redis.get(instance.seen.redis) if observation else None
    if CLIENT_IN_CODE in found.mentions or (settings.unread and not (named and seen and seen.reachable)):
        # The client that was looked with is not the instance's own; nor, perhaps, its URL or password.
        seen = None
    return Link(instance, settings, driver, seen, addresses)


def _servers(links: Iterable[Link]) -> tuple[Server, ...]:
    groups: dict[tuple[str, ...], list[Link]] = {}
    for link in links:
        groups.setdefault(_key(link), []).append(link)
    names = {key: _name(key, members) for key, members in groups.items()}
    repeated: dict[str, int] = {}
    for key, name in names.items():
        if key[0] == "reached":
            repeated[name] = repeated.get(name, 0) + 1
    return tuple(
        _server(key, f"{names[key]} ({key[1][:8]})" if repeated.get(names[key], 0) > 1 else names[key], members)
        for key, members in sorted(groups.items(), key=lambda item: (names[item[0]], item[0]))
    )


def _key(link: Link) -> tuple[str, ...]:
    if link.reached:
        return ("reached", link.place[0])
    if link.driver not in (REDIS, ""):
        return ("unused", link.instance.tenant)
    if link.seen is not None and link.seen.host:
        return ("unreached", _address(link))
    return ("unseen", link.instance.tenant)


def _name(key: tuple[str, ...], members: Iterable[Link]) -> str:
    return min(map(_address, members)) if key[0] in ("reached", "unreached") else REDIS


def _address(link: Link) -> str:
    """Return where the server is, with the host's name in the inventory for one that is on the same host."""
    if link.seen is None:
        return ""
    here = link.seen.host == "localhost" or is_loopback(link.seen.host)
    return f"{link.instance.host if here else link.seen.host}:{link.seen.port}"


def _server(key: tuple[str, ...], name: str, members: list[Link]) -> Server:
    return Server(name, tuple(members), key[0] == "reached", key[0] != "unused", _looks(members))


def _looks(links: Iterable[Link]) -> tuple[RedisSeen, ...]:
    return tuple({id(link.seen): link.seen for link in links if link.seen is not None}.values())
