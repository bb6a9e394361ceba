# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the storage beside the source database: one server for both, and one switch for both that turns TLS on."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import live_storage, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import ERROR, INFO, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.live_storage import Use
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import mysql, storage_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import bounded
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import Verdict
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import is_public

# The MySQL driver of 0.20.9 has no TLS option; it has one in 0.27.33, the next that was read.
_STORAGE_SPEAKS_TLS = ">=0.21"
# What MySQL and MariaDB say of themselves, in have_ssl.
_NO_TLS = ("DISABLED", "NO")
KEEP_PRIVATE = (
    "Keep the storage on the instance's own host, or on a network that nobody else is on; TLS takes a storage with a "
    "certificate of your own (pre_aggregations.host), and a source that speaks it, since CUBEJS_DB_SSL is for both"
)
_DRIVER = "@cubejs-backend/mysql-driver"


class StorageOffSource(Rule):
    """The MySQL driver up to 0.27.34 stages builds in the source under the name that the storage then wants."""

    id = "storage-on-source-server"
    title = "Up to 0.27.34 the storage is not on the source's MySQL server"
    versions = "<0.28"
    source = "Seen on Cube.js 0.20.10 and 0.27.53 with @cubejs-backend/mysql-driver 0.20.9 and 0.27.33"
    remedy = "Keep the storage on a server of its own, or use 0.28 or newer"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants whose version collides there."""
        for tenant, link in mysql.linked(fleet):
            always = versions.within(tenant.version, versions.STAGES_IN_SOURCE)
            maybe = versions.within(tenant.version, versions.MAY_STAGE_IN_SOURCE)
            if not (always or maybe) or not mysql.planned_on_source(fleet, tenant):
                continue
            yield self.found(
                f"{tenant.subject}.pre_aggregations.host",
                f"Cube {tenant.version} {'fails' if always else 'fails with a MySQL driver up to 0.27.34'} "
                f"(ER_TABLE_EXISTS_ERROR) when storage and source are one server, {link.server or link.host}",
                tenant=tenant.name,
                severity=ERROR if always else WARNING,
            )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance whose driver stages in the source whether that is the storage's server."""
        yield from storage_findings.of_uses(self, fleet, live, _collides)


class StorageSpeaksTls(Rule):
    """CUBEJS_DB_SSL is read by both connections: with it the storage must speak TLS too, or no build succeeds."""

    id = "storage-tls"
    title = "TLS to the source means TLS to the storage"
    versions = _STORAGE_SPEAKS_TLS
    source = "Source of @cubejs-backend/mysql-driver 0.29.33 (getSslOptions)"
    remedy = "Give the storage's server a certificate, or turn TLS to the source off (CUBEJS_DB_SSL)"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants with TLS to the source and a storage without."""
        for tenant, link in mysql.linked(fleet):
            reads = versions.within(tenant.version, _STORAGE_SPEAKS_TLS)
            if tenant.database.tls and reads and not link.tls:
                yield self.found(
                    f"{tenant.subject}.database.ssl",
                    "Cube then connects to the pre-aggregation storage with TLS too, which does not speak it",
                    "Use a storage with TLS and say so (pre_aggregations: {host: ..., tls: true}), or ssl: false",
                    tenant=tenant.name,
                )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance with TLS to its source whether its storage has it too."""
        yield from storage_findings.of_uses(self, fleet, live, _speaks_tls)


class StorageTlsVerified(Rule):
    """Rows and the storage's password cross the network in the clear, or to whoever claims to be the server.

    One switch turns TLS on for source and storage alike, and without CUBEJS_DB_SSL_REJECT_UNAUTHORIZED=true the
    certificate is not looked at.

    A server that speaks no TLS, as the role mysql sets it up, can be reached in no other way: on a private network that
    is worth knowing, and no more.
    """

    id = "storage-tls-verified"
    title = "A storage on another host is reached with TLS, and its certificate is verified"
    severity = WARNING
    source = "Source of @cubejs-backend/mysql-driver 0.20.9 and 0.29.33 (getSslOptions)"
    remedy = (
        "Set CUBEJS_DB_SSL=true and CUBEJS_DB_SSL_REJECT_UNAUTHORIZED=true, with NODE_EXTRA_CA_CERTS for a private CA; "
        "or keep the storage on the instance's own host"
    )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance whether its connection to the storage is safe from who listens."""
        yield from storage_findings.of_uses(self, fleet, live, lambda use: _is_verified(fleet, live, use))


def _collides(use: Use) -> Verdict:
    driver = use.instance.seen.packages.versions.get(_DRIVER, "")
    version = driver or use.instance.version
    always = verdicts.is_within(version, versions.STAGES_IN_SOURCE)
    maybe = not driver and verdicts.is_within(version, versions.MAY_STAGE_IN_SOURCE)
    if always is None:
        return verdicts.unknown("the version of its MySQL driver could not be read")
    if not (always or maybe):
        return verdicts.not_applicable(f"its MySQL driver {version} stages nothing in the source")
    if use.instance.seen.value("CUBEJS_DB_TYPE") != live_storage.MYSQL:
        return verdicts.not_applicable("its source is no MySQL")
    if not use.identity or not use.source_identity:
        return verdicts.unknown(live_storage.why(use.source if use.identity else use.seen, "variables"))
    if use.identity != use.source_identity:
        return verdicts.passes(f"source and storage ({use.server}) are two servers")
    return verdicts.fails(
        f"builds fail (ER_TABLE_EXISTS_ERROR): source and storage are one server, {use.server}, and MySQL driver "
        f"{version} {'stages' if always else 'may stage'} each build in the source under the storage's name",
        severity=ERROR if always else WARNING,
    )


def _speaks_tls(use: Use) -> Verdict:
    if not verdicts.is_true(use.instance, "CUBEJS_DB_SSL"):
        return verdicts.not_applicable("CUBEJS_DB_SSL is not on")
    if verdicts.is_within(use.instance.version, _STORAGE_SPEAKS_TLS) is False:
        return verdicts.not_applicable(f"Cube {use.instance.version} reads it for neither connection to MySQL")
    has = _has_ssl(use)
    if has in _NO_TLS:
        return verdicts.fails(f"Cube connects to {use.server} with TLS, which that server does not speak")
    if has == "YES":
        return verdicts.passes(f"{use.server} speaks TLS")
    return verdicts.unknown(live_storage.why(use.seen, "variables"))


def _has_ssl(use: Use) -> str:
    return use.seen.variables.get("have_ssl", "") if use.seen else ""


def _is_verified(fleet: Fleet, live: Live, use: Use) -> Verdict:
    instance = use.instance
    unread = verdicts.unread_settings(instance)
    if unread is not None:
        return verdicts.unknown(unread)
    address = instance.seen.value("CUBEJS_EXT_DB_HOST") or "localhost"
    if (use.seen and use.seen.socket) or live_storage.is_local(fleet, live, instance, address):
        return verdicts.not_applicable("its storage is on its own host")
    address = bounded(address)
    if verdicts.is_within(instance.version, _STORAGE_SPEAKS_TLS) is False:
        return verdicts.fails(
            f"Cube {instance.version} cannot use TLS to MySQL, and {address} is another host",
            "Use a newer version, a tunnel, or a storage on the instance's own host",
        )
    if not verdicts.is_true(instance, "CUBEJS_DB_SSL"):
        if _has_ssl(use) in _NO_TLS:
            message = f"{address} is another host, and MySQL there speaks no TLS: nothing is encrypted"
            return verdicts.fails(message, KEEP_PRIVATE, severity=WARNING if is_public(address) else INFO)
        return verdicts.fails(f"{address} is another host, and CUBEJS_DB_SSL is not on: nothing is encrypted")
    if not verdicts.is_true(instance, "CUBEJS_DB_SSL_REJECT_UNAUTHORIZED"):
        return verdicts.fails(f"CUBEJS_DB_SSL_REJECT_UNAUTHORIZED is not true: anybody can pass for {address}")
    return verdicts.passes(f"TLS to {address} is verified")
