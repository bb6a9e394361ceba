# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which host of the fleet an address leads to, as seen from another host."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live

# What listens there listens on every address of its host.
EVERYWHERE = frozenset({"0.0.0.0", "::", "*"})  # noqa: S104 compared with, not bound to


@lru_cache(maxsize=10_000)
def is_loopback(address: str) -> bool:
    """Say whether an address or name leads to the very host on which it is used."""
    if address.lower() in ("localhost", "localhost.localdomain", ""):
        return True
    try:
        return ipaddress.ip_address(_plain(address)).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=10_000)
def is_public(address: str) -> bool:
    """Say whether an address can be reached from all of the Internet, unless something keeps others out."""
    try:
        return ipaddress.ip_address(_plain(address)).is_global
    except ValueError:
        return False


def _plain(address: str) -> str:
    return address.strip("[]").partition("%")[0]


@dataclass(frozen=True)
class Whereabouts:
    """The addresses of hosts. own: host -> its addresses; owners: address or name -> the one host that has it."""

    own: Mapping[str, frozenset[str]]
    owners: Mapping[str, str]

    def host_at(self, observer: str, address: str) -> str:
        """Return the host that an address leads to from the observer's host; "" where it is none of the fleet.

        An address that several hosts have, as those of bridges and virtual machines, is the observer's own if it has it
        too, and else nobody's.
        """
        if is_loopback(address) or address in EVERYWHERE or _plain(address) in self.own.get(observer, ()):
            return observer
        return self.owners.get(_plain(address).lower(), "")

    def place(self, observer: str, address: str) -> str:
        """Return the host that an address leads to, as host_at() does; the address itself where that is a stranger."""
        return self.host_at(observer, address) or _plain(address).lower()


def whereabouts(fleet: Fleet, live: Live) -> Whereabouts:
    """Return the addresses of the hosts of a fleet: those in its plan, and those that were seen on the hosts."""
    return live.once(_work_out, fleet)


def _work_out(live: Live, fleet: Fleet) -> Whereabouts:
    seen: dict[str, set[str]] = {}
    for host, name in _names_seen(live):
        seen.setdefault(name.lower(), set()).add(host)
    owners = {name: hosts.pop() for name, hosts in seen.items() if len(hosts) == 1}
    for host in {*live.observations, *live.missing, *fleet.addresses}:
        owners[host.lower()] = host
    # The plan has the last word: it says which address other hosts use.
    owners.update({_plain(address).lower(): host for host, address in fleet.addresses.items()})
    return Whereabouts({host: frozenset(found.addresses) for host, found in live.observations.items()}, owners)


def _names_seen(live: Live) -> Iterator[tuple[str, str]]:
    for host, found in live.observations.items():
        yield from ((host, name) for name in {found.host, *found.addresses})
