# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on who refreshes on a schedule: one refresh worker a tenant, and no API instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import refresh_flags, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import (
    API,
    REFRESH_WORKER,
    Fleet,
    Live,
    LiveInstance,
    Tenant,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.schedules import is_scheduled

FLAGS = (*refresh_flags.NAMES, refresh_flags.MODE)


def flag_of(instance: LiveInstance) -> refresh_flags.Flag | Unknown:
    """Return what an instance's environment says of refreshing, or what keeps it from being known."""
    project = instance.seen.project
    if project and refresh_flags.OPTION in project.mentions:
        return Unknown(
            "project", f"{project.configuration} speaks of {refresh_flags.OPTION}, which beats the environment",
            f"Leave {refresh_flags.OPTION} to the environment, which can be read",
        )  # fmt: skip
    missing = known.version_gap(instance)
    if missing:
        return missing
    given = known.variables(instance.seen, *FLAGS)
    # Where the first flag is set, a file that could not be read and can only add others changes nothing.
    missing = known.environment_gap(instance.seen, *refresh_flags.needed(instance.version, given))
    return missing or refresh_flags.decide(instance.version, given)


def refreshes(instance: LiveInstance) -> Optional[bool]:
    """Return whether an instance refreshes on a schedule; None where that is not known."""
    flag = flag_of(instance)
    return None if isinstance(flag, Unknown) else flag.state == refresh_flags.ON


class OneRefreshWorker(Rule):
    """What is scheduled is refreshed by a process of its own, and by one only.

    Without one, the first user who asks waits for the build, or from 0.30.34 gets an error; two do the same work twice,
    and have been seen to collide on tables (cube-js/cube issue 2316).
    """

    id = "one-refresh-worker"
    title = "Every tenant has exactly one running refresh worker"
    sentences = ("refresh-worker",)
    source = "Production Checklist: Set up Refresh Worker; cube-js/cube issues 2316 and 4797"
    remedy = "Run one process of the tenant as its refresh worker, on one host"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        for name, planned, instances in known.deployments(fleet, live):
            found = [f"{each.name} on {each.host}" for each in known.running(known.workers(instances))]
            if len(found) == 1:
                yield self.found(name, f"{found[0]} is its refresh worker", tenant=name, status=PASS)
            elif found:
                yield self.found(
                    name, f"{len(found)} refresh workers run", "Stop all but one", tenant=name, evidence=found
                )
            else:
                yield self._none(name, planned, instances, live)

    def _none(self, name: str, planned: Optional[Tenant], instances: tuple[LiveInstance, ...], live: Live) -> Finding:
        wanted = bool(planned and planned.worker_host)
        scheduled = True if wanted else is_scheduled(instances)
        if scheduled is False:
            return self.found(name, "nothing is scheduled, and no worker runs", tenant=name, status=NOT_APPLICABLE)
        hidden = known.unseen(live, planned)
        if planned and wanted and planned.worker_host in live.observations:
            hidden = {}
        if hidden:
            return self.found(name, known.told_unseen(hidden), known.LOOK, tenant=name, status=UNKNOWN)
        if scheduled is None:
            why = "no refresh worker runs, and whether anything is scheduled is not known: no schema could be read"
            return self.found(name, why, known.BECOME, tenant=name, status=UNKNOWN)
        own = [each.name for each in known.running(instances) if each.kind == API and refreshes(each)]
        told = f": only {', '.join(own)} refreshes, which also serves queries" if own else ""
        stopped = [
            f"{each.name} on {each.host}: {each.seen.unit.state if each.seen.unit else 'no process'}"
            for each in known.workers(instances)
        ]
        remedy = f"Start {stopped[0].partition(':')[0]}, or see why it ends" if stopped else ""
        return self.found(name, f"no refresh worker runs{told}", remedy, tenant=name, evidence=stopped)


class ApiDoesNotRefresh(Rule):
    """An API instance that refreshes builds beside the refresh worker, in the process that answers queries.

    How it is turned off depends on the version: up to 0.23 any text in CUBEJS_SCHEDULED_REFRESH_TIMER turns it on,
    false and 0 too, and from 0.24 on a process refreshes by itself unless it is in production.
    """

    id = "api-does-not-refresh"
    title = "API instances do not refresh on a schedule"
    sentences = ("refresh-worker",)
    source = "Source of @cubejs-backend/server-core 0.20.10 to 0.31.69"
    remedy = "Leave every flag of the refresh worker out of an API instance's environment"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each API instance."""
        for instance in live.instances:
            if instance.kind != API:
                continue
            flag = flag_of(instance)
            if isinstance(flag, Unknown):
                yield known.unknown(self, instance, flag)
            elif flag.state == refresh_flags.ON:
                yield self.of(instance, FAIL, flag.why, _off(instance, flag.name), evidence=_where(instance, flag.name))
            else:
                yield self.of(instance, PASS, flag.why)


def _off(instance: LiveInstance, name: str) -> str:
    if not name:
        return f"Set {refresh_flags.MODE}=production"
    if versions.within(instance.version, refresh_flags.ANY_TEXT):
        return f"Remove {name}: no text of it turns the refresh off"
    return f"Remove {name}, or set it to false"


def _where(instance: LiveInstance, *names: str) -> list[str]:
    settings = ((name, instance.seen.settings.get(name)) for name in names)
    return [f"{name} comes from {each.path or each.layer}" for name, each in settings if each]


class RefreshFlagWorks(Rule):
    """A refresh worker must be made one by a flag that its version reads, with a text that it takes for true.

    "yes" is no number of seconds to the timer, which is then off without a word; CUBEJS_REFRESH_WORKER that is empty,
    or "yes", keeps the process from starting; and a name of another release is not read at all.
    """

    id = "refresh-flag"
    title = "The refresh worker's flag is on in its version"
    versions = ">=0.19.40"
    sentences = ("refresh-flag",)
    source = "Source of @cubejs-backend/shared 0.25.15 to 0.31.67; measured on Cube.js 0.29.57"
    remedy = "Set the flag that the version reads to true"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each refresh worker, and for each API instance with a flag."""
        for instance in live.instances:
            flag = flag_of(instance)
            if isinstance(flag, Unknown):
                if instance.kind == REFRESH_WORKER:
                    yield known.unknown(self, instance, flag)
            elif instance.kind == REFRESH_WORKER:
                yield self._worker(instance, flag)
            elif flag.state == refresh_flags.THROWS:
                remedy = f"Remove {flag.name}"
                yield self.of(instance, FAIL, flag.why, remedy, evidence=_where(instance, flag.name))
            elif flag.name:
                yield self.of(instance, PASS, flag.why)

    def _worker(self, instance: LiveInstance, flag: refresh_flags.Flag) -> Finding:
        if flag.state == refresh_flags.ON and flag.name:
            return self.of(instance, PASS, flag.why)
        given = known.variables(instance.seen, *FLAGS)
        strange = refresh_flags.ignored(instance.version, given)
        message = f"{flag.why}; Cube {instance.version} does not read {', '.join(strange)}" if strange else flag.why
        wanted = refresh_flags.setting(instance.version) if not versions.problem(instance.version) else ""
        remedy = f"Set {wanted}" if wanted else "Use a version that has a refresh worker, 0.19.40 or newer"
        return self.of(instance, FAIL, message, remedy, evidence=_where(instance, flag.name, *strange))


class RefreshFlagsAgree(Rule):
    """Flags that contradict each other: which one counts depends on the version, and an upgrade turns it around."""

    id = "refresh-flags-agree"
    title = "No two flags of the refresh worker contradict each other"
    severity = WARNING
    sentences = ("refresh-flag",)
    source = "Source of @cubejs-backend/shared 0.26.103 to 0.31.67"
    remedy = "Keep one of them"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each instance."""
        for instance in live.instances:
            missing = known.gap(instance, *refresh_flags.NAMES)
            if missing:
                yield known.unknown(self, instance, missing)
                continue
            given = known.variables(instance.seen, *refresh_flags.NAMES)
            meant = refresh_flags.readings(instance.version, given)
            for name in refresh_flags.ignored(instance.version, given):
                meant[name] = refresh_flags.plain(given[name])
            if len({state for state in meant.values() if state}) > 1:
                told = [f"{name}={given[name][:40]!r} means {state}" for name, state in meant.items() if state]
                yield self.of(instance, FAIL, "; ".join(told), evidence=_where(instance, *meant))
            else:
                yield self.of(instance, PASS, f"flags that are set: {', '.join(meant) or 'none'}")
