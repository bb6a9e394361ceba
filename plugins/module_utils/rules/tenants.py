# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on what identifies a tenant and where it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import names
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule, repeated

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SERVER_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


class TenantName(Rule):
    """A tenant's name becomes a Linux user, systemd instances and a MySQL schema, which must all take it as it is."""

    id = "tenant-name"
    title = "Tenant names fit a user, a unit and a schema"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield the names off the pattern."""
        for tenant in fleet.tenants:
            if tenant.name and not names.is_tenant_name(tenant.name):
                yield self.found(
                    f"{tenant.subject}.name",
                    f"{tenant.name!r} does not match ^{names.TENANT_PATTERN.pattern}$",
                    "Use a lower-case letter and up to 19 more lower-case letters and digits",
                    tenant=tenant.name,
                )


class TenantsDiffer(Rule):
    """Names, numbers and server names each belong to one tenant: users, ports and certificates derive from them."""

    id = "tenant-unique"
    title = "No two tenants share a name, a number or a server name"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield what more than one tenant has."""
        for name, members in repeated(fleet.tenants, lambda tenant: tenant.name):
            yield self.found(
                f"{members[0].subject}.name", f"{len(members)} tenants are named {name!r}", "Rename all but one"
            )
        free = fleet.next_number
        for number, members in repeated(fleet.tenants, lambda tenant: tenant.number):
            yield self.found(
                f"{members[-1].subject}.number",
                f"{number} is the number of {_listed(members)}",
                f"Give the newest another one; {free} is free" if free else "Give the newest another one",
            )
        for name, members in repeated(fleet.tenants, lambda tenant: tenant.server_name.lower()):
            yield self.found(
                f"{members[-1].subject}.server_name",
                f"{name!r} is the server name of {_listed(members)}",
                "Give each tenant its own, since Nginx tells tenants apart by it",
            )


class NumberInRange(Rule):
    """Ports derive from a tenant's number: 1 to 999 keeps them out of each other's way and of the ephemeral range."""

    id = "tenant-number"
    title = "Tenant numbers are 1 to 999"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield the numbers out of range."""
        for tenant in fleet.tenants:
            if tenant.number is not None and tenant.number not in names.NUMBERS:
                yield self.found(
                    f"{tenant.subject}.number",
                    f"{tenant.number} is not within {names.NUMBERS[0]} to {names.NUMBERS[-1]}",
                    "Use a number that no tenant has or ever had",
                    tenant=tenant.name,
                )


class ServerName(Rule):
    """Nginx serves a tenant by its server name, and the certificate carries it."""

    id = "server-name"
    title = "Every tenant behind Nginx has a valid server name"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield server names that are missing or cannot be host names."""
        for tenant in fleet.tenants:
            subject = f"{tenant.subject}.server_name"
            if not tenant.server_name and fleet.proxies:
                yield self.found(subject, "it is not set", f"Set it: cube.{tenant.name}.example", tenant=tenant.name)
            elif tenant.server_name and not _SERVER_NAME.fullmatch(tenant.server_name):
                yield self.found(
                    subject,
                    f"{tenant.server_name!r} is no host name",
                    "Write the name alone, without https:// or a port",
                    tenant=tenant.name,
                )


class TenantHasHosts(Rule):
    """Each tenant needs a host for its API instances and, unless it does without, one for its refresh worker."""

    id = "tenant-hosts"
    title = "Every tenant has hosts to run on"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants that would run nowhere, and names that are no host."""
        for tenant in fleet.tenants:
            strangers = [name for name in tenant.hosts if name not in fleet.names]
            bound = f"{tenant.subject}.hosts"
            if strangers:
                yield self.found(
                    bound,
                    f"{', '.join(strangers)}: the inventory has no such host and no such group",
                    "Name hosts or groups of the inventory",
                    tenant=tenant.name,
                )
                continue
            where = f"{bound} or the groups" if tenant.hosts else "The group"
            if not tenant.api_hosts:
                yield self.found(
                    bound if tenant.hosts else tenant.subject,
                    "no host of cubejs_api is left for it",
                    f"{where} cubejs_api must hold a host",
                    tenant=tenant.name,
                )
            if tenant.refresh_worker and not tenant.worker_host:
                yield self.found(
                    bound if tenant.hosts else tenant.subject,
                    "no host of cubejs_refresh_worker is left for it",
                    f"{where} cubejs_refresh_worker must hold a host; or set refresh_worker: false",
                    tenant=tenant.name,
                )


def _listed(tenants: list[Tenant]) -> str:
    return " and ".join(tenant.name or tenant.subject for tenant in tenants)
