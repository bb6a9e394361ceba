# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A tenant that goes: whether that was meant, and what of it each host has, by names alone.

A tenant may have left the inventory before: what its definition would have said is then what derives from its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import firewall, names, retired, secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory as inventories
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet

NGINX_ROOT = "/etc/nginx/cubejs"
REDIS_ROOT = "/etc/cubejs/redis"
FIREWALL_ROOT = "/etc/cubejs/firewall"
UNIT_DIRECTORY = "/etc/systemd/system"


@dataclass(frozen=True)
class Departure:
    """What is asked for: a tenant, the name once more by which that is confirmed, and one host or "" for all."""

    tenant: str
    confirm: str = ""
    host: str = ""

    def problems(self, fleet: Fleet, inventory: inventories.Inventory) -> Iterator[Finding]:
        """Yield why nothing is taken away."""
        if not names.is_tenant_name(self.tenant):
            remedy = "Name the tenant to be removed: -e tenant=acme"
            yield Finding("value-choice", "tenant", f"{self.tenant!r} is no name of a tenant", remedy)
            return
        if self.confirm != self.tenant:
            message = f"{self.confirm!r} is not {self.tenant!r}, which is about to be removed for good"
            yield Finding("value-choice", "confirm", message, f"Confirm by the name: -e confirm={self.tenant}")
        if self.host and self.host not in inventory.hosts():
            remedy = f"Write one of {', '.join(inventory.hosts())}, or leave it out for all of them"
            yield Finding("value-choice", "host", f"{self.host!r} is none of the hosts", remedy)
        if self.host and any(each.host == self.host for each in fleet.instances_of(self.tenant)):
            message = f"{self.tenant} is planned on {self.host}"
            yield Finding("value-choice", "host", message, f"Take {self.host} out of the tenant's hosts first")

    def number(self, fleet: Fleet) -> int | None:
        """Return the number that the tenant had; None where nobody knows, or where it goes on elsewhere."""
        tenant = None if self.host else fleet.tenant(self.tenant)
        return tenant.number if tenant else None

    def line(self, fleet: Fleet, day: str) -> str:
        """Return the line with which the tenant's number is put on record; "" where there is none to put there."""
        number = self.number(fleet)
        return retired.line(number, self.tenant, day) if number is not None else ""

    def by_host(
        self, fleet: Fleet, data: Mapping[str, Any], inventory: inventories.Inventory
    ) -> dict[str, dict[str, Any]]:
        """Return host -> what of the tenant is taken away there; nothing on other hosts than the one asked for."""
        return {
            host: self._on(host, fleet, data["hosts"][host], inventory) if self.host in ("", host) else _nothing()
            for host in inventory.hosts()
        }

    def _on(
        self, host: str, fleet: Fleet, roles: Mapping[str, Any], inventory: inventories.Inventory
    ) -> dict[str, Any]:
        tenant = fleet.tenant(self.tenant)
        storage = tenant.storage if tenant else None
        ours = storage is None or bool(storage.server)
        living = inventory.products(host)
        here = {
            product: product in living and not (self.host and self._stays(product, roles))
            for product in inventories.PLACES
        }
        return {
            "cubejs": here["cubejs"],
            "redis": here["redis"],
            "nginx": here["nginx"],
            "sentinel": _sentinel(roles["redis"]) if here["sentinel"] else None,
            "schemas": [storage.schema if storage else names.mysql_schema(self.tenant)] * (here["mysql"] and ours),
            "users": [storage.user if storage else names.mysql_user(self.tenant)] * (here["mysql"] and ours),
            "flush": self._flush(fleet, host),
            "firewall": "firewall" in roles,
            "sets": [
                *(_SETS[product](self.tenant) for product in ("nginx", "cubejs", "redis") if here[product]),
                *([_firewall_set(self.tenant, here)] if "firewall" in roles else []),
            ],
        }

    def _flush(self, fleet: Fleet, host: str) -> dict[str, Any] | None:
        """Return the tenant's index of the Redis that tenants share on a host, if it is there."""
        tenant = fleet.tenant(self.tenant)
        link = tenant.redis if tenant else None
        if tenant is None or link is None or not link.shared or link.server != host or self.host:
            return None
        [password] = [secret.reference for secret in tenant.secrets if secret.purpose == secrets.FOR_REDIS]
        return {"port": link.port, "index": link.index, "tls": link.tls, "password": {secrets.REFERENCE: password}}

    def _stays(self, product: str, roles: Mapping[str, Any]) -> bool:
        """Say whether a product of the host still serves the tenant, wherever its processes are."""
        rows: Mapping[str, tuple[str, str, str, str]] = {
            "cubejs": ("cubejs", "cubejs_deployments", "tenant", self.tenant),
            "redis": ("redis", "redis_instances", "name", self.tenant),
            "sentinel": ("redis", "redis_sentinel_watched", "name", self.tenant),
            "mysql": ("mysql", "mysql_users", "name", names.mysql_user(self.tenant)),
            "nginx": ("nginx", "nginx_servers", "name", self.tenant),
        }
        role, variable, key, name = rows[product]
        return any(row[key] == name for row in roles.get(role, {}).get(variable, ()))


def _nothing() -> dict[str, Any]:
    here: dict[str, Any] = dict.fromkeys(("cubejs", "redis", "nginx", "firewall"), False)
    return {**here, "sentinel": None, "schemas": [], "users": [], "flush": None, "sets": []}


def _sentinel(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the host's Sentinel is told to watch the tenant no longer."""
    return {"bind": variables["redis_sentinel_bind"], "port": variables["redis_sentinel_port"]}


def _nginx_set(tenant: str) -> dict[str, Any]:
    files = [f"sites/{tenant}.conf", f"certificates/{tenant}.crt", f"certificates/{tenant}.key"]
    check = {"command": "nginx -t -q -c {view}/nginx.conf", "requires": "/usr/sbin/nginx"}
    return {"name": "nginx", "root": NGINX_ROOT, "keep_unlisted": True, "forget": files, "validate": [check]}


def _redis_set(tenant: str) -> dict[str, Any]:
    files = [f"{tenant}.{kind}" for kind in ("conf", "secret", "crt", "key")]
    return {"name": "redis", "root": REDIS_ROOT, "keep_unlisted": True, "forget": files}


def _cubejs_set(tenant: str) -> dict[str, Any]:
    instances = [names.api_instance(tenant, index) for index in names.API_INSTANCES]
    units = [
        *map(names.api_unit, instances),
        names.refresh_worker_unit(names.refresh_worker_instance(tenant)),
        names.trial_unit(tenant),
    ]
    files = [f"{UNIT_DIRECTORY}/{unit}.d/instance.conf" for unit in units]
    return {"name": "cubejs", "keep_unlisted": True, "forget": [names.sysusers_file(tenant), *files]}


def _firewall_set(tenant: str, here: Mapping[str, bool]) -> dict[str, Any]:
    services = [product for product in (firewall.REDIS, firewall.CUBEJS) if here[product]]
    files = [f"services/{firewall.former(f'{service}-{tenant}')}" for service in services]
    return {"name": "firewall", "root": FIREWALL_ROOT, "keep_unlisted": True, "forget": files}


_SETS = {"nginx": _nginx_set, "redis": _redis_set, "cubejs": _cubejs_set}
