# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on what all processes of a tenant must have in common. What differs is told by name, secrets by that alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import NOT_APPLICABLE, PASS, UNKNOWN, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.live_storage import schema_of
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

# What one process has, as a text that can be compared and shown; or what keeps it from being known.
Trait = Callable[[LiveInstance], "str | Unknown"]

ZONES, SCHEMA, MODE = "CUBEJS_SCHEDULED_REFRESH_TIMEZONES", "CUBEJS_PRE_AGGREGATIONS_SCHEMA", "NODE_ENV"
NAME_IT = f"Name it in {SCHEMA}, which this audit can read, and not in code"
MAX_EVIDENCE = 20


def for_each_tenant(
    rule: Rule, fleet: Fleet, live: Live, verdict: Callable[[str, tuple[LiveInstance, ...]], Finding]
) -> Iterator[Finding]:
    """Yield for each tenant what is said of its running processes; of fewer than two there is nothing to compare."""
    for name, _planned, instances in known.deployments(fleet, live):
        present = known.running(instances)
        if len(present) > 1:
            yield verdict(name, present)
        else:
            told = f"it runs {len(present)} process{'' if present else 'es'}: nothing to compare"
            yield rule.found(name, told, tenant=name, status=NOT_APPLICABLE)


def compared(rule: Rule, fleet: Fleet, live: Live, trait: Trait, what: str) -> Iterator[Finding]:
    """Yield for each tenant whether its running processes have a trait in common. what: the trait, in a word or two."""
    return for_each_tenant(
        rule, fleet, live, lambda name, present: _verdict(rule, name, what, [(each, trait(each)) for each in present])
    )


def _verdict(rule: Rule, name: str, what: str, traits: Sequence[tuple[LiveInstance, str | Unknown]]) -> Finding:
    groups: dict[str, list[str]] = {}
    hidden = []
    for instance, trait in traits:
        if isinstance(trait, Unknown):
            hidden.append((instance, trait))
        else:
            groups.setdefault(trait, []).append(f"{instance.name} on {instance.host}")
    if len(groups) > 1:
        evidence = [f"{', '.join(members)}: {trait or 'not set'}" for trait, members in groups.items()]
        message = f"its {len(traits)} processes have {len(groups)} different {what}"
        return rule.found(name, message, tenant=name, evidence=evidence[:MAX_EVIDENCE])
    if hidden:
        told = [f"{instance.name} on {instance.host}: {why.reason}" for instance, why in hidden]
        message = f"the {what} of {len(hidden)} of its {len(traits)} processes are not known"
        remedy = hidden[0][1].remedy or known.BECOME
        return rule.found(name, message, remedy, tenant=name, status=UNKNOWN, evidence=told[:MAX_EVIDENCE])
    same = next(iter(groups))
    return rule.found(name, f"all {len(traits)} processes have the same {what}", tenant=name, status=PASS,
                      evidence=[same] if same else ())  # fmt: skip


def _effective(name: str, instance: LiveInstance) -> str | Unknown:
    return known.environment_gap(instance.seen, name) or instance.seen.value(name) or ""


class TimeZonesAgree(Rule):
    """The refresh worker builds for its time zones only, and queries with another find no pre-aggregation.

    The error is "pre-aggregation partitions were not built yet" (cube-js/cube issue 5178).
    """

    id = "time-zones-agree"
    title = "All processes of a tenant have the same time zones"
    versions = ">=0.19.42"
    sentences = ("refresh-worker",)
    source = "cube-js/cube issue 5178"
    remedy = f"Set {ZONES} to the same list, of all time zones that are asked for, on all processes"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        return compared(self, fleet, live, _zones, "time zones")


def _zones(instance: LiveInstance) -> str | Unknown:
    found = _effective(ZONES, instance)
    return (
        found if isinstance(found, Unknown) else ", ".join(sorted({each.strip() for each in found.split(",")} - {""}))
    )


class SchemaFilesAgree(Rule):
    """Names of tables are digests over the schema: processes with different files never use each other's tables."""

    id = "schema-files-agree"
    title = "All processes of a tenant have the same schema files"
    source = "cube-js/cube issues 5178 and 7529"
    remedy = "Deploy the same project for all processes of the tenant, and restart those that have another"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        return compared(self, fleet, live, _schema_files, "schema files")


def _schema_files(instance: LiveInstance) -> str | Unknown:
    project = instance.seen.project
    if project is None or not project.schema_digest:
        told = next((each for each in instance.seen.unknown if each.what == "project"), None)
        return told or Unknown("project", "its schema was not found")
    return f"{project.schema_files} files, {project.schema_digest[:12]}"


class PackageVersionsAgree(Rule):
    """Two versions of Cube name tables, read variables and prefix keys differently, on the same Redis and storage."""

    id = "package-versions-agree"
    title = "All processes of a tenant have the same packages of Cube.js"
    source = "Source of @cubejs-backend/server-core 0.19.61 to 0.35.81"
    remedy = "Install the same packages for all processes, from one lockfile"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        return compared(self, fleet, live, _packages, "packages")


def _packages(instance: LiveInstance) -> str | Unknown:
    found = instance.seen.packages.versions
    if not found:
        return known.version_gap(instance) or Unknown("packages", "no package of Cube.js was found")
    return ", ".join(f"{name.rpartition('/')[2]} {version}" for name, version in sorted(found.items()))


class NodeEnvAgrees(Rule):
    """NODE_ENV chooses the default names of cache and schema: a process that has another works beside the others."""

    id = "node-env-agrees"
    title = "All processes of a tenant have the same NODE_ENV"
    sentences = ("node-env",)
    source = "Source of @cubejs-backend/server-core 0.29.57"
    remedy = f"Set {MODE}=production on all processes"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        return compared(self, fleet, live, lambda instance: _effective(MODE, instance), f"values of {MODE}")


class StorageSchemaAgrees(Rule):
    """The name of the schema is part of the name of a table: what the worker builds elsewhere, an API never finds.

    They share the list of tables in Redis, so that queries fail with "Table ... doesn't exist", by turns.
    """

    id = "storage-schema-agrees"
    title = "All processes of a tenant have the same pre-aggregation schema"
    sentences = ("external-storage",)
    source = "Source of @cubejs-backend/server-core 0.20.10, 0.25.15 and 0.29.57"
    remedy = f"Set {SCHEMA} to the same name on all processes"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        return compared(self, fleet, live, _storage_schema, "pre-aggregation schemas")


def _storage_schema(instance: LiveInstance) -> str | Unknown:
    missing = known.gap(instance, SCHEMA, MODE)
    return missing or schema_of(instance) or Unknown("schema", "the project's code names it", NAME_IT)
