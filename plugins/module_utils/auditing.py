# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run of the checklist: what hosts returned read, rules applied, waivers and baseline, and the report of it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import drift as drifting
from ansible_collections.cubeops.cubejs.plugins.module_utils import explaining, judging, waivers
from ansible_collections.cubeops.cubejs.plugins.module_utils.baseline import compare
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    ERROR,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WAIVED,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Observation, ObservationError
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import TITLE, Location, Report
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import forms
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.looking import HostLookedAt
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES
from ansible_collections.cubeops.cubejs.plugins.module_utils.schema import nearest

PLAN, HOSTS, DRIFT = "plan", "hosts", "drift"
MODES = (PLAN, HOSTS, DRIFT)
LONGEST_REASON = 300
# Beyond so many findings, what passes or has nothing to be judged by is counted only: it would fill gigabytes.
MOST_TOLD = 20_000
DRIFT_TITLE = "Cube.js plan and hosts"

LIMITED = "left out by --limit"
NOT_REGISTERED = "nothing was registered for it"


class AuditError(ValueError):
    """Something asked for that there is not; the message has every problem."""


@dataclass(frozen=True)
class Criteria:
    """What is judged, and what counts.

    mode: the plan alone, hosts and the plan, or hosts beside the plan. rules: the ids of those that are applied.
    earlier: the findings of a baseline, None without one. fail_on, new_only: as in Report.
    """

    mode: str = HOSTS
    rules: frozenset[str] = frozenset(explaining.titles())
    waivers: tuple[waivers.Waiver, ...] = ()
    earlier: Optional[tuple[Finding, ...]] = None
    fail_on: str = ERROR
    new_only: bool = False

    def judges(self, rule: str) -> bool:
        """Return whether findings of this rule may come of it."""
        if self.mode == HOSTS:
            return rule in self.rules and rule not in drifting.TITLES
        return rule in self.rules and rule in (_JUDGE_PLANS if self.mode == PLAN else _JUDGE_DRIFT)


_JUDGE_PLANS = frozenset((*forms.INVENTORY, *(rule.id for rule in RULES if rule.judges_plan)))
# What is not looked at has drifted for all one knows.
_JUDGE_DRIFT = frozenset((*drifting.TITLES, HostLookedAt.id))


def chosen(only: Collection[str] = (), skip: Collection[str] = ()) -> frozenset[str]:
    """Return the ids of the rules that are left: of `only` (all without any) those that are not in `skip`.

    Raises AuditError for ids that there are not.
    """
    known = explaining.titles()
    problems = []
    for option, names in (("only", only), ("skip", skip)):
        for name in dict.fromkeys(names):
            if name not in known:
                close = nearest(name, known)
                problems.append(f"{option}: there is no rule {name[:60]!r}{f', is {close} meant?' if close else ''}")
    if problems:
        raise AuditError("; ".join(problems))
    return frozenset(only or known) - frozenset(skip)


def read_results(
    results: Mapping[str, Any], hosts: Iterable[str], played: Collection[str]
) -> tuple[dict[str, Observation], dict[str, str]]:
    """Return host -> observation, and host -> why there is none.

    results: host -> what a task of instance_info returned, whatever became of it. hosts: that should have been looked
    at. played: those that were in the play.
    """
    observations: dict[str, Observation] = {}
    missing: dict[str, str] = {}
    for host in dict.fromkeys((*hosts, *results)):
        result = results.get(host)
        if not isinstance(result, Mapping):
            missing[host] = NOT_REGISTERED if host in played else LIMITED
        elif result.get("observation") is None:
            missing[host] = _why_not(result)
        else:
            try:
                observations[host] = Observation.from_dict(result["observation"])
            except ObservationError as exc:
                missing[host] = _short(f"what it returned cannot be read: {exc}")
    return observations, missing


@dataclass(frozen=True)
class Judged:
    """What the rules say. counted: severity and status -> how many findings that are no problem are counted only."""

    findings: list[Finding]
    counted: Mapping[tuple[str, str], int] = field(default_factory=dict)


def judge(
    fleet: Fleet, planned: Iterable[Finding], criteria: Criteria, compared: drifting.Plan | None = None
) -> Judged:
    """Return what the rules say.

    planned: the findings of the plan, which it is not judged by a second time. compared: what the hosts are held
    against where drift is looked for.
    """
    told: list[Finding] = []
    calm: list[Finding] = []
    counted: Counter[tuple[str, str]] = Counter()
    full = False
    for findings in _all(fleet, planned, criteria, compared):
        passing = [finding for finding in findings if finding.status in (PASS, NOT_APPLICABLE)]
        told += (finding for finding in findings if finding.status not in (PASS, NOT_APPLICABLE))
        counted.update((finding.severity, finding.status) for finding in passing)
        if not full:
            calm += passing
            full = len(calm) > MOST_TOLD
    return Judged(told, counted) if full else Judged([*told, *calm])


def _all(
    fleet: Fleet, planned: Iterable[Finding], criteria: Criteria, compared: drifting.Plan | None
) -> Iterator[list[Finding]]:
    """Yield the findings of the plan, of one rule after the other, and of drift."""
    yield [finding for finding in planned if criteria.judges(finding.rule)]
    if criteria.mode != PLAN:
        for rule in RULES:
            if criteria.judges(rule.id):
                yield of_rule(rule, fleet)
    if criteria.mode == DRIFT and compared is not None:
        yield [finding for finding in drifting.drift(fleet, compared) if criteria.judges(finding.rule)]


def report(
    judged: Judged,
    fleet: Fleet,
    criteria: Criteria,
    *,
    now: datetime,
    collection_version: str,
    hosts: Iterable[str] = (),
    locations: Mapping[str, Location] | None = None,
) -> Report:
    """Return the report: findings with their reasons, waived where somebody accepts them, compared with a baseline.

    now: an aware time, whose day expiries are held against. hosts: of the plan, where no host was looked at.
    """
    live = fleet.live or Live()
    missing = tuple(sorted(live.missing))
    wanted = [waiver for waiver in criteria.waivers if criteria.judges(waiver.rule)]
    found = waivers.apply(wanted, judged.findings, now.date(), complete=not missing)
    told = tuple(map(explained, found))
    earlier = criteria.earlier
    if earlier is not None:
        # What is not judged this time is neither fixed nor there.
        about = tuple(finding for finding in earlier if criteria.judges(finding.rule) or finding.rule in forms.WAIVERS)
    return Report(
        findings=told,
        counted=judged.counted,
        generated_at=now,
        collection_version=collection_version,
        title=DRIFT_TITLE if criteria.mode == DRIFT else TITLE,
        hosts=tuple(sorted((*live.observations, *live.same_machines) if fleet.live else hosts)),
        tenants=tuple(sorted({*live.tenants, *(tenant.name for tenant in fleet.tenants)} - {""})),
        missing_hosts=missing,
        fail_on=criteria.fail_on,
        comparison=None if earlier is None else compare(told, about, missing),
        new_only=criteria.new_only,
        locations=locations or {},
        titles=explaining.titles(),
    )


def of_rule(rule: Rule, fleet: Fleet) -> list[Finding]:
    """Return what a rule says of live hosts, or that it failed over what it saw."""
    try:
        return judging.judge_hosts(fleet, [rule])
    # What a host returned may be anything; a rule that stumbles over it must not hide what the others find.
    except Exception as exc:
        told = _short(f"the rule failed with {type(exc).__name__}: {exc}")
        return [
            rule.found(rule.id, told, "This is an error of the collection: report it, with this line", status=UNKNOWN)
        ]


def _why_not(result: Mapping[str, Any]) -> str:
    if result.get("unreachable"):
        return _short(f"unreachable: {result.get('msg', '')}")
    if result.get("skipped"):
        return "its look was skipped"
    return _short(f"instance_info failed: {result.get('msg') or 'it returned no observation'}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}..."


_REASONS = {rule.id: explaining.why(rule) for rule in RULES}


def explained(finding: Finding) -> Finding:
    """Return a finding with the reason of its rule, where it is no pass."""
    reason = _REASONS.get(finding.rule, "")
    if finding.why or not reason or finding.status not in (FAIL, UNKNOWN, WAIVED):
        return finding
    return replace(finding, why=reason)
