# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From which host an audit asks which proxy, and tries to reach what only others should: worked out from the plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import firewall
from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory as inventories
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Proxy, Tenant

# Where Cube listens when nobody says otherwise: what is tried on hosts that nobody planned.
CUBE_PORT = 4000


@dataclass(frozen=True)
class Served:
    """How a proxy host serves a tenant.

    load_balancer: one in front of it terminates TLS. ca: path, on the controller, of the authority that its certificate
    is from; "" where that is none of ours.
    """

    load_balancer: bool = False
    ca: str = ""


@dataclass
class Look:
    """What one host asks: proxies and ports, as instance_info takes them; `ca` is a path on the controller."""

    proxies: list[dict[str, Any]] = field(default_factory=list)
    reach: list[dict[str, Any]] = field(default_factory=list)


def plan_looks(
    fleet: Fleet,
    observers: Sequence[str],
    *,
    served: Mapping[tuple[str, str], Served] | None = None,
    proxies: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Look]:
    """Return host -> what is asked from it; each question goes to one host.

    observers: the hosts that are looked at. served: tenant and proxy host -> how it serves. proxies: that the plan does
    not know. Questions about a host go to another one where there is one, and rather not to one that has reasons to
    reach it (its firewall_clients have business there, too): what a firewall lets through to its friends says nothing
    of strangers. Proxies are not asked for suspended tenants.
    """
    found = {host: Look() for host in observers}
    if not observers:
        return found
    for tenant in fleet.tenants:
        if tenant.suspended:
            continue
        for proxy in fleet.proxies:
            if tenant.name in proxy.tenants and tenant.server_name:
                how = (served or {}).get((tenant.name, proxy.host), Served())
                _ask_proxy(fleet, found, tenant, proxy, how)
    for asked in proxies:
        found[inventories.choose(observers, str(asked["server_name"]))].proxies.append(dict(asked))
    for host, port, friends in _ports(fleet, observers):
        strangers = [each for each in observers if each != host and each not in friends]
        if strangers:
            target = {"host": fleet.addresses.get(host, host), "port": port}
            found[inventories.choose(strangers, f"{host}:{port}")].reach.append(target)
    return found


def served(
    data: Mapping[str, Any], inventory: inventories.Inventory, ca_directory: str
) -> dict[tuple[str, str], Served]:
    """Return tenant and proxy host -> how it serves.

    data: of the plan. ca_directory: where the authority is unless a host's variable says otherwise.
    """
    found = {}
    for host in inventory.members(inventories.NGINX):
        given = inventory.variable(host, "nginx_behind_load_balancer")
        load_balancer = isinstance(given, Mapping) and bool(given.get("trusted_proxies"))
        authority = f"{inventory.variable(host, 'nginx_ca_directory', ca_directory)}/ca.crt"
        for server in data["hosts"].get(host, {}).get("nginx", {}).get("nginx_servers", ()):
            own = server["certificate"].get("source", "own_ca") == "own_ca" and not load_balancer
            found[server["name"], host] = Served(load_balancer, authority if own else "")
    return found


def _ask_proxy(fleet: Fleet, found: Mapping[str, Look], tenant: Tenant, proxy: Proxy, how: Served) -> None:
    cubes = {*tenant.api_hosts, tenant.worker_host}
    ranks = (
        [host for host in found if host != proxy.host and host not in cubes],
        [host for host in found if host not in cubes],
        [host for host in found if host != proxy.host],
        list(found),
    )
    observer = inventories.choose(next(rank for rank in ranks if rank), f"{tenant.name}@{proxy.host}")
    asked: dict[str, Any] = {"server_name": tenant.server_name, "ca": how.ca}
    if not how.load_balancer:
        http_port, https_port = proxy.ports
        address = inventories.LOOPBACK if observer == proxy.host else fleet.addresses.get(proxy.host, proxy.host)
        asked.update(address=address, http_port=http_port, https_port=https_port)
    if asked not in found[observer].proxies:
        found[observer].proxies.append(asked)


def _ports(fleet: Fleet, observers: Sequence[str]) -> Iterator[tuple[str, int, Collection[str]]]:
    """Yield host and port of what strangers should not reach, and the hosts that may."""
    for door in firewall.doors(fleet):
        more = fleet.firewall_clients.get(door.host, {}).get(door.service) or ()
        friends = door.clients.union(
            observer for observer in observers if firewall.admits(more, fleet.addresses.get(observer, observer))
        )
        yield from ((door.host, port, friends) for port in door.ports)
    if not fleet.tenants:
        for host in observers:
            yield host, CUBE_PORT, ()
