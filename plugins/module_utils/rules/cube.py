# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on Cube.js itself: its version, its processes and their environment."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import (
    environment,
    memory,
    schema,
    setting_names,
    settings,
    versions,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

_FIRST_WORKER = ">=0.19.40"


class VersionWorks(Rule):
    """Only versions whose behaviour is known are deployed, and one version for all processes of a tenant.

    Redis left Cube in 0.36. A version read as a float (0.30 is 0.3 to YAML) names no release.
    """

    id = "version-works"
    title = "The version of Cube is written in full and can be deployed"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield versions that cannot be deployed, and tenants whose hosts disagree."""
        for tenant in fleet.tenants:
            for version in tenant.versions:
                problem = versions.problem(version)
                if problem:
                    yield self.found(tenant.version_subject, problem.message, problem.remedy)
            if len(tenant.versions) > 1:
                yield self.found(
                    tenant.version_subject,
                    f"the hosts of {tenant.name} ask for {' and '.join(tenant.versions)}",
                    "Set one version for all hosts of a tenant, or the tenant's own version",
                    tenant=tenant.name,
                )


class RefreshWorkerStarts(Rule):
    """A version reads the refresh worker's flag from 0.19.40 on."""

    id = "refresh-worker-version"
    title = "The version has a refresh worker"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants whose version has none."""
        for tenant in fleet.tenants:
            if tenant.refresh_worker and not versions.within(tenant.version, _FIRST_WORKER):
                yield self.found(
                    f"{tenant.subject}.refresh_worker",
                    f"Cube {tenant.version} reads no flag that makes a process the refresh worker",
                    "Use 0.19.40 or newer, or refresh_worker: false",
                    tenant=tenant.name,
                )


class EnvironmentIsFree(Rule):
    """A tenant's own variables must not replace those that the role sets, nor open what it closes."""

    id = "environment-free"
    title = "A tenant's own variables do not contradict the role's"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield variables that are not the tenant's to set, or that its version does not read."""
        for tenant in fleet.tenants:
            for name in tenant.environment:
                yield from self._variable(tenant, name)

    def _variable(self, tenant: Tenant, name: str) -> Iterator[Finding]:
        subject = f"{tenant.subject}.environment.{name}"
        rows = setting_names.ROWS.get(name, ())
        if not environment.NAME.fullmatch(name):
            message, remedy = f"{name!r} is no name of a variable", "Use letters, digits and _"
        elif any(row.refused for row in rows):
            message, remedy = f"nobody may set it: {rows[0].refused}", "Remove it"
        elif any(row.write != settings.NEVER for row in rows):
            message, remedy = "the role sets it", f"Use the tenant's own keys (setting {rows[0].name}) and remove it"
        else:
            yield from self._unread(tenant, name, subject)
            return
        yield self.found(subject, message, remedy, tenant=tenant.name)

    def _unread(self, tenant: Tenant, name: str, subject: str) -> Iterator[Finding]:
        problem = setting_names.problem(name, tenant.version)
        if problem:
            yield self.found(subject, problem.message, problem.remedy, tenant=tenant.name, severity=WARNING)


class DatabaseKnown(Rule):
    """The kind of the source database chooses the driver package that the runtime must hold."""

    id = "database-type"
    title = "Cube has a driver for the source database"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield kinds without a driver, and endpoints that are not said."""
        for tenant in fleet.tenants:
            kind = tenant.database.type
            if kind and versions.driver_package(kind) is None:
                near = schema.nearest(kind, versions.database_types())
                yield self.found(
                    f"{tenant.subject}.database.type",
                    f"Cube has no driver for {kind!r}",
                    f"Did you mean {near}?" if near else f"Use one of {', '.join(versions.database_types())}",
                    tenant=tenant.name,
                )
            for key in tenant.missing:
                if key.startswith("database."):
                    yield self.found(
                        f"{tenant.subject}.{key}", f"a {kind} database needs it", "Set it", tenant=tenant.name
                    )


class MemorySuffices(Rule):
    """An idle process takes 110 MB; below 160 MB each, the kernel ends one with the first query."""

    id = "memory-suffices"
    title = "A host's memory holds its processes"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield hosts whose memory is known and too small."""
        for host, share in fleet.cube_memory_bytes.items():
            count = len(fleet.instances_on(host))
            need = count * memory.PROCESS_MINIMUM
            if need > share:
                yield self.found(
                    "cubejs_host_memory_bytes",
                    f"{count} processes need {need // memory.MEBIBYTE} MiB, Cube's share is "
                    f"{share // memory.MEBIBYTE} MiB",
                    "Give the host more memory, or move tenants to another one (hosts)",
                    host=host,
                )
