# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on what was looked at, and whether what should be there is."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    ERROR,
    FAIL,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

# What hides processes, and what hides only units that run none.
_PROCESSES = ("instances", "processes", "listeners")
_UNITS = ("units",)
_EVERYTHING = "fleet"


class HostLookedAt(Rule):
    """An audit speaks of the hosts that it saw, and of no others.

    A host that could not be reached, that `--limit` left out or whose processes may not be seen is unknown, never fine.
    So is a fleet in which no Cube.js was found at all.
    """

    id = "host-looked-at"
    title = "Every host was looked at, and its processes could be seen"
    remedy = "Run the audit for all hosts, with become: true, and make the host reachable"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield each host of the inventory, and the fleet where nothing runs in it."""
        for host, reason in live.missing.items():
            yield self.found(host, f"it was not looked at: {reason}", host=host, status=UNKNOWN)
        for host, seen in live.observations.items():
            yield self._host(host, seen)
        for host, other in live.same_machines.items():
            yield self.found(host, f"it is the machine of {other}, and told under that name", host=host, status=PASS)
        if live.observations and not live.instances and not fleet.instances:
            yield self.found(
                _EVERYTHING,
                f"no Cube.js process was found on {_listed(tuple(live.observations))}, so that nothing was judged",
                "Audit the hosts on which Cube.js runs, with become: true",
                status=UNKNOWN,
            )

    def _host(self, host: str, seen: Observation) -> Finding:
        hidden = _hidden(seen, (*_PROCESSES, *_UNITS))
        if not hidden:
            count = len(seen.instances)
            message = f"{count} Cube.js process{'' if count == 1 else 'es'} or unit{'' if count == 1 else 's'} found"
            return self.found(host, message, host=host, status=PASS)
        severity = ERROR if _hidden(seen, _PROCESSES) else WARNING
        remedy = next((each.remedy for each in hidden if each.remedy), "")
        message = f"not all that runs there could be seen: {'; '.join(each.reason for each in hidden)}"
        return self.found(host, message, remedy, host=host, status=UNKNOWN, severity=severity)


class InstancePresent(Rule):
    """What the inventory plans is there.

    An instance that is not there serves nobody, and a missing refresh worker lets pre-aggregations grow stale.
    """

    id = "instance-present"
    title = "Every planned instance exists on its host"
    remedy = "Deploy it with the site playbook, or take it out of the inventory"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield each planned instance of the hosts that were looked at."""
        absent = {(each.host, each.unit) for each in live.absent}
        for each in fleet.instances:
            seen = live.observations.get(live.same_machines.get(each.host, each.host))
            if seen is None:
                continue
            hidden = _hidden(seen, (*_PROCESSES, *_UNITS))
            if (each.host, each.unit) not in absent:
                status, message, remedy = PASS, "it is there", ""
            elif hidden:
                status, message, remedy = UNKNOWN, f"it was not found: {hidden[0].reason}", hidden[0].remedy
            else:
                status, message, remedy = FAIL, "the host has neither this unit nor a process of it", ""
            yield self.found(each.unit, message, remedy, tenant=each.tenant, host=each.host, status=status)


def _hidden(seen: Observation, what: tuple[str, ...]) -> list[Unknown]:
    return [each for each in seen.unknown if each.what.partition(".")[0] in what]


def _listed(hosts: tuple[str, ...]) -> str:
    return ", ".join(hosts[:5]) + (f" and {len(hosts) - 5} more" if len(hosts) > 5 else "")
