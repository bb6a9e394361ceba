# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One report, whatever its format: what was looked at, what was found, how it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from types import MappingProxyType

from ansible_collections.cubeops.cubejs.plugins.module_utils.baseline import Comparison
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    ERROR,
    SEVERITIES,
    STATUSES,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.outcome import Outcome, check_threshold, counts, judge
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.text import (
    LONGEST_EVIDENCE,
    LONGEST_NAME,
    LONGEST_SENTENCE,
    MOST_EVIDENCE,
    printable,
)

TITLE = "Cube.js production checklist"


class ReportError(ValueError):
    """Something that no report can be made of."""


@dataclass(frozen=True)
class Location:
    """Where a subject stands: a file, relative to the project where possible, and a line from 1 (0: not known)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line > 0 else self.file


@dataclass(frozen=True)
class Group:
    """The findings of one tenant on one host, the worst first; "" is the whole fleet, or all hosts of the tenant."""

    tenant: str
    host: str
    findings: tuple[Finding, ...]
    totals: Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """What every format is rendered from.

    All text in it becomes printable as it is made (text.py), so that a format only has its own syntax to escape.
    generated_at: an aware time. collection_version: of this collection. hosts, tenants: what was looked at.
    missing_hosts: what could not be. fail_on: the threshold, a severity or "never". comparison: with an earlier
    report, None without one. new_only: only what is new in it counts for the outcome.
    locations: subject -> where it stands. titles: rule -> its title. counted: severity and status -> how many more
    findings, none of them a problem, are counted and not told one by one.
    Raises ReportError or OutcomeError.
    """

    findings: tuple[Finding, ...]
    generated_at: datetime
    collection_version: str
    title: str = TITLE
    hosts: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    missing_hosts: tuple[str, ...] = ()
    fail_on: str = ERROR
    comparison: Comparison | None = None
    new_only: bool = False
    locations: Mapping[str, Location] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    counted: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_threshold(self.fail_on)
        if self.generated_at.tzinfo is None:
            raise ReportError("generated_at has no time zone: give an aware time, in UTC for preference")
        if self.new_only and self.comparison is None:
            raise ReportError("new_only compares with a baseline: give one, or leave new_only out")
        shown = {
            "findings": tuple(map(_printable_finding, self.findings)),
            "collection_version": _name(self.collection_version),
            "title": _name(self.title),
            "hosts": tuple(map(_name, self.hosts)),
            "tenants": tuple(map(_name, self.tenants)),
            "missing_hosts": tuple(map(_name, self.missing_hosts)),
            "comparison": self.comparison and _printable_comparison(self.comparison),
            "locations": {
                _name(subject): Location(_name(place.file), place.line) for subject, place in self.locations.items()
            },
            "titles": {_name(rule): _name(title) for rule, title in self.titles.items()},
        }
        for name, value in shown.items():
            object.__setattr__(self, name, value)

    @property
    def timestamp(self) -> str:
        """Return when it was made, in UTC to the second, as ISO 8601 writes it."""
        return self.generated_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    @cached_property
    def outcome(self) -> Outcome:
        """Return the verdict."""
        return judge(filter(self._judged, self.findings), self.fail_on, self.missing_hosts)

    def counts(self, finding: Finding) -> bool:
        """Say whether the finding counts for the outcome."""
        return self._judged(finding) and counts(finding, self.fail_on)

    def state(self, finding: Finding) -> str:
        """Return how the finding compares with the baseline: "new", "unchanged" or ""."""
        return self.comparison.state(finding.key) if self.comparison else ""

    @cached_property
    def totals(self) -> Mapping[str, Mapping[str, int]]:
        """Return severity -> status -> how many findings, with every severity and status there is."""
        counted = {severity: dict.fromkeys(STATUSES, 0) for severity in SEVERITIES}
        for finding in self.findings:
            counted[finding.severity][finding.status] += 1
        for (severity, status), number in self.counted.items():
            counted[severity][status] += number
        return MappingProxyType(counted)

    @property
    def counted_only(self) -> int:
        """Return how many findings are counted and not told."""
        return sum(self.counted.values())

    @cached_property
    def by_status(self) -> Mapping[str, int]:
        """Return status -> how many findings, with every status there is."""
        return {status: sum(row[status] for row in self.totals.values()) for status in STATUSES}

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Return the findings by tenant and host: tenants with the worst first, then by name; so in each the hosts."""
        hosts: dict[str, dict[str, list[Finding]]] = {}
        for finding in self.findings:
            hosts.setdefault(finding.tenant, {}).setdefault(finding.host, []).append(finding)
        by_tenant = [
            (tenant, [_group(tenant, host, found) for host, found in members.items()])
            for tenant, members in hosts.items()
        ]
        for _tenant, groups in by_tenant:
            groups.sort(key=lambda group: (_order(group.findings[0]), group.host))
        by_tenant.sort(key=lambda pair: (_order(pair[1][0].findings[0]), pair[0]))
        return tuple(group for _tenant, groups in by_tenant for group in groups)

    def verdict(self) -> str:
        """Return the outcome as a sentence without a full stop."""
        outcome = self.outcome
        if self.fail_on == "never":
            return "Told for information only: nothing counts (fail_on is never)"
        scope = f"at {self.fail_on}{'' if self.fail_on == SEVERITIES[0] else ' or above'}"
        new = "new " if self.new_only else ""
        failed = [f"{outcome.failed:,} {new}failed {scope}"] if outcome.failed else []
        unseen = [f"{outcome.unknown:,} {new}unknown {scope}"] if outcome.unknown else []
        if outcome.missing_hosts:
            unseen.append(f"{plural(outcome.missing_hosts, 'host')} not looked at")
        return "; ".join([*failed, *unseen]) or f"Nothing {new}failed, nothing {new}unknown {scope}"

    def _judged(self, finding: Finding) -> bool:
        return not self.new_only or self.state(finding) == "new"


def plural(count: int, noun: str) -> str:
    """Return "1 host", "2 hosts"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _group(tenant: str, host: str, findings: Iterable[Finding]) -> Group:
    ordered = tuple(sorted(findings, key=lambda finding: (_order(finding), finding.rule, finding.subject)))
    totals = dict.fromkeys(STATUSES, 0)
    for finding in ordered:
        totals[finding.status] += 1
    return Group(tenant, host, ordered, totals)


def _order(finding: Finding) -> tuple[int, int]:
    return _STATUS_ORDER[finding.status], _SEVERITY_ORDER[finding.severity]


_STATUS_ORDER = {status: position for position, status in enumerate(STATUSES)}
_SEVERITY_ORDER = {severity: position for position, severity in enumerate(SEVERITIES)}


def _name(text: str) -> str:
    return printable(text, LONGEST_NAME)


def _sentence(text: str) -> str:
    return printable(text, LONGEST_SENTENCE)


def _printable_finding(finding: Finding) -> Finding:
    evidence = finding.evidence
    if len(evidence) > MOST_EVIDENCE:
        evidence = (*evidence[: MOST_EVIDENCE - 1], f"… [cut: {len(evidence) - MOST_EVIDENCE + 1} more]")
    return Finding(
        rule=_name(finding.rule),
        subject=_name(finding.subject),
        message=_sentence(finding.message),
        remedy=_sentence(finding.remedy),
        severity=finding.severity,
        status=finding.status,
        tenant=_name(finding.tenant),
        host=_name(finding.host),
        evidence=tuple(printable(item, LONGEST_EVIDENCE) for item in evidence),
        reference=_name(finding.reference),
        why=_sentence(finding.why),
        waiver=_sentence(finding.waiver),
    )


def _printable_comparison(comparison: Comparison) -> Comparison:
    """Return the comparison with printable findings; its keys are printable as they are made."""
    return replace(
        comparison,
        fixed=tuple(map(_printable_finding, comparison.fixed)),
        unseen=tuple(map(_printable_finding, comparison.unseen)),
    )
