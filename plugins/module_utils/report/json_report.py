# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report as JSON, for programs and as the baseline of later runs: docs/schemas/report.schema.json."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.baseline import SCHEMA_VERSION, Comparison
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report


def render(report: Report) -> str:
    """Return the report as JSON in ASCII, one finding a line, so that two reports can be compared as text."""
    findings = (
        {**finding.as_dict(), "baseline": report.state(finding), "location": _location(report, finding)}
        for group in report.groups
        for finding in group.findings
    )
    head = json.dumps(_head(report), indent=2).removesuffix("\n}")
    body = ",\n".join(f"    {json.dumps(finding)}" for finding in findings)
    return f'{head},\n  "findings": [{_block(body)}]\n}}\n'


def _block(body: str) -> str:
    return f"\n{body}\n  " if body else ""


def _head(report: Report) -> dict[str, Any]:
    outcome = report.outcome
    return {
        "schema_version": SCHEMA_VERSION,
        "title": report.title,
        "generated_at": report.timestamp,
        "collection": {"name": "cubeops.cubejs", "version": report.collection_version},
        "looked_at": {
            "hosts": list(report.hosts),
            "tenants": list(report.tenants),
            "missing_hosts": list(report.missing_hosts),
        },
        "outcome": {
            "name": outcome.name,
            "exit_status": outcome.exit_status,
            "fail_on": report.fail_on,
            "new_only": report.new_only,
            "failed": outcome.failed,
            "unknown": outcome.unknown,
            "missing_hosts": outcome.missing_hosts,
        },
        "counted_only": report.counted_only,
        "totals": {severity: dict(row) for severity, row in report.totals.items()},
        "baseline": report.comparison and _comparison(report.comparison),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "new": len(comparison.new),
        "unchanged": len(comparison.unchanged),
        "fixed": [finding.as_dict() for finding in comparison.fixed],
        "unseen": [finding.as_dict() for finding in comparison.unseen],
    }


def _location(report: Report, finding: Finding) -> dict[str, Any] | None:
    place = report.locations.get(finding.subject)
    return {"file": place.file, "line": max(place.line, 0)} if place else None
