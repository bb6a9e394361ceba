# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may reach which of our ports: from the fleet, and as a host's rules."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ansible_collections.cubeops.cubejs.plugins.module_utils import names
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import TCP, Fleet, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import is_loopback

REDIS = "redis"
SENTINEL = "sentinel"
MYSQL = "mysql"
CUBEJS = "cubejs"
SERVICES = (REDIS, SENTINEL, MYSQL, CUBEJS)

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_DIGEST_CHARACTERS = 8


class FirewallError(Exception):
    """The rules cannot be written; the message has every problem, one a line."""


@dataclass(frozen=True)
class Door:
    """The ports of one service on a host, and the hosts that are let in; the service's own host always is.

    tenant: whose alone it is; "" where it is the host's. exposed: it listens beyond loopback.
    """

    host: str
    service: str
    name: str
    ports: tuple[int, ...]
    clients: frozenset[str]
    tenant: str = ""
    exposed: bool = True


def doors(fleet: Fleet) -> Iterator[Door]:
    """Yield what of a fleet listens on TCP for others than everybody, on loopback only too. Nginx is for everybody."""
    tenants = {tenant.name: tenant for tenant in fleet.tenants}
    yield from _cube_doors(fleet, tenants)
    members = _members(fleet)
    for server in fleet.redis_servers:
        clients = _clients(tenants[name] for name in server.tenants)
        if server.primary:
            clients |= members[server.name].union(fleet.sentinels)
        exposed = not all(map(is_loopback, server.bind))
        yield Door(server.host, REDIS, f"{REDIS}-{server.name}", (server.port,), clients, server.tenant, exposed)
    watched = _clients(tenant for tenant in fleet.tenants if tenant.redis and tenant.redis.sentinel)
    for host in fleet.sentinels:
        yield Door(host, SENTINEL, SENTINEL, (names.SENTINEL_PORT,), watched | _watchers(fleet))
    for store in fleet.stores:
        clients = _clients(tenants[name] for name in store.tenants)
        yield Door(store.host, MYSQL, MYSQL, (store.port,), clients, exposed=not all(map(is_loopback, store.bind)))


def role_variables(fleet: Fleet) -> dict[str, dict[str, Any]]:
    """Return host -> the firewall role's variables, for hosts where anything listens beyond loopback."""
    found: dict[str, list[dict[str, Any]]] = {}
    for door in sorted(doors(fleet), key=lambda door: (door.host, door.name)):
        if door.exposed:
            clients = sorted(door.clients - {door.host})
            found.setdefault(door.host, []).append({
                "service": door.service,
                "name": door.name,
                "ports": list(door.ports),
                "clients": [fleet.addresses.get(client, client) for client in clients],
                "former_clients_kept": False,
            })  # fmt: skip
    return {host: {"firewall_services": services} for host, services in found.items()}


def limited(variables: Mapping[str, Any], fleet: Fleet, chosen: Collection[str]) -> dict[str, Any]:
    """Return a host's variables for a run that is about some tenants alone.

    What belongs to other tenants is left out, and so stays as it is; what tenants share lets in whom it did, too.
    """
    kept = []
    for each in variables["firewall_services"]:
        owner = each["name"].partition("-")[2]
        if owner in chosen:
            kept.append(each)
        elif fleet.tenant(owner) is None:
            kept.append({**each, "former_clients_kept": True})
    return {**variables, "firewall_services": kept}


def layout(services: Sequence[Mapping[str, Any]], more: Mapping[str, Sequence[str] | None]) -> list[dict[str, Any]]:
    """Return what the role's templates print of each service. Raises FirewallError with all problems at once.

    services: the role's firewall_services. more: service -> further clients. `file` has a digest of who is let in, so
    that what lets in others is another file, and can stand beside it until it is to go; `former` matches all of them.
    """
    problems = [*_service_problems(services), *client_problems(more)]
    if problems:
        raise FirewallError("\n".join(f"{subject}: {message}" for subject, message in problems))
    return [_laid_out(each, more.get(each["service"]) or ()) for each in services]


def client_problems(more: Mapping[str, Any], subject: str = "firewall_clients") -> Iterator[tuple[str, str]]:
    """Yield a subject and a message for each client that cannot be let in; what is no list is passed over."""
    for service in SERVICES:
        given = more.get(service)
        for index, client in enumerate(given if isinstance(given, (list, tuple)) else ()):
            message = _problem(client)
            if message:
                yield f"{subject}.{service}[{index}]", message


def admits(networks: Iterable[str], address: str) -> bool:
    """Say whether further clients, as they are written in firewall_clients, have an address among them."""
    try:
        found = ipaddress.ip_address(address)
        return any(found in ipaddress.ip_network(each) for each in networks)
    except (ValueError, TypeError):
        return False


def _laid_out(service: Mapping[str, Any], more: Iterable[str]) -> dict[str, Any]:
    networks = [ipaddress.ip_network(client) for client in (*service["clients"], *more)]
    content = {
        "name": service["name"],
        "ports": sorted({int(port) for port in service["ports"]}),
        "ipv4": _collapsed(each for each in networks if isinstance(each, ipaddress.IPv4Network)),
        "ipv6": _collapsed(each for each in networks if isinstance(each, ipaddress.IPv6Network)),
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return {
        **content,
        "file": f"{service['name']}.{digest}.nft",
        "former": None if service.get("former_clients_kept") else former(service["name"]),
    }


def written(networks: Iterable[Network]) -> tuple[str, ...]:
    """Return networks as they are written everywhere: none within another, IPv4 first, one address without a length."""
    found = list(networks)
    return (
        *_collapsed(each for each in found if isinstance(each, ipaddress.IPv4Network)),
        *_collapsed(each for each in found if isinstance(each, ipaddress.IPv6Network)),
    )


def without(networks: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return what of networks lies in none of the others."""
    left: list[Network] = [ipaddress.ip_network(each) for each in networks]
    for cut in map(ipaddress.ip_network, others):
        left = [part for each in left for part in _without(each, cut)]
    return written(left)


def _without(network: Network, cut: Network) -> Iterable[Network]:
    if isinstance(network, ipaddress.IPv4Network) and isinstance(cut, ipaddress.IPv4Network):
        return _outside(network, cut)
    if isinstance(network, ipaddress.IPv6Network) and isinstance(cut, ipaddress.IPv6Network):
        return _outside(network, cut)
    return (network,)


def _outside(network: Any, cut: Any) -> Iterable[Any]:
    if not network.overlaps(cut):
        return (network,)
    return () if network.subnet_of(cut) else network.address_exclude(cut)


def former(name: str) -> str:
    """Return the pattern of all files of a service, below the directory of services."""
    return f"{name}.*.nft"


def _collapsed(networks: Iterable[Any]) -> list[str]:
    """Return networks as nft writes them, none within another: its sets refuse those."""
    merged: Iterable[Network] = ipaddress.collapse_addresses(networks)
    return [str(each.network_address if each.num_addresses == 1 else each) for each in merged]


def _service_problems(services: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    named = Counter(each["name"] for each in services)
    taken = Counter(int(port) for each in services for port in each["ports"])
    for index, each in enumerate(services):
        subject = f"firewall_services[{index}]"
        if not _NAME.fullmatch(each["name"]):
            yield f"{subject}.name", f"{each['name']!r} is not made of lower-case letters, digits and hyphens"
        elif named[each["name"]] > 1:
            yield f"{subject}.name", f"{each['name']} is the name of another one, too"
        for port in map(int, each["ports"]):
            if not 1 <= port <= 65535:
                yield f"{subject}.ports", f"{port} is not within 1 to 65535"
            elif taken[port] > 1:
                yield f"{subject}.ports", f"{port} is a port of another one, too"
        for place, client in enumerate(each["clients"]):
            message = _problem(client)
            if message:
                yield f"{subject}.clients[{place}]", message


def _problem(client: object) -> str:
    """Return why a client cannot be let in; "" where it can."""
    if not isinstance(client, str):
        return f"{client!r} is no text: write it in quotes"
    try:
        network = ipaddress.ip_network(client)
    except ValueError as exc:
        if "host bits set" in str(exc):
            return f"{client} is an address within a network: write {ipaddress.ip_network(client, strict=False)}"
        return f"{client!r} is no IP address or network: nobody looks up names there. Write 192.0.2.7 or 192.0.2.0/24"
    if network.prefixlen == 0:
        return f"{client} is everybody: name networks, or set firewall_enabled: false"
    return ""


def _cube_doors(fleet: Fleet, tenants: Mapping[str, Tenant]) -> Iterator[Door]:
    ports: dict[tuple[str, str], list[int]] = {}
    for instance in fleet.instances:
        if instance.listen == TCP and instance.port:
            ports.setdefault((instance.host, instance.tenant), []).append(instance.port)
    for (host, tenant), found in ports.items():
        yield Door(host, CUBEJS, f"{CUBEJS}-{tenant}", tuple(found), frozenset(tenants[tenant].proxy_hosts), tenant)


def _members(fleet: Fleet) -> dict[str, set[str]]:
    """Return name -> the hosts of a replicated Redis, each of which may become the others' primary."""
    found: dict[str, set[str]] = {}
    for server in fleet.redis_servers:
        if server.primary:
            found.setdefault(server.name, set()).add(server.host)
    return found


def _watchers(fleet: Fleet) -> frozenset[str]:
    """Return the hosts that ask Sentinels besides Cube.js: each other, and those of Redis before a first start."""
    return frozenset((*fleet.sentinels, *(server.host for server in fleet.redis_servers if server.primary)))


def _clients(tenants: Iterable[Tenant]) -> frozenset[str]:
    return frozenset(host for tenant in tenants for host in (*tenant.api_hosts, tenant.worker_host) if host)
