# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table that a host's kernel judges packets by beside the plan: who is let in to which port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import firewall
from ansible_collections.cubeops.cubejs.plugins.module_utils.drift_settings import APPLY
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
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import FirewallSeen
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import several

FIREWALL = "drift-firewall"
TABLE = "table inet cubeops"
LEFT = "Remove what listens there (tenant_remove), or plan it in the inventory"


def drifted(fleet: Fleet, live: Live, data: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield of each host that was looked at whether its table is there, and of each service whom it lets in.

    data: of the plan. Nothing of a host on which nothing is planned and nothing is there.
    """
    for host, seen in live.observations.items():
        services = data["hosts"].get(host, {}).get("firewall", {}).get("firewall_services", ())
        yield from _of_host(fleet, host, services, seen)


def _of_host(fleet: Fleet, host: str, services: Sequence[Mapping[str, Any]], seen: Observation) -> Iterator[Finding]:
    table, off = seen.firewall, host in fleet.unguarded
    if table is None:
        if services and not off:
            reason = next((each for each in seen.unknown if each.what == "firewall"), None)
            message = f"its table could not be read: {reason.reason if reason else 'nobody asked'}"
            yield Finding(FIREWALL, TABLE, message, reason.remedy if reason else "", status=UNKNOWN, host=host)
    elif not table.loaded:
        if services and not off:
            message = f"it is planned and not loaded: everybody reaches {several(each['name'] for each in services)}"
            yield Finding(FIREWALL, TABLE, message, APPLY, host=host)
    elif off:
        yield Finding(FIREWALL, TABLE, "firewall_enabled is false, and it is loaded", APPLY, host=host)
    else:
        yield from _of_table(table, host)
        yield from _of_services(fleet, host, services, table)


def _of_table(table: FirewallSeen, host: str) -> Iterator[Finding]:
    if table.strange:
        yield Finding(FIREWALL, TABLE, "; ".join(table.strange), APPLY, host=host)
    else:
        yield Finding(FIREWALL, TABLE, "it is loaded, as planned", "", status=PASS, host=host)


def _of_services(
    fleet: Fleet, host: str, services: Sequence[Mapping[str, Any]], table: FirewallSeen
) -> Iterator[Finding]:
    try:
        planned = firewall.layout(services, fleet.firewall_clients.get(host, {}))
    except firewall.FirewallError as exc:
        yield Finding(
            FIREWALL, TABLE, f"the plan does not say what its rules are: {exc}", "", status=UNKNOWN, host=host
        )
        return
    for service in planned:
        wanted = (*service["ipv4"], *service["ipv6"])
        found = [told for port in service["ports"] for told in _differences(port, wanted, table)]
        owner = fleet.tenant(service["name"].partition("-")[2])
        yield Finding(
            FIREWALL,
            service["name"],
            "; ".join(found) or f"{len(wanted)} addresses and networks get through, as planned",
            APPLY if found else "",
            severity=ERROR,
            status=FAIL if found else PASS,
            tenant=owner.name if owner else "",
            host=host,
        )
    ports = {str(port) for service in planned for port in service["ports"]}
    left = sorted(set(table.admitted) - ports, key=int)
    if left:
        message = f"strangers are kept from port {several(left)}, and nobody planned what listens there"
        yield Finding(FIREWALL, f"{TABLE} besides", message, LEFT, severity=WARNING, host=host)


def _differences(port: int, wanted: Sequence[str], table: FirewallSeen) -> Iterator[str]:
    seen = table.admitted.get(str(port))
    if seen is None:
        yield f"everybody reaches port {port}: the table says nothing of it"
        return
    more, fewer = firewall.without(seen, wanted), firewall.without(wanted, seen)
    if more:
        yield f"{several(more)} gets through to port {port}, and the plan does not say so"
    if fewer:
        yield f"{several(fewer)} does not get through to port {port}, and the plan says so"
