# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host that is scaled in: whether that was meant and can be, and what is drained there.

Only a host of Cube's own processes can leave without anything to be moved before: data, votes and clients' addresses do
not follow by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory as inventories
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import (
    API,
    REFRESH_WORKER,
    TCP,
    Fleet,
    Instance,
    Tenant,
)

# What a proxy that was told to end its workers may take beyond the time it gives them.
MARGIN_SECONDS = 10
SHUTDOWN = ("nginx_worker_shutdown_timeout_seconds", 120)


@dataclass(frozen=True)
class HostDeparture:
    """What is asked for: a host, and its name once more, by which that is confirmed."""

    host: str
    confirm: str = ""

    def problems(self, fleet: Fleet, inventory: inventories.Inventory, rest: Fleet) -> Iterator[Finding]:
        """Yield why nothing is drained; rest: the fleet without the host."""
        if self.host not in inventory.hosts():
            remedy = f"Name the host to be scaled in: one of {', '.join(inventory.hosts())}"
            yield Finding("value-choice", "host", f"{self.host!r} is none of the hosts", remedy)
            return
        if self.confirm != self.host:
            message = f"{self.confirm!r} is not {self.host!r}, which is about to be drained and stopped"
            yield Finding("value-choice", "confirm", message, f"Confirm by the name: -e confirm={self.host}")
        yield from self._kept_by_data(fleet)
        yield from self._kept_by_processes(fleet, rest)

    def _refusal(self, message: str, remedy: str) -> Finding:
        return Finding("value-choice", "host", message, remedy, host=self.host)

    def _kept_by_data(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield what else the host has, which nobody else could take over unasked."""
        redis = [server.name for server in fleet.redis_servers if server.host == self.host]
        if redis:
            yield self._refusal(
                f"{self.host} has Redis, or a replica of it, of {_listed(redis)}",
                "Name another host in redis.host of these tenants and run site (docs/tenants.md, Move), or scale in "
                f"only its processes: take {self.host} out of cubejs_api after another host took over",
            )
        stored = [tenant for store in fleet.stores if store.host == self.host for tenant in store.tenants]
        if stored:
            yield self._refusal(
                f"{self.host} has the pre-aggregations of {_listed(stored)} in MySQL",
                "Name another host in pre_aggregations.host of these tenants and run site (docs/tenants.md, Move)",
            )
        if self.host in fleet.sentinels:
            yield self._refusal(
                f"{self.host} votes in {inventories.SENTINELS}, and two Sentinels decide nothing once one is gone",
                f"Put another host into {inventories.SENTINELS} in its place and run site first",
            )
        served = [tenant for proxy in fleet.proxies if proxy.host == self.host for tenant in proxy.tenants]
        if served:
            yield self._refusal(
                f"clients reach {_listed(served)} by the Nginx of {self.host}",
                f"Lead them to another proxy, and take {self.host} out of {inventories.NGINX} first",
            )

    def _kept_by_processes(self, fleet: Fleet, rest: Fleet) -> Iterator[Finding]:
        """Yield whose last processes the host has."""
        names = {tenant.name: tenant for tenant in rest.tenants}
        here = [tenant for tenant in fleet.tenants if fleet.instances_of(tenant.name)]
        alone = [each.name for each in here if self.host in each.api_hosts and not _has_api(names.get(each.name))]
        if alone:
            yield self._refusal(
                f"{self.host} is the only host of the API instances of {_listed(alone)}",
                f"Put another host into {inventories.API} (and into the tenants' hosts) and run site first",
            )
        working = [
            each.name for each in here if each.worker_host == self.host and not _has_worker(names.get(each.name))
        ]
        if working:
            yield self._refusal(
                f"{self.host} is the only host of the refresh worker of {_listed(working)}",
                f"Put another host into {inventories.REFRESH_WORKER} (and into the tenants' hosts) and run site first",
            )

    def accounts(self, data: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
        """Return, for each host of MySQL, the accounts that log in from the host that leaves, and from there alone.

        data, rest: the plan with the host and without it.
        """
        found = {}
        for server, roles in data["hosts"].items():
            if server != self.host and "mysql" in roles:
                kept = _accounts(rest["hosts"].get(server, {}))
                gone = [account for account in _accounts(roles) if account not in kept]
                found[server] = [{"name": name, "host": host} for name, host in gone]
        return found

    def result(self, fleet: Fleet, inventory: inventories.Inventory, rest: Fleet) -> dict[str, Any]:
        """Return what is drained, for how long it is waited, and what has to be done afterwards."""
        own = [instance for instance in fleet.instances if instance.host == self.host]
        name, default = SHUTDOWN
        patience = (int(inventory.variable(host, name, default)) for host in inventory.members(inventories.NGINX))
        return {
            "host": self.host,
            "ports": sorted(each.port for each in own if each.kind == API and each.listen == TCP and each.port),
            "drain_seconds": max(patience, default=default) + MARGIN_SECONDS,
            "then": self._then(own, inventory, rest),
        }

    def _then(self, own: Iterable[Instance], inventory: inventories.Inventory, rest: Fleet) -> str:
        groups = [group for group in inventories.GROUPS if self.host in inventory.members(group)]
        workers = sorted(each.tenant for each in own if each.kind == REFRESH_WORKER)
        moved = [
            f"the refresh worker of {name} starts on {worker}" for name in workers if (worker := _worker(rest, name))
        ]
        follows = ", ".join([*moved, "and what Redis and MySQL allow follows"])
        return (
            f"{self.host} serves nothing any more. Take it out of {', '.join(groups)} and run site: {follows}. "
            "While it is there, a run of site starts it again"
        )


def _accounts(roles: Mapping[str, Any]) -> list[tuple[str, str]]:
    users = roles.get("mysql", {}).get("mysql_users", ())
    return [(user["name"], host) for user in users for host in user["hosts"]]


def _has_api(tenant: Tenant | None) -> bool:
    return tenant is not None and bool(tenant.api_hosts)


def _has_worker(tenant: Tenant | None) -> bool:
    return tenant is not None and bool(tenant.worker_host)


def _worker(fleet: Fleet, name: str) -> str:
    tenant = fleet.tenant(name)
    return tenant.worker_host if tenant else ""


def _listed(tenants: Iterable[str]) -> str:
    return ", ".join(sorted(tenants))
