# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on what becomes of pre-aggregations: somebody builds them, where they belong, and lately."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REFRESH_WORKER, Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Tables
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql_look import default_schema
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known, schedules
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.refresh import refreshes

BUILDER, ROLLUP_ONLY, MODE = "CUBEJS_PRE_AGGREGATIONS_BUILDER", "CUBEJS_ROLLUP_ONLY", "NODE_ENV"
# From here on an API instance builds only when it is told to; up to here it does unless it answers from rollups only.
BUILDS_WHEN_TOLD = ">=0.30.34"
DECIDED_IN_CODE, SCHEMA_IN_CODE = "rollupOnlyMode", "preAggregationsSchema"


def builds(instance: LiveInstance) -> Optional[bool]:
    """Return whether a process builds pre-aggregations; None where that is not known."""
    if instance.kind == REFRESH_WORKER:
        return True
    own = refreshes(instance)
    project = instance.seen.project
    if own is None or known.gap(instance, BUILDER, ROLLUP_ONLY, MODE):
        return own or None
    if own or instance.seen.value(MODE) != "production":
        return True
    if versions.within(instance.version, BUILDS_WHEN_TOLD):
        return known.is_true(instance.seen, BUILDER)
    if project and DECIDED_IN_CODE in project.mentions:
        return None
    return not known.is_true(instance.seen, ROLLUP_ONLY)


class PreAggregationsAreBuilt(Rule):
    """Without a refresh worker, some API instance must build, or queries end with "No pre-aggregation table".

    From 0.30.34 on an API instance builds only with CUBEJS_PRE_AGGREGATIONS_BUILDER=true; before, it does unless it
    answers from pre-aggregations only (CUBEJS_ROLLUP_ONLY).
    """

    id = "pre-aggregations-built"
    title = "Some process of every tenant builds its pre-aggregations"
    severity = CRITICAL
    sentences = ("refresh-worker",)
    source = "CHANGELOG of Cube.js 0.30.34; source of @cubejs-backend/server-core 0.29.57 and 0.31.69"
    remedy = f"Run a refresh worker, or set {BUILDER}=true on an API instance"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        for name, planned, instances in known.deployments(fleet, live):
            present = known.running(instances)
            verdicts = {each.name: builds(each) for each in present}
            builders = [each for each, verdict in verdicts.items() if verdict]
            schemas = [project.pre_aggregations for _instance, project in schedules.projects(instances)]
            hidden = known.unseen(live, planned)
            if schemas and not any(schemas):
                yield self.found(name, "its schema has no pre-aggregation", tenant=name, status=NOT_APPLICABLE)
            elif builders:
                yield self.found(name, f"built by {', '.join(builders)}", tenant=name, status=PASS)
            elif hidden:
                yield self.found(name, known.told_unseen(hidden), known.LOOK, tenant=name, status=UNKNOWN)
            elif None in verdicts.values() or not schemas:
                why = "who builds, or whether there is anything to build, is not known: not all could be read"
                why = why if instances else "no process of it was seen"
                yield self.found(name, why, known.BECOME, tenant=name, status=UNKNOWN)
            else:
                yield self.found(name, f"none of its {len(present)} processes builds", tenant=name)


class PreAggregationsAreFlagged(Rule):
    """Up to 0.29 a pre-aggregation that does not say so is neither external nor refreshed on a schedule.

    The storage and the refresh worker then do nothing for it. Words are counted, code is not run.
    """

    id = "pre-aggregations-flagged"
    title = "Pre-aggregations say external: true and scheduledRefresh: true up to 0.29"
    severity = WARNING
    versions = "<0.30"
    sentences = ("refresh-worker", "external-storage")
    source = "Source of @cubejs-backend/shared 0.28.55 and 0.30.69; cube-js/cube issue 4797"
    remedy = (
        "Write external: true and scheduledRefresh: true into each pre-aggregation, or from 0.27 on set "
        f"{schedules.EXTERNAL}=true and {schedules.SCHEDULED}=true"
    )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        for name, _planned, instances in known.deployments(fleet, live):
            judged = next((pair for pair in schedules.projects(instances) if not known.gap(pair[0])), None)
            if judged:
                yield self._judged(name, *judged, worked=bool(known.workers(instances)))
            elif instances:
                why = "its schema, or the version of Cube, could not be read"
                yield self.found(name, why, known.BECOME, tenant=name, status=UNKNOWN)

    def _judged(self, name: str, instance: LiveInstance, project: Project, *, worked: bool) -> Finding:
        total = project.pre_aggregations
        if not total or not versions.within(instance.version, self.versions):
            why = "both are the default" if total else "its schema has no pre-aggregation"
            return self.found(name, why, tenant=name, status=NOT_APPLICABLE)
        stored = bool(instance.seen.value("CUBEJS_EXT_DB_TYPE"))
        lacking = [
            f"{count} of {total} say {word}"
            for word, count, matters, variable in (
                ("external: true", project.external, stored, schedules.EXTERNAL),
                ("scheduledRefresh: true", project.scheduled_refresh, worked, schedules.SCHEDULED),
            )
            if matters and count < total and not schedules.default_of(instance, variable)
        ]
        if lacking:
            return self.found(name, "; ".join(lacking), tenant=name, evidence=[project.schema_directory])
        return self.found(name, f"none of {total} lacks what it needs", tenant=name, status=PASS)


class PreAggregationsAreFresh(Rule):
    """A refresh that fails, hangs or was never set up shows in one thing: the newest table gets older.

    Cube writes the time of the build into the name of each table. How old it may be depends on the data, so that it is
    judged only where an age is declared.
    """

    id = "pre-aggregations-fresh"
    title = "The newest pre-aggregation is no older than the age declared for the tenant"
    sentences = ("refresh-worker",)
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51; cube-js/cube issue 4797"
    remedy = "See in the refresh worker's log why it does not build, or declare a greater age"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        for name, _planned, instances in known.deployments(fleet, live):
            declared = live.declared_age_seconds.get(name)
            if declared is None:
                remedy = "Declare how old the newest pre-aggregation of the tenant may be"
                yield self.found(name, "no age is declared for it", remedy, tenant=name, status=NOT_APPLICABLE)
            else:
                yield self._judged(name, declared, list(_tables(live, instances)))

    def _judged(self, name: str, declared: float, found: list[tuple[float, Tables]]) -> Finding:
        if not found:
            why = f"the tables of its storage could not be read; at most {_span(declared)} is declared"
            remedy = "See why the storage is not reached with the settings of its instances"
            return self.found(name, why, remedy, tenant=name, status=UNKNOWN)
        ages = [at - tables.newest_at for at, tables in found if tables.newest_at is not None]
        schemas = [f"{tables.cube} tables in {tables.schema}" for _at, tables in found]
        if ages and min(ages) <= declared:
            message = f"the newest is {_span(max(0.0, min(ages)))} old, at most {_span(declared)} is declared"
            return self.found(name, message, tenant=name, status=PASS, evidence=schemas)
        if not all(tables.whole for _at, tables in found):
            why = "there are more tables than were looked at"
            return self.found(name, why, tenant=name, status=UNKNOWN, evidence=schemas)
        told = f"the newest is {_span(min(ages))} old" if ages else "there is none"
        return self.found(name, f"{told}, at most {_span(declared)} is declared", tenant=name, evidence=schemas)


def _tables(live: Live, instances: tuple[LiveInstance, ...]) -> Iterator[tuple[float, Tables]]:
    """Yield the tables in the storages of instances, and when they were looked at."""
    for instance in instances:
        seen = instance.seen
        host = known.observation_of(live, instance)
        server = host.mysql.get(seen.storage) if host else None
        chosen = seen.project and SCHEMA_IN_CODE in seen.project.mentions
        if host is None or server is None or chosen or known.gap(instance):
            continue
        name = seen.value("CUBEJS_PRE_AGGREGATIONS_SCHEMA") or default_schema(instance.version, seen.value(MODE))
        tables = server.tables.get(name)
        if tables is not None:
            yield host.taken_at, tables


def _span(seconds: float) -> str:
    """Return a time in words, in whole units that a person reads at a glance."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
