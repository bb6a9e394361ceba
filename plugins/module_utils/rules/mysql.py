# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the storage of pre-aggregations."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import live_storage, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import CRITICAL, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import (
    Fleet,
    Live,
    LiveInstance,
    StorageLink,
    Tenant,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.live_storage import LiveStorage, Server, Use
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import storage_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule, repeated
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import bounded
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import Verdict
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenants import READS_SCHEMA, on_source_server

_READS_STORAGE = ">=0.19.43"
# From 0.30 a pre-aggregation that does not say is external; up to 0.29 it is not.
_EXTERNAL_BY_DEFAULT = ">=0.30"
NO_SCHEMA = "its project's code, or a version that could not be read, decides on the schema"
_GIVES_STORAGE = frozenset({"externalDbType", "externalDriverFactory"})


def linked(fleet: Fleet) -> Iterator[tuple[Tenant, StorageLink]]:
    """Yield the planned tenants that have a storage, with it."""
    return ((tenant, tenant.storage) for tenant in fleet.tenants if tenant.storage is not None)


def planned_on_source(fleet: Fleet, tenant: Tenant) -> bool:
    """Say whether a tenant's planned storage is on its source's server, as far as addresses tell."""
    server = tenant.storage.server if tenant.storage else ""
    return on_source_server(tenant, fleet.addresses.get(server, server))


def _place(link: StorageLink) -> tuple[str, int]:
    return (link.server or link.host.lower(), link.port)


class StorageGiven(Rule):
    """External pre-aggregations need a MySQL server that API instances and the refresh worker reach alike."""

    id = "storage-endpoint"
    title = "Every tenant has a pre-aggregation storage, or says that it needs none"
    sentences = ("external-storage",)
    source = "Production Checklist: Set up Pre-aggregations Storage"
    remedy = "Set CUBEJS_EXT_DB_TYPE=mysql, CUBEJS_EXT_DB_HOST, _NAME, _USER and _PASS, or make no rollup external"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants whose storage is not said, or that their version cannot use."""
        for tenant in fleet.tenants:
            for key in tenant.missing:
                if key.startswith("pre_aggregations."):
                    yield self._missing(tenant, key)
            if tenant.storage and not versions.within(tenant.version, _READS_STORAGE):
                yield self.found(
                    f"{tenant.subject}.pre_aggregations",
                    f"Cube {tenant.version} cannot be given a storage by environment (since 0.19.43)",
                    "Use a newer version, or pre_aggregations: {enabled: false}",
                    tenant=tenant.name,
                )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance whether its project's external pre-aggregations have a storage."""
        for instance in live.instances:
            yield verdicts.of(self, instance, _has_storage(instance))

    def _missing(self, tenant: Tenant, key: str) -> Finding:
        if key != "pre_aggregations.host":
            return self.found(f"{tenant.subject}.{key}", "an external storage needs it", "Set it", tenant=tenant.name)
        return self.found(
            f"{tenant.subject}.pre_aggregations",
            "there is no host in cubejs_mysql and no address is given",
            "Put a host into cubejs_mysql, or write pre_aggregations: {host: mysql.example, user: ..., password: ...}, "
            "or {enabled: false} to do without",
            tenant=tenant.name,
        )


class StorageSchemaIsOwn(Rule):
    """Cube drops every table in the schema that it does not know: another tenant's, or the source's own.

    Before 0.25.4 the schema's name is the same in every deployment, unless the project's code says otherwise.
    """

    id = "storage-schema-shared"
    title = "A pre-aggregation schema is one tenant's, and no source database"
    severity = CRITICAL
    sentences = ("external-storage",)
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51 (PreAggregations.js, dropOrphanedTables)"
    remedy = (
        "Give each tenant a schema of its own (CUBEJS_PRE_AGGREGATIONS_SCHEMA, from 0.25.4), or a server of its own"
    )
    across_tenants = True

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield schemas that two tenants share, or that are the source."""
        for _key, members in repeated(linked(fleet), lambda pair: (*_place(pair[1]), pair[1].schema)):
            first, *others = members
            for tenant, link in others:
                fixed = not versions.within(tenant.version, READS_SCHEMA)
                yield self.found(
                    f"{tenant.subject}.pre_aggregations.schema",
                    f"{link.schema} on the same server is {first[0].name}'s too",
                    "Use another host for the storage, or 0.25.4 or newer, which can name the schema"
                    if fixed
                    else "Use another schema, or leave it out",
                    tenant=tenant.name,
                )
        for tenant, link in linked(fleet):
            if tenant.database.name == link.schema and planned_on_source(fleet, tenant):
                yield self.found(
                    f"{tenant.subject}.pre_aggregations.schema",
                    f"{link.schema} is the source database itself, whose tables Cube would drop",
                    "Use another schema, or leave it out",
                    tenant=tenant.name,
                )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each tenant whether its schema, on that very server, is somebody else's too."""
        storage = live_storage.storage_of(fleet, live)
        owners, sources = _owners(storage)
        for tenant, uses in live_storage.wanting(storage):
            yield verdicts.found(self, tenant, _is_own(uses, owners, sources), tenant=tenant)


class StorageServerWorks(Rule):
    """Cube's MySQL driver logs in with mysql_native_password only, which MySQL 9 no longer has."""

    id = "storage-server-version"
    title = "The storage is a server that Cube can log in to"
    sentences = ("mysql-storage",)
    source = "Source of the npm package mysql 2.18.1 (lib/protocol/Auth.js)"
    remedy = "Use MariaDB, or MySQL 8.0 or 8.4"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield servers of a version that cannot work; an unknown version is judged on the host."""
        for store in fleet.stores:
            problem = versions.mysql_server_problem(store.version) if store.version else None
            if problem:
                yield self.found("mysql_distribution", problem.message, problem.remedy, host=store.host)

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server whether its version can work."""
        yield from storage_findings.of_servers(self, fleet, live, _works)


def _has_storage(instance: LiveInstance) -> Verdict:
    kind, project = instance.seen.value("CUBEJS_EXT_DB_TYPE"), instance.seen.project
    if kind:
        return verdicts.passes(f"its storage is of type {bounded(kind)}")
    unread = verdicts.unread_settings(instance)
    if unread is not None:
        return verdicts.unknown(unread)
    if project is None:
        return verdicts.unknown("its project was not read", "Run the task with become: true")
    in_code = sorted(_GIVES_STORAGE.intersection(project.mentions))
    if in_code:
        return verdicts.unknown(
            f"{project.configuration} gives a storage in code ({', '.join(in_code)}), which is not read",
            "Give it by CUBEJS_EXT_DB_*, or waive this with the reason",
        )
    if "repositoryFactory" in project.mentions:
        return verdicts.unknown("the project's code makes the schema (repositoryFactory), which is not read")
    by_default = verdicts.is_within(instance.version, _EXTERNAL_BY_DEFAULT)
    external = project.pre_aggregations if by_default else project.external
    if external:
        return verdicts.fails(f"{external} external pre-aggregations in {project.schema_directory} have no storage")
    return verdicts.not_applicable("no external pre-aggregation is in its schema")


Places = dict[tuple[str, str], dict[str, None]]


def _owners(storage: LiveStorage) -> tuple[Places, Places]:
    """Return server and schema -> the tenants that keep their pre-aggregations, and their own data, there."""
    owners: Places = {}
    sources: Places = {}
    for tenant, uses in storage.uses.items():
        for use in uses:
            if use.identity and use.schema:
                owners.setdefault((use.identity, use.schema), {})[tenant] = None
            if use.source_identity and use.source and use.source.database:
                sources.setdefault((use.source_identity, use.source.database), {})[tenant] = None
    return owners, sources


def _is_own(uses: tuple[Use, ...], owners: Places, sources: Places) -> Verdict:
    if not uses:
        return verdicts.not_applicable("it has no storage in MySQL")
    places = {(use.identity, use.schema or ""): use for use in uses}
    for (identity, schema), use in places.items():
        others = [name for name in owners.get((identity, schema), ()) if name != use.instance.tenant]
        if others:
            return verdicts.fails(
                f"{schema} on {use.server} is {', '.join(others[:5])}'s too: each drops what it "
                "does not know, and reads the other's rows"
            )
        if (identity, schema) in sources:
            whose = ", ".join(list(sources[identity, schema])[:5])
            return verdicts.fails(
                f"{schema} on {use.server} is the source database of {whose}, whose tables Cube drops"
            )
    for use in uses:
        if not use.identity or not use.schema:
            if not use.server:
                return verdicts.unknown(live_storage.why_not_seen(use))
            return verdicts.unknown(live_storage.why(use.seen, "variables") if use.schema else NO_SCHEMA)
    return verdicts.passes(f"{', '.join(sorted({f'{use.schema} on {use.server}' for use in uses}))} is its own")


def _works(server: Server) -> Verdict:
    version = server.best.version
    problem = versions.mysql_server_problem(version)
    return verdicts.fails(*problem) if problem else verdicts.passes(f"it is {version}")
