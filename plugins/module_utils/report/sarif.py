# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report as SARIF 2.1.0, for code hosting: results at the inventory's file and line, rules with their help."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import chain
from typing import Any
from urllib.parse import quote

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    ERROR,
    FAIL,
    INFO,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WAIVED,
    WARNING,
    Finding,
    Key,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.outcome import COULD_NOT_LOOK
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.markdown import safe
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Location, Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
INFORMATION = "https://github.com/cubeops/cubejs"

_LEVELS = {CRITICAL: "error", ERROR: "error", WARNING: "warning", INFO: "note"}
# What SARIF calls a result of which not enough is known is "open".
_KINDS = {FAIL: "fail", WAIVED: "fail", UNKNOWN: "open", PASS: "pass", NOT_APPLICABLE: "notApplicable"}


def render(report: Report) -> str:
    """Return the report as SARIF 2.1.0, in ASCII, one result a line."""
    findings = [finding for group in report.groups for finding in group.findings]
    rules: dict[str, Finding] = {}
    for finding in findings:
        if finding.rule not in rules or (finding.why and not rules[finding.rule].why):
            rules[finding.rule] = finding
    index = {rule: position for position, rule in enumerate(rules)}
    results = (_result(report, finding, index[finding.rule]) for finding in findings)
    fixed = (_absent(report, finding, index) for finding in (report.comparison.fixed if report.comparison else ()))
    run = {
        "tool": {
            "driver": {
                "name": "cubeops.cubejs",
                "version": report.collection_version,
                "informationUri": INFORMATION,
                "rules": [_rule(report, finding) for finding in rules.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [],
    }
    head = json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}).removesuffix("]}]}")
    # One at a time: as one tree, the results of 100,000 findings take a gigabyte.
    return "".join([head, "\n", ",\n".join(map(json.dumps, chain(results, fixed))), "\n]}]}\n"])


def _rule(report: Report, finding: Finding) -> dict[str, Any]:
    title = report.titles.get(finding.rule, finding.rule)
    help_text = [part for part in (finding.why, finding.reference) if part] or [title]
    return {
        "id": finding.rule,
        "shortDescription": {"text": title},
        "fullDescription": {"text": finding.why or title},
        "help": {"text": "\n\n".join(help_text), "markdown": "\n\n".join(map(safe, help_text))},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
    }


def _result(report: Report, finding: Finding, rule_index: int) -> dict[str, Any]:
    kind = _KINDS[finding.status]
    remedy = f". {finding.remedy}" if finding.remedy else ""
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "kind": kind,
        # Only what fails has a level.
        "level": _LEVELS[finding.severity] if kind == "fail" else "none",
        "message": {"text": f"{finding.message}{remedy}"},
        "locations": [_location(report.locations.get(finding.subject), finding)],
        "partialFingerprints": {"finding/v1": _fingerprint(finding.key)},
        "properties": {
            "severity": finding.severity,
            "status": finding.status,
            "tenant": finding.tenant,
            "host": finding.host,
            "evidence": list(finding.evidence),
        },
    }
    if finding.status == WAIVED:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.waiver}]
    if report.state(finding):
        result["baselineState"] = report.state(finding)
    return result


def _absent(report: Report, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    """Return the result of a problem of the baseline that is no more."""
    result = {**_result(report, finding, index.get(finding.rule, -1)), "baselineState": "absent"}
    return {name: value for name, value in result.items() if name != "ruleIndex" or value >= 0}


def _location(place: Location | None, finding: Finding) -> dict[str, Any]:
    parents = (("tenant", finding.tenant), ("host", finding.host))
    logical: Iterable[dict[str, str]] = [
        {"name": finding.subject, "fullyQualifiedName": finding.subject, "kind": "variable"},
        *({"name": name, "kind": kind} for kind, name in parents if name),
    ]
    location: dict[str, Any] = {"logicalLocations": logical}
    if place:
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.file)}}
        if place.line > 0:
            physical["region"] = {"startLine": place.line}
        location["physicalLocation"] = physical
    return location


def _uri(path: str) -> str:
    """Return a URI reference: of a file of the project, or a file: URI of an absolute path."""
    quoted = quote(path)
    return f"file://{quoted}" if path.startswith("/") else quoted


def _fingerprint(key: Key) -> str:
    return hashlib.sha256("\0".join(key).encode("utf-8")).hexdigest()[:32]


def _invocation(report: Report) -> dict[str, Any]:
    return {
        "executionSuccessful": report.outcome.name != COULD_NOT_LOOK,
        "exitCode": report.outcome.exit_status,
        "exitCodeDescription": report.outcome.name,
        "endTimeUtc": report.timestamp,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": f"host {host} was not looked at"}} for host in report.missing_hosts
        ],
    }
