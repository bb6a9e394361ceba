# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan: from an inventory alone to the fleet, its findings, and every role's variables on every host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import endpoints, firewall, judging, secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory as inventories
from ansible_collections.cubeops.cubejs.plugins.module_utils.definitions import Definitions, read
from ansible_collections.cubeops.cubejs.plugins.module_utils.deployments import Builder, cube_share, products
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Instance, Proxy, RedisServer, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.schema import Options
from ansible_collections.cubeops.cubejs.plugins.module_utils.servers import Servers
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenants import Reader
from ansible_collections.cubeops.cubejs.plugins.module_utils.usable_variables import usable

PROXY_PORTS = {"nginx_http_port": 80, "nginx_https_port": 443}


@dataclass(frozen=True)
class Plan:
    """What comes of an inventory. data holds references and fingerprints in place of secrets."""

    fleet: Fleet
    findings: tuple[Finding, ...]
    data: dict[str, Any] = field(default_factory=dict)


def build(
    inventory: inventories.Inventory,
    specs: Mapping[str, Options],
    *,
    fingerprint_key: bytes,
    ca_directory: str,
    exists: Callable[[str], bool],
    unread: Sequence[Finding] = (),
) -> Plan:
    """Return the plan of an inventory; its findings may refuse it.

    specs: role -> options of its argument_specs. fingerprint_key: of this run. ca_directory: where
    the controller keeps its own CA unless a host's variable says otherwise. exists: says whether the
    controller has a file or folder. unread: variables that could not be read, and why; that one of
    them is not set is then not said.
    """
    definitions = read(inventory, specs, exists)
    inventory, strange = usable(inventory, specs)
    vault = secrets.Vault(definitions.by_name, definitions.master)
    reader = Reader(inventory, vault, fingerprint_key)
    tenants = tuple(reader.tenant(each.values, each.subject) for each in definitions.entries)
    builder = Builder(inventory, ca_directory)
    servers = Servers(inventory, definitions.by_name, ca_directory)
    fleet = _fleet(inventory, tenants, builder, servers, definitions)
    found = judging.judge_plan(fleet)
    reported = {finding.subject for finding in unread}
    others = (finding for finding in (*definitions.findings, *strange, *found) if finding.subject not in reported)
    return Plan(fleet, tuple(dict.fromkeys((*unread, *others))), _data(inventory, fleet, builder, servers, definitions))


def _fleet(
    inventory: inventories.Inventory,
    tenants: Sequence[Tenant],
    builder: Builder,
    servers: Servers,
    definitions: Definitions,
) -> Fleet:
    pairs = list(zip(tenants, definitions.entries))
    instances = tuple(instance for tenant, entry in pairs for instance in builder.instances(tenant, entry.values))
    redis = servers.redis(tenants)
    stores = (
        servers.store(host, [tenant for tenant in tenants if tenant.storage and tenant.storage.server == host])
        for host in inventory.members(inventories.MYSQL)
    )
    proxies = (
        Proxy(
            host,
            tuple(tenant.name for tenant in tenants if tenant.api_hosts and host in tenant.proxy_hosts),
            tuple(int(inventory.variable(host, name, port)) for name, port in PROXY_PORTS.items()),
        )
        for host in inventory.members(inventories.NGINX)
    )
    return Fleet(
        tenants=tuple(tenants),
        instances=instances,
        redis_servers=tuple(redis),
        stores=tuple(stores),
        proxies=tuple(proxies),
        sentinels=inventory.members(inventories.SENTINELS),
        endpoints=tuple(endpoints.of(tenants)),
        names=inventory.names(),
        addresses={host: inventory.address(host) for host in inventory.hosts()},
        **_memory(inventory, servers),
        retired_numbers=definitions.retired_numbers,
        unguarded=frozenset(
            host for host in inventory.hosts() if not inventory.variable(host, "firewall_enabled", True)
        ),
        firewall_clients=_firewall_clients(inventory),
    )


def _firewall_clients(inventory: inventories.Inventory) -> dict[str, Mapping[str, Any]]:
    given = {host: inventory.variable(host, "firewall_clients") for host in inventory.hosts()}
    return {host: each for host, each in given.items() if isinstance(each, Mapping)}


def _memory(inventory: inventories.Inventory, servers: Servers) -> dict[str, Any]:
    """Return what the fleet says of memory, for the hosts of which it is known."""
    cube = dict.fromkeys((*inventory.members(inventories.API), *inventory.members(inventories.REFRESH_WORKER)))
    found = {
        "cube_memory_bytes": {host: cube_share(inventory, host) for host in inventory.hosts() if host in cube},
        "redis_memory_bytes": {host: servers.redis_share(host) for host in inventory.members(inventories.REDIS)},
        "mysql_memory_bytes": {host: servers.mysql_share(host) for host in inventory.members(inventories.MYSQL)},
        "memory_bytes": {host: inventory.variable(host, "cubejs_host_memory_bytes") for host in inventory.hosts()},
    }
    return {
        name: {host: int(size) for host, size in sizes.items() if size is not None} for name, sizes in found.items()
    }


def _data(
    inventory: inventories.Inventory, fleet: Fleet, builder: Builder, servers: Servers, definitions: Definitions
) -> dict[str, Any]:
    """Return the roles' variables on every host, tenants by name: their order in the inventory changes nothing."""
    tenants = {tenant.name: tenant for tenant in fleet.tenants}
    here: dict[str, dict[str, list[Instance]]] = {host: {} for host in inventory.hosts()}
    for instance in fleet.instances:
        here[instance.host].setdefault(instance.tenant, []).append(instance)
    waves = sorted({tenant.wave for tenant in fleet.tenants})
    hosts: dict[str, dict[str, Any]] = {
        host: {
            "products": sorted(products(inventory, host)),
            "cubejs": {
                "cubejs_memory_bytes": fleet.cube_memory_bytes.get(host),
                "cubejs_waves": waves,
                "cubejs_other_tenants": [],
                "cubejs_deployments": [
                    builder.deployment(tenants[name], definitions.by_name[name], host, instances)
                    for name, instances in sorted(of_tenant.items())
                ],
            },
        }
        for host, of_tenant in here.items()
    }
    redis: dict[str, list[RedisServer]] = {
        host: [] for group in (inventories.REDIS, inventories.SENTINELS) for host in inventory.members(group)
    }
    for server in sorted(fleet.redis_servers, key=lambda server: server.name):
        redis[server.host].append(server)
    watched = [
        tenant
        for _name, tenant in sorted(tenants.items())
        if tenant.redis and tenant.redis.sentinel and tenant.redis.server
    ]
    for host, own in redis.items():
        hosts[host]["redis"] = servers.redis_variables(host, own, watched)
    for store in fleet.stores:
        hosts[store.host]["mysql"] = servers.mysql_variables(store, [tenants[name] for name in sorted(store.tenants)])
    for proxy in fleet.proxies:
        hosts[proxy.host]["nginx"] = servers.nginx_variables(proxy, fleet)
    guarded = firewall.role_variables(fleet)
    for host, variables in guarded.items():
        hosts[host]["firewall"] = variables
    fingerprints = {
        secret.reference: secret.fingerprint
        for tenant in fleet.tenants
        for secret in tenant.secrets
        if secret.fingerprint
    }
    stated = sorted(secret.reference for tenant in fleet.tenants for secret in tenant.secrets if secret.given)
    return {"hosts": hosts, "guarded": sorted(guarded), "fingerprints": fingerprints, "stated": stated}
