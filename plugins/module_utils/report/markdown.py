# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report as Markdown, for merge requests and job summaries: what needs attention in full, the rest counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import SEVERITIES, STATUSES, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Group, Report
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.wording import (
    IN_FULL,
    compared,
    counted,
    looked_at,
    place,
    status_name,
)

# A backslash takes its meaning from each of these. The others are entities, since a backslash would not stop HTML, a
# mention of a user or an address from becoming what they look like.
_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$])")
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("@", "&#64;"), ("://", "&#58;//"), ("www.", "www&#46;"))


# Rules say the same of thousands of subjects.
@lru_cache(maxsize=20_000)
def safe(text: str) -> str:
    """Return text that Markdown shows as it is within a line, also in the cell of a table."""
    shown = _SPECIAL.sub(r"\\\1", text)
    for plain, entity in _ENTITIES:
        shown = shown.replace(plain, entity)
    return shown


def render(report: Report) -> str:
    """Return the report as GitHub-flavoured Markdown."""
    lines = [f"# {safe(report.title)}", "", f"**{safe(report.verdict())}** (outcome: {report.outcome.name})", ""]
    lines += [f"{looked_at(report)} {report.timestamp}, cubeops.cubejs {safe(report.collection_version)}", ""]
    if report.missing_hosts:
        lines += [f"**Not looked at:** {', '.join(map(safe, report.missing_hosts))}", ""]
    if report.comparison:
        lines += [compared(report.comparison), ""]
    lines += [*_totals(report), ""]
    for group in report.groups:
        lines += [*_group(report, group), ""]
    return "\n".join(lines)


def _totals(report: Report) -> Iterator[str]:
    yield _row(["severity", *map(status_name, STATUSES)])
    yield _row(["---", *("---:" for _status in STATUSES)])
    for severity in SEVERITIES:
        yield _row([severity, *(str(report.totals[severity][status]) for status in STATUSES)])


def _group(report: Report, group: Group) -> Iterator[str]:
    yield f"## {safe(place(group))}"
    yield ""
    yield counted(group.totals)
    shown = [finding for finding in group.findings if finding.status in IN_FULL]
    if shown:
        yield ""
        yield _row(["status", "severity", "subject", "what is wrong", "remedy", "rule"])
        yield _row(["---"] * 6)
        yield from (_row(_cells(report, finding)) for finding in shown)


def _cells(report: Report, finding: Finding) -> Iterator[str]:
    new = " (new)" if report.state(finding) == "new" else ""
    at = report.locations.get(finding.subject)
    yield f"{finding.status}{new}"
    yield finding.severity
    yield safe(finding.subject) + (f"<br>{safe(str(at))}" if at else "")
    yield "<br>".join(safe(part) for part in (finding.message, *finding.evidence) if part)
    yield safe(f"Waived: {finding.waiver}" if finding.waiver else finding.remedy)
    yield safe(finding.rule)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
