# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sites of Nginx beside those that the plan puts on a host: where a tenant's requests go, and where they should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.cubeops.cubejs.plugins.module_utils.drift_settings import APPLY
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, PASS, UNKNOWN, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, Fleet, Instance, Live, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.proxying import (
    Site,
    place_of,
    plain_socket,
    proxies_of,
    unread_nginx,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import Whereabouts, whereabouts

PROXY = "drift-proxy"


def drifted(fleet: Fleet, live: Live) -> Iterator[Finding]:
    """Yield of each tenant and each host that is to serve it whether Nginx does there, and passes on to all instances.

    Of hosts that were not looked at there is nothing: another finding names them. Nor of a suspended tenant at rest:
    its proxy passes nothing on.
    """
    for tenant in fleet.tenants:
        if tenant.name in live.at_rest:
            continue
        serving = proxies_of(fleet, live).get(tenant.name)
        for host in tenant.proxy_hosts:
            if host in live.observations and tenant.server_name:
                sites = [site for site in serving.sites if site.host == host] if serving else []
                named = [site for site in sites if site.name == tenant.server_name.lower()]
                yield _judged(fleet, live, tenant, host, named)


def _judged(fleet: Fleet, live: Live, tenant: Tenant, host: str, sites: list[Site]) -> Finding:
    unread = unread_nginx(live).get(host)
    if not sites and unread is not None:
        return _of(tenant, host, UNKNOWN, f"what Nginx serves could not be read: {unread.reason}", unread.remedy)
    if not sites:
        return _of(
            tenant, host, FAIL, "it is planned, and no server of Nginx that passes requests on has its name", APPLY
        )
    wanted = {_planned(each): each for each in fleet.instances if each.tenant == tenant.name and each.kind == API}
    found = [told for site in sites for told in _differences(whereabouts(fleet, live), wanted, site)]
    if found:
        return _of(tenant, host, FAIL, "; ".join(found), APPLY)
    return _of(tenant, host, PASS, "as planned")


def _planned(instance: Instance) -> tuple[str, str]:
    return instance.host, plain_socket(instance.socket) if instance.socket else str(instance.port)


def _differences(where: Whereabouts, wanted: Mapping[tuple[str, str], Instance], site: Site) -> Iterator[str]:
    ends = {end: place_of(where, site.host, end) for passing in site.passings for end in passing.upstreams}
    for place, instance in wanted.items():
        if place not in ends.values():
            yield f"the plan has {instance.unit} on {instance.host}, and {site.path} does not pass on to it"
    for end, reached in ends.items():
        if reached not in wanted:
            yield f"{site.path} passes on to {end}, and the plan does not"


def _of(tenant: Tenant, host: str, status: str, message: str, remedy: str = "") -> Finding:
    return Finding(PROXY, tenant.server_name, message, remedy, status=status, tenant=tenant.name, host=host)
