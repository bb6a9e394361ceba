# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the storage of pre-aggregations."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import ERROR, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, StorageLink, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule, repeated
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenants import READS_SCHEMA, on_source_server

_READS_STORAGE = ">=0.19.43"
# The MySQL driver of 0.20.9 has no TLS option; it has one in 0.27.33, the next that was read.
_STORAGE_SPEAKS_TLS = ">=0.21"


def _linked(fleet: Fleet) -> Iterator[tuple[Tenant, StorageLink]]:
    return ((tenant, tenant.storage) for tenant in fleet.tenants if tenant.storage is not None)


def _place(link: StorageLink) -> tuple[str, int]:
    return (link.server or link.host.lower(), link.port)


class StorageGiven(Rule):
    """External pre-aggregations need a MySQL server that API instances and the refresh worker reach alike."""

    id = "storage-endpoint"
    title = "Every tenant has a pre-aggregation storage, or says that it needs none"

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
    title = "A pre-aggregation schema holds one tenant's pre-aggregations and nothing else"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield schemas that two tenants share, or that are the source."""
        for _key, members in repeated(_linked(fleet), lambda pair: (*_place(pair[1]), pair[1].schema)):
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
        for tenant, link in _linked(fleet):
            if tenant.database.name == link.schema and _on_source_server(fleet, tenant):
                yield self.found(
                    f"{tenant.subject}.pre_aggregations.schema",
                    f"{link.schema} is the source database itself, whose tables Cube would drop",
                    "Use another schema, or leave it out",
                    tenant=tenant.name,
                )


class StorageOffSource(Rule):
    """The MySQL driver up to 0.27.34 stages builds in the source under the name that the storage then wants."""

    id = "storage-on-source-server"
    title = "Up to 0.27.34 the storage is not on the source's MySQL server"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants whose version collides there."""
        for tenant, link in _linked(fleet):
            always = versions.within(tenant.version, versions.STAGES_IN_SOURCE)
            maybe = versions.within(tenant.version, versions.MAY_STAGE_IN_SOURCE)
            if not (always or maybe) or not _on_source_server(fleet, tenant):
                continue
            yield self.found(
                f"{tenant.subject}.pre_aggregations.host",
                f"Cube {tenant.version} {'fails' if always else 'fails with a MySQL driver up to 0.27.34'} "
                f"(ER_TABLE_EXISTS_ERROR) when storage and source are one server, {link.server or link.host}",
                "Keep the storage on a server of its own, or use 0.28 or newer",
                tenant=tenant.name,
                severity=ERROR if always else WARNING,
            )


class StorageSpeaksTls(Rule):
    """CUBEJS_DB_SSL is read by both connections: with it the storage must speak TLS too, or no build succeeds."""

    id = "storage-tls"
    title = "TLS to the source means TLS to the storage"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants with TLS to the source and a storage without."""
        for tenant, link in _linked(fleet):
            reads = versions.within(tenant.version, _STORAGE_SPEAKS_TLS)
            if tenant.database.tls and reads and not link.tls:
                yield self.found(
                    f"{tenant.subject}.database.ssl",
                    "Cube then connects to the pre-aggregation storage with TLS too, which does not speak it",
                    "Use a storage with TLS and say so (pre_aggregations: {host: ..., tls: true}), or ssl: false",
                    tenant=tenant.name,
                )


class StorageServerWorks(Rule):
    """Cube's MySQL driver logs in with mysql_native_password only, which MySQL 9 no longer has."""

    id = "storage-server-version"
    title = "The storage is a server that Cube can log in to"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield servers of a version that cannot work; an unknown version is judged on the host."""
        for store in fleet.stores:
            problem = versions.mysql_server_problem(store.version) if store.version else None
            if problem:
                yield self.found("mysql_distribution", problem.message, problem.remedy, host=store.host)


class StorageHasRoom(Rule):
    """MySQL refuses connections beyond max_connections; Cube's pools open them all under load."""

    id = "storage-max-connections"
    title = "MySQL allows what its clients' pools may open"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield servers with fewer connections than their clients may open."""
        for store in fleet.stores:
            if store.max_connections < store.need:
                yield self.found(
                    "mysql_max_connections",
                    f"{store.max_connections} is fewer than the {store.need} that its clients may open",
                    f"Use {store.need}, or leave it out",
                    host=store.host,
                )


def _on_source_server(fleet: Fleet, tenant: Tenant) -> bool:
    server = tenant.storage.server if tenant.storage else ""
    return on_source_server(tenant, fleet.addresses.get(server, server))
