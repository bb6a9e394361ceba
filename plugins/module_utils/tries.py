# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which hosts tried to reach which ports of which hosts, and how that ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.network import FILTERED, OPEN, REFUSED
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import whereabouts

CLOSED = (REFUSED, FILTERED)


@dataclass(frozen=True)
class Tried:
    """How tries to reach one port ended. opened, closed: the hosts that came through, and that did not."""

    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()

    def without(self, hosts: Collection[str]) -> Tried:
        """Return the tries of other hosts than these."""
        return Tried(
            tuple(host for host in self.opened if host not in hosts),
            tuple(host for host in self.closed if host not in hosts),
        )


@dataclass(frozen=True)
class Tries:
    """All tries, by host and port. Those that ended neither way say nothing and are not here."""

    ports: Mapping[tuple[str, int], Tried] = field(default_factory=dict)

    def at(self, host: str, port: int) -> Tried:
        """Return the tries to reach a port; host: one of the fleet, or the address of another."""
        return self.ports.get((host, port), Tried())


def tries_of(fleet: Fleet, live: Live) -> Tries:
    """Return what hosts tried; a host's tries to reach itself are no tries from elsewhere."""
    return live.once(_collect, fleet)


def _collect(live: Live, fleet: Fleet) -> Tries:
    where = whereabouts(fleet, live)
    opened: dict[tuple[str, int], dict[str, None]] = {}
    closed: dict[tuple[str, int], dict[str, None]] = {}
    for observer, seen in live.observations.items():
        for each in seen.reach:
            host = where.host_at(observer, each.host) or each.host
            if host != observer and each.state in (OPEN, *CLOSED):
                into = opened if each.state == OPEN else closed
                into.setdefault((host, each.port), {})[observer] = None
    keys = {**opened, **closed}
    return Tries({key: Tried(tuple(opened.get(key, ())), tuple(closed.get(key, ()))) for key in keys})
