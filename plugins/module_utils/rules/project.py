# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on a project's code: one deployment that serves many tenants of its own must keep them apart.

Code is not run: what its configuration speaks of is judged, as far as words tell.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known, schedules
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

APP, ORCHESTRATOR, SOURCE = "contextToAppId", "contextToOrchestratorId", "contextToDataSourceId"
DRIVER, CONTEXTS = "driverFactory", "scheduledRefreshContexts"
# From here on the app id chooses schema and compiler only; cache and queue are all apps' own unless this is set.
# (Read in server-core 0.28.67 and 0.29.57; of those between, none was read.)
APART_BY_ORCHESTRATOR = ">=0.29"


@dataclass(frozen=True)
class Code:
    """A tenant's project, as one of its instances has it whose version was read, too; instances are all of them."""

    version: str
    project: Project
    instances: tuple[LiveInstance, ...]

    @property
    def serves_many(self) -> bool | None:
        """Return whether it tells tenants of its own apart; None where its text does not say."""
        return True if APP in self.project.mentions else self.project.driver_by_context

    @property
    def where(self) -> tuple[str, ...]:
        """Return its configuration's file, if it has one."""
        project = self.project
        return (f"{project.directory}/{project.configuration}",) if project.configuration else ()


def code_of(instances: tuple[LiveInstance, ...]) -> Code | None:
    """Return the code of a tenant's instances; None where no configuration and version were read together."""
    pairs = ((each.version, each.seen.project) for each in instances if each.version)
    return next((Code(version, project, instances) for version, project in pairs if project is not None), None)


class CodeRule(Rule):
    """A rule on each tenant's code."""

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        for name, _planned, instances in known.deployments(fleet, live):
            code = code_of(instances)
            if code:
                yield self.judged(name, code)
            elif instances:
                why = "neither its configuration nor its version could be read"
                yield self.found(name, why, known.BECOME, tenant=name, status=UNKNOWN)

    @abstractmethod
    def judged(self, name: str, code: Code) -> Finding:
        """Return what is said of a tenant."""


class TenantsOfCodeApart(CodeRule):
    """Results are cached, and queries queued, by their SQL alone: who asked, and of which database, is not part of it.

    A driver that is chosen by who asks gives one tenant the rows of another, unless cache and queue are chosen so, too:
    by contextToOrchestratorId from 0.29 on, by contextToAppId before (cube-js/cube issue 4129).
    """

    id = "code-tenants-apart"
    title = "A driver that depends on who asks has a cache and queue that do"
    severity = CRITICAL
    source = "cube-js/cube issue 4129; source of @cubejs-backend/server-core 0.20.10 to 0.35.81"
    remedy = f"Let {ORCHESTRATOR} return a name of its own for each tenant that the driver tells apart"

    def judged(self, name: str, code: Code) -> Finding:
        """Return what is said of a tenant."""
        project, many, where = code.project, code.serves_many, code.where
        newer = versions.within(code.version, APART_BY_ORCHESTRATOR)
        apart = [
            each for each in ((ORCHESTRATOR,) if newer else (ORCHESTRATOR, APP, SOURCE)) if each in project.mentions
        ]
        if many is False:
            return self.found(name, "its code serves one tenant", tenant=name, status=NOT_APPLICABLE)
        if apart:
            return self.found(name, f"{apart[0]} keeps them apart", tenant=name, status=PASS, evidence=where)
        if project.driver_by_context:
            told = f"{DRIVER} depends on who asks, and nothing else does"
            return self.found(name, told, tenant=name, evidence=where)
        if project.driver_by_context is None:
            why = f"whether {DRIVER} depends on who asks is not known: its configuration does not show it"
            remedy = f"See in the code; if it does, set {ORCHESTRATOR}"
            return self.found(name, why, remedy, tenant=name, status=UNKNOWN, evidence=where)
        told = f"{APP} tells tenants apart, and they share one cache, queue and pool"
        return self.found(name, told, tenant=name, severity=WARNING, evidence=where)


class ContextsScheduled(CodeRule):
    """A refresh worker knows no user: without a list of contexts it refreshes for none, and no tenant's data.

    The schema's tables are then built with the first query of each tenant, if at all.
    """

    id = "refresh-contexts"
    title = "A project that serves many tenants lists those to refresh for"
    sentences = ("refresh-worker",)
    source = "CHANGELOG of Cube.js 0.19 and 0.26 (issue 1904); cube-js/cube issues 4797 and 7529"
    remedy = f"Let {CONTEXTS} return the security context of every tenant"

    def judged(self, name: str, code: Code) -> Finding:
        """Return what is said of a tenant."""
        many, scheduled, where = code.serves_many, schedules.is_scheduled(code.instances), code.where
        if CONTEXTS in code.project.mentions:
            return self.found(name, f"its code has {CONTEXTS}", tenant=name, status=PASS, evidence=where)
        if many is False or scheduled is False:
            why = "its code serves one tenant" if many is False else "nothing is scheduled"
            return self.found(name, why, tenant=name, status=NOT_APPLICABLE)
        if many is None or scheduled is None:
            why = "whether its code serves many tenants, and schedules anything, is not known"
            return self.found(name, why, f"See in the code; if so, set {CONTEXTS}", tenant=name, status=UNKNOWN)
        return self.found(name, f"its code serves many tenants, and has no {CONTEXTS}", tenant=name, evidence=where)
