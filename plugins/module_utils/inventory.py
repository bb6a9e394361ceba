# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a plan is worked out from: groups and variables of the hosts, plain data, already templated."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

REDIS = "cubejs_redis"
SENTINELS = "cubejs_redis_sentinels"
MYSQL = "cubejs_mysql"
API = "cubejs_api"
REFRESH_WORKER = "cubejs_refresh_worker"
NGINX = "cubejs_nginx"
GROUPS = (REDIS, SENTINELS, MYSQL, API, REFRESH_WORKER, NGINX)
# What lives on a host, and the groups that say so.
PLACES: Mapping[str, tuple[str, ...]] = {
    "redis": (REDIS,),
    "sentinel": (SENTINELS,),
    "mysql": (MYSQL,),
    "cubejs": (API, REFRESH_WORKER),
    "nginx": (NGINX,),
}
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Inventory:
    """Groups (name -> hosts, in the inventory's order) and variables (host -> name -> value).

    alone: the cubejs role is used without this collection's groups, on one host.
    elsewhere: names of tenants that other hosts of the play define too; only where it is alone.
    """

    groups: Mapping[str, Sequence[str]]
    variables: Mapping[str, Mapping[str, Any]]
    alone: bool = False
    elsewhere: frozenset[str] = frozenset()

    def members(self, group: str) -> tuple[str, ...]:
        """Return the hosts of a group; none where there is no such group."""
        return tuple(self.groups.get(group, ()))

    def hosts(self) -> tuple[str, ...]:
        """Return every host that is in one of this collection's groups, once."""
        return tuple(dict.fromkeys(host for group in GROUPS for host in self.members(group)))

    def products(self, host: str) -> frozenset[str]:
        """Return what lives on a host, by the names in PLACES."""
        return frozenset(
            product for product, groups in PLACES.items() if any(host in self.members(group) for group in groups)
        )

    def variable(self, host: str, name: str, default: Any = None) -> Any:
        """Return a host's variable; null counts as not set."""
        value = self.variables.get(host, {}).get(name)
        return default if value is None else value

    def address(self, host: str) -> str:
        """Return the address under which other hosts reach this one."""
        return str(self.variable(host, "cubejs_address") or self.variable(host, "ansible_host") or host)

    def address_from(self, client: str, server: str) -> str:
        """Return the address under which one host reaches another; loopback on the same host."""
        return LOOPBACK if client == server else self.address(server)

    def binds(self, server: str, clients: Iterable[str]) -> tuple[str, ...]:
        """Return the addresses a server listens on for its clients: loopback, and its own when one is elsewhere."""
        elsewhere = any(client != server for client in clients)
        return (LOOPBACK, self.address(server)) if elsewhere else (LOOPBACK,)

    def first_bound(self, server: str) -> tuple[str, ...]:
        """Return the addresses of what other hosts reach and what reaches them: Redis begins from the first of them."""
        return (self.address(server), LOOPBACK)

    def expand(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the hosts that names of hosts or groups stand for."""
        return tuple(dict.fromkeys(host for name in names for host in self.groups.get(name, (name,))))

    def without(self, host: str) -> Inventory:
        """Return the same inventory with a host gone from all of its groups."""
        groups = {name: tuple(each for each in members if each != host) for name, members in self.groups.items()}
        rest = {name: values for name, values in self.variables.items() if name != host}
        return replace(self, groups=groups, variables=rest)

    def names(self) -> frozenset[str]:
        """Return every name that a tenant may be bound to: groups, and hosts of any group."""
        return frozenset((*self.groups, *(host for members in self.groups.values() for host in members)))

    @classmethod
    def of_one_role(
        cls,
        host: str,
        groups: Mapping[str, Sequence[str]],
        variables: Mapping[str, Mapping[str, Any]],
        elsewhere: frozenset[str] = frozenset(),
    ) -> Inventory:
        """Return the inventory of the cubejs role used alone, without this collection's groups: all is on its host."""
        return cls({**groups, API: (host,), REFRESH_WORKER: (host,)}, variables, True, elsewhere)


def is_address(text: str) -> bool:
    """Say whether a text is an IP address, which binds and grants need."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def choose(candidates: Sequence[str], key: str) -> str:
    """Return the candidate that a key belongs to; "" without candidates.

    Rendezvous hashing: another candidate takes over its own part and moves nothing else, and the
    order of the candidates does not matter.
    """
    return max(candidates, key=lambda name: hashlib.sha256(f"{key}\0{name}".encode()).digest(), default="")
