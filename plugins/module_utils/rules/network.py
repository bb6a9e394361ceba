# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on ports and addresses."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import firewall, names
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, SOCKET, Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import LOOPBACK, is_address
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule, repeated


class PortsDiffer(Rule):
    """Two servers on one port of a host: the second does not start."""

    id = "ports-differ"
    title = "No two servers of a host want the same port"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield ports that are wanted twice; tenants with the same number are another rule's."""
        for _place, owners in repeated(set(_owners(fleet)), lambda owner: owner[:2]):
            host, port, _what = owners[0]
            whats = sorted({what for _host, _port, what in owners})
            yield self.found(
                f"port {port}",
                f"{' and '.join(whats)} want it on {host}",
                "Change the port that the inventory sets, or the tenant's number",
                host=host,
            )


def _owners(fleet: Fleet) -> Iterator[tuple[str, int, str]]:
    for instance in fleet.instances:
        if instance.port is not None:
            yield instance.host, instance.port, f"an API instance (number {instance.port // 10 - 1000})"
    for server in fleet.redis_servers:
        number = f"a Redis instance (number {server.port - names.redis_port(0)})"
        yield server.host, server.port, number if server.tenant else "the Redis that tenants share"
    yield from ((host, names.SENTINEL_PORT, "Sentinel") for host in fleet.sentinels)
    for store in fleet.stores:
        yield store.host, store.port, "MySQL (mysql_port)"
    for proxy in fleet.proxies:
        yield from ((proxy.host, port, "Nginx") for port in proxy.ports)


class AddressesAreKnown(Rule):
    """Redis and MySQL bind to an address, MySQL grants to one, and the firewall lets one in.

    A name would be resolved on each host anew.
    """

    id = "address-known"
    title = "Hosts that others connect to have an IP address"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield hosts whose address is a name, or loopback, where other hosts need it."""
        for host in sorted(_reached(fleet)):
            address = fleet.addresses.get(host, host)
            if not is_address(address) or address in (LOOPBACK, "::1"):
                yield self.found(
                    "cubejs_address",
                    f"other hosts need the address of {host}, and {address!r} is not one that they can use",
                    "Set cubejs_address for it to the IP address of its private network",
                    host=host,
                )


def _reached(fleet: Fleet) -> set[str]:
    """Return the hosts whose address another host's bind, grant, firewall or connection needs."""
    reached: set[str] = set()
    for tenant in fleet.tenants:
        if tenant.redis and tenant.redis.sentinel:
            reached.update((tenant.redis.server, *tenant.redis.replicas, *tenant.redis.sentinels))
        clients = {host for host in (*tenant.api_hosts, tenant.worker_host) if host}
        redis = tenant.redis.server if tenant.redis else ""
        storage = tenant.storage.server if tenant.storage else ""
        reached.update(server for server in (redis, storage) if server and clients - {server})
        if storage:
            reached.update(clients - {storage})
    for door in firewall.doors(fleet):
        if door.exposed and door.host not in fleet.unguarded:
            reached.update(door.clients - {door.host})
    return reached - {""}


class SocketIsReached(Rule):
    """A Unix socket serves a proxy on its own host only."""

    id = "socket-reached"
    title = "API instances on a socket have their proxies on the same host"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield hosts whose instances listen on sockets that a proxy elsewhere cannot reach."""
        proxies = {tenant.name: tenant.proxy_hosts for tenant in fleet.tenants}
        for instance in fleet.instances:
            elsewhere = [host for host in proxies.get(instance.tenant, ()) if host != instance.host]
            if instance.kind == API and instance.listen == SOCKET and elsewhere:
                yield self.found(
                    "cubejs_listen",
                    f"'socket' on {instance.host}, but {', '.join(elsewhere)} must reach it",
                    "Leave it out, or use tcp",
                    host=instance.host,
                )
