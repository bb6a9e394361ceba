# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan cut down to some of its tenants: what the roles look after in a run, and what is planned besides.

What tenants share (a server's limits, its addresses, the sizes of Nginx' tables) is still that of all of them. The
others' names stay, so that nobody takes them for something that has left the inventory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Union

from ansible_collections.cubeops.cubejs.plugins.module_utils import firewall, names
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet

VARIABLE = "tenant"


def asked(value: Any) -> tuple[str, ...]:
    """Return the names that a run is limited to: a list, or a text with commas; none is no limit."""
    parts: Union[Iterable[Any], list[str]] = value.split(",") if isinstance(value, str) else (value or ())
    return tuple(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))


def unknown(wanted: Iterable[str], fleet: Fleet) -> list[Finding]:
    """Return what is wrong with the names that a run is limited to."""
    known = ", ".join(sorted(tenant.name for tenant in fleet.tenants))
    return [
        Finding("value-choice", VARIABLE, f"{name!r} is no tenant of the inventory", f"Write one of {known}")
        for name in wanted
        if fleet.tenant(name) is None
    ]


def limited(data: Mapping[str, Any], fleet: Fleet, wanted: Collection[str]) -> dict[str, Any]:
    """Return the plan's data with those tenants' parts alone; what is planned besides is named."""
    chosen = frozenset(wanted)
    tenants = [tenant for tenant in fleet.tenants if tenant.name in chosen]
    shared = frozenset(tenant.redis.server for tenant in tenants if tenant.redis and tenant.redis.shared)
    stored = [tenant.storage for tenant in tenants if tenant.storage and tenant.storage.server]
    users = frozenset((link.server, link.user) for link in stored)
    schemas = frozenset((link.server, link.schema) for link in stored)
    waves = sorted({tenant.wave for tenant in tenants})
    hosts = {}
    for host, roles in data["hosts"].items():
        found = {**roles, "cubejs": _cubejs(roles["cubejs"], chosen, waves)}
        if "redis" in roles:
            own = chosen | ({names.SHARED_REDIS} if host in shared else frozenset())
            found["redis"] = _redis(roles["redis"], own)
        if "mysql" in roles:
            found["mysql"] = {
                **roles["mysql"],
                "mysql_databases": [
                    each for each in roles["mysql"]["mysql_databases"] if (host, each["name"]) in schemas
                ],
                "mysql_users": [each for each in roles["mysql"]["mysql_users"] if (host, each["name"]) in users],
            }
        if "nginx" in roles:
            found["nginx"] = _nginx(roles["nginx"], chosen)
        if "firewall" in roles:
            found["firewall"] = firewall.limited(roles["firewall"], fleet, chosen)
        hosts[host] = found
    return {**data, "hosts": hosts}


def _cubejs(variables: Mapping[str, Any], chosen: frozenset[str], waves: list[int]) -> dict[str, Any]:
    deployments = variables["cubejs_deployments"]
    return {
        **variables,
        "cubejs_deployments": [each for each in deployments if each["tenant"] in chosen],
        "cubejs_other_tenants": [each["tenant"] for each in deployments if each["tenant"] not in chosen],
        "cubejs_waves": waves,
    }


def _redis(variables: Mapping[str, Any], chosen: frozenset[str]) -> dict[str, Any]:
    instances = variables["redis_instances"]
    return {
        **variables,
        "redis_instances": [each for each in instances if each["name"] in chosen],
        "redis_other_instances": [each["name"] for each in instances if each["name"] not in chosen],
    }


def _nginx(variables: Mapping[str, Any], chosen: frozenset[str]) -> dict[str, Any]:
    servers = variables["nginx_servers"]
    return {
        **variables,
        "nginx_servers": [each for each in servers if each["name"] in chosen],
        "nginx_other_servers": [each for each in servers if each["name"] not in chosen],
    }
