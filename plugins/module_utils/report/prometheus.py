# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report for node_exporter's textfile collector: a bounded number of series, whatever was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    SEVERITIES,
    STATUSES,
    UNKNOWN,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.outcome import EXIT_STATUSES
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report

PREFIX = "cubejs_checklist"
# Tenants and rules with a series of their own, those with the most findings first; the others are one, "_other".
MOST_TENANTS = 1000
MOST_RULES = 200
OTHER = "_other"

Labels = Mapping[str, str]
Counts = dict[str, dict[str, int]]


def render(report: Report) -> str:
    """Return the report in Prometheus' text format. Subjects, hosts and messages are never labels."""
    lines: list[str] = []
    for name, text, samples in _metrics(report):
        lines += [f"# HELP {PREFIX}_{name} {text}", f"# TYPE {PREFIX}_{name} gauge"]
        lines += [f"{PREFIX}_{name}{_labels(labels)} {value}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _metrics(report: Report) -> Iterator[tuple[str, str, list[tuple[Labels, int]]]]:
    outcome, version = report.outcome, report.collection_version
    yield "info", "The collection that looked.", [({"version": version, "fail_on": report.fail_on}, 1)]
    yield "last_run_timestamp_seconds", "When it looked.", [({}, int(report.generated_at.timestamp()))]
    outcomes: list[tuple[Labels, int]] = [({"outcome": name}, int(name == outcome.name)) for name in EXIT_STATUSES]
    yield "outcome", "How it ended: 1 for the outcome that it was.", outcomes
    yield "hosts", "Hosts that were looked at.", [({}, len(report.hosts))]
    yield "missing_hosts", "Hosts that could not be looked at.", [({}, len(report.missing_hosts))]
    totals: list[tuple[Labels, int]] = [
        ({"severity": severity, "status": status}, report.totals[severity][status])
        for severity in SEVERITIES
        for status in STATUSES
    ]
    yield "findings", "Findings by severity and status.", totals
    problems = [finding for finding in report.findings if finding.status in (FAIL, UNKNOWN)]
    tenants = {tenant: dict.fromkeys((FAIL, UNKNOWN), 0) for tenant in ("", *report.tenants)}
    by_tenant = _counted(tenants, ((finding.tenant, finding.status) for finding in problems), MOST_TENANTS)
    text = "Failed and unknown findings by tenant; the whole fleet's own have no tenant."
    yield "tenant_problems", text, _samples("tenant", by_tenant)
    by_rule = _counted({}, ((finding.rule, finding.status) for finding in problems), MOST_RULES)
    yield "rule_problems", "Failed and unknown findings by rule, those that have any.", _samples("rule", by_rule)
    if report.comparison:
        comparison = report.comparison
        states = {
            "new": len(comparison.new),
            "unchanged": len(comparison.unchanged),
            "fixed": len(comparison.fixed),
            "unseen": len(comparison.unseen),
        }
        compared: list[tuple[Labels, int]] = [({"state": state}, count) for state, count in states.items()]
        yield "baseline_problems", "Problems compared with the baseline.", compared


def _counted(counts: Counts, problems: Iterable[tuple[str, str]], most: int) -> Counts:
    """Count problems by name and status; add up the names with the fewest when there are too many of them."""
    for name, status in problems:
        counts.setdefault(name, dict.fromkeys((FAIL, UNKNOWN), 0))[status] += 1
    if len(counts) <= most:
        return counts
    ranked = sorted(counts, key=lambda name: (-counts[name][FAIL], -counts[name][UNKNOWN], name))
    rest = ranked[most:]
    kept = {name: counts[name] for name in ranked[:most] if name != OTHER}
    rest += [OTHER] if OTHER in ranked[:most] else []
    kept[OTHER] = {status: sum(counts[name][status] for name in rest) for status in (FAIL, UNKNOWN)}
    return kept


def _samples(label: str, counts: Counts) -> list[tuple[Labels, int]]:
    return [
        ({label: name, "status": status}, counts[name][status]) for name in sorted(counts) for status in (FAIL, UNKNOWN)
    ]


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_value(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _value(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
