# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which machine an address means, seen from a host: loopback, its own addresses and its names are one place."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Observation

_LOCAL_NAMES = ("localhost", "ip6-localhost", "ip6-loopback", "")


def is_loopback(host: str) -> bool:
    """Return whether a host, as a setting has it, is the very machine that reads the setting; "" is the default."""
    if host.lower() in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Whereabouts:
    """The machines of a fleet by all their addresses and names.

    An address that several of them have (a container bridge's) says nothing to others, and is one's own to those.
    """

    def __init__(self, observations: Mapping[str, Observation], addresses: Mapping[str, str]) -> None:
        """Take what was seen, by inventory name, and addresses: inventory name -> where the inventory reaches it."""
        self._own = {name: frozenset(seen.addresses) for name, seen in observations.items()}
        self._owners: dict[str, set[str]] = {}
        for name, seen in observations.items():
            for address in (*seen.addresses, name, seen.host, addresses.get(name, "")):
                if address and not is_loopback(address):
                    self._owners.setdefault(address.lower(), set()).add(name)

    def of(self, host: str, seen_from: str) -> str:
        """Return the inventory name of the machine that a host means on another; the host itself for a stranger."""
        text = host.strip("[]").lower()
        if is_loopback(text) or text in self._own.get(seen_from, ()):
            return seen_from
        owners = self._owners.get(text, set())
        return next(iter(owners)) if len(owners) == 1 else text
