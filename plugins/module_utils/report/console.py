# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report as lines of text: what needs attention in full, grouped by tenant and host, and the rest counted."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import SEVERITIES, STATUSES, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Group, Report, plural
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.wording import (
    IN_FULL,
    compared,
    counted,
    looked_at,
    place,
    status_name,
)

_INDENT = " " * 10


def render(report: Report) -> str:
    """Return the report for a terminal or a log: no colours, no character that moves the cursor."""
    lines = [f"{report.title}, {report.timestamp}, cubeops.cubejs {report.collection_version}", looked_at(report)]
    lines += [f"NOT LOOKED AT: {host}" for host in report.missing_hosts]
    for group in report.groups:
        lines += ["", *_group(report, group)]
    lines += ["", *_totals(report), ""]
    if report.comparison:
        lines.append(compared(report.comparison))
    lines.append(f"Outcome: {report.outcome.name} (exit status {report.outcome.exit_status}). {report.verdict()}.")
    return "\n".join(lines) + "\n"


def _group(report: Report, group: Group) -> Iterator[str]:
    yield f"== {place(group)}: {counted(group.totals)}"
    for finding in group.findings:
        if finding.status in IN_FULL:
            yield from _finding(report, finding)


def _finding(report: Report, finding: Finding) -> Iterator[str]:
    new = "  (new)" if report.state(finding) == "new" else ""
    yield f"  {finding.status.upper():7} {finding.severity}  {finding.subject}  [{finding.rule}]{new}"
    yield f"{_INDENT}{finding.message}"
    if finding.remedy:
        yield f"{_INDENT}Remedy: {finding.remedy}"
    if finding.waiver:
        yield f"{_INDENT}Waived: {finding.waiver}"
    if finding.subject in report.locations:
        yield f"{_INDENT}At: {report.locations[finding.subject]}"
    for item in finding.evidence:
        yield f"{_INDENT}Evidence: {item}"


def _totals(report: Report) -> Iterator[str]:
    yield f"{plural(len(report.findings) + report.counted_only, 'finding')}"
    yield f"  {'':10}" + "".join(f"{status_name(status):>16}" for status in STATUSES)
    for severity in SEVERITIES:
        yield f"  {severity:10}" + "".join(f"{report.totals[severity][status]:>16}" for status in STATUSES)
