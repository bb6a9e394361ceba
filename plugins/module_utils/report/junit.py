# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report as JUnit XML: one test case a finding, red only where the outcome is."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, NOT_APPLICABLE, PASS, WAIVED, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Group, Report
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.wording import place


def render(report: Report) -> str:
    """Return the report as JUnit XML.

    A failed finding that counts for the outcome is a failure, an unknown one an error, a missing host an error of its
    own; a waived or not applicable one is skipped. What is below the threshold passes, and says what was found.
    """
    suites = [line for group in report.groups for line in _suite(report, group)]
    suites += _missing(report)
    outcome = report.outcome
    cases = len(report.findings) + len(report.missing_hosts)
    counts = f'tests="{cases}" failures="{outcome.failed}" errors="{outcome.unknown + _missing_errors(report)}"'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="{escape(report.title)}" {counts} skipped="{_skipped(report.findings)}">',
            *suites,
            "</testsuites>",
            "",
        ]
    )


def _suite(report: Report, group: Group) -> Iterator[str]:
    counting = [finding for finding in group.findings if report.counts(finding)]
    failures = sum(finding.status == FAIL for finding in counting)
    yield (
        f'  <testsuite name="{escape(place(group))}" timestamp="{report.timestamp}" tests="{len(group.findings)}" '
        f'failures="{failures}" errors="{len(counting) - failures}" skipped="{_skipped(group.findings)}">'
    )
    for finding in group.findings:
        case = f'    <testcase classname="{escape(finding.rule)}" name="{escape(_name(finding))}"'
        inside = _inside(report, finding)
        yield f"{case}>{inside}</testcase>" if inside else f"{case}/>"
    yield "  </testsuite>"


def _name(finding: Finding) -> str:
    """Return a name that tells the case from those of the same rule for other tenants and hosts."""
    where = "/".join(filter(None, (finding.tenant, finding.host)))
    return f"{finding.subject} ({where})" if where else finding.subject


def _inside(report: Report, finding: Finding) -> str:
    if finding.status == PASS:
        return ""
    if finding.status in (WAIVED, NOT_APPLICABLE):
        return f'<skipped message="{escape(finding.waiver or finding.message)}"/>'
    told = escape("\n".join(_told(report, finding)))
    if not report.counts(finding):
        return f"<system-out>{told}</system-out>"
    element = "failure" if finding.status == FAIL else "error"
    return f'<{element} type="{finding.severity}" message="{escape(finding.message)}">{told}</{element}>'


def _told(report: Report, finding: Finding) -> Iterator[str]:
    yield f"{finding.status}, {finding.severity}: {finding.message}"
    if finding.remedy:
        yield f"Remedy: {finding.remedy}"
    if finding.subject in report.locations:
        yield f"At: {report.locations[finding.subject]}"
    if finding.reference:
        yield f"Reference: {finding.reference}"
    yield from (f"Evidence: {item}" for item in finding.evidence)


def _missing(report: Report) -> Iterator[str]:
    """Yield the hosts that were not looked at; as errors where they count."""
    if not report.missing_hosts:
        return
    number = len(report.missing_hosts)
    yield (
        f'  <testsuite name="hosts not looked at" timestamp="{report.timestamp}" tests="{number}" failures="0" '
        f'errors="{_missing_errors(report)}" skipped="0">'
    )
    element = "error" if _missing_errors(report) else "system-out"
    for host in report.missing_hosts:
        yield (
            f'    <testcase classname="host-looked-at" name="{escape(host)}">'
            f"<{element}>not looked at: whatever is wrong there is not known</{element}></testcase>"
        )
    yield "  </testsuite>"


def _missing_errors(report: Report) -> int:
    return report.outcome.missing_hosts


def _skipped(findings: tuple[Finding, ...]) -> int:
    return sum(finding.status in (WAIVED, NOT_APPLICABLE) for finding in findings)
