"""The report as JSON, held to the schema that is published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import baseline
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import SEVERITIES, STATUSES, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.outcome import EXIT_STATUSES, THRESHOLDS
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import json_report
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples

ROOT = Path(__file__).resolve().parents[5]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/schemas/report.schema.json").read_text())
CHECKER = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def rendered(report: Report) -> dict[str, Any]:
    """Return the report as it is read back, the schema having been met."""
    document: dict[str, Any] = json.loads(json_report.render(report))
    CHECKER.validate(document)
    return document


REPORTS = {
    "everything": samples.report(),
    "compared": samples.compared(),
    "new only": samples.compared(new_only=True),
    "nothing": samples.report(findings=(), missing_hosts=(), hosts=(), tenants=()),
}


@pytest.mark.parametrize("report", list(REPORTS.values()), ids=list(REPORTS))
def test_it_meets_the_schema(report: Report) -> None:
    document = rendered(report)
    assert document["outcome"]["exit_status"] == report.outcome.exit_status
    assert len(document["findings"]) == len(report.findings)


def test_the_schema_is_one_and_says_no_less_than_the_code() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    definitions, outcome = SCHEMA["$defs"], SCHEMA["properties"]["outcome"]["properties"]
    assert definitions["severity"]["enum"] == list(SEVERITIES)
    assert definitions["status"]["enum"] == list(STATUSES)
    assert outcome["fail_on"]["enum"] == list(THRESHOLDS)
    assert dict(zip(outcome["name"]["enum"], outcome["exit_status"]["enum"])) == EXIT_STATUSES
    assert SCHEMA["properties"]["schema_version"]["const"] == baseline.SCHEMA_VERSION
    assert set(definitions["finding"]["properties"]) == {*samples.POOL.as_dict(), "baseline", "location"}


def leaves(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every object in a schema."""
    nested = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("oneOf", [])]
    return [schema] * ("properties" in schema) + [leaf for item in nested for leaf in leaves(item)]


def test_the_schema_lets_nothing_through_that_it_does_not_describe() -> None:
    described = leaves(SCHEMA)
    assert len(described) > 6
    for schema in described:
        assert schema["additionalProperties"] is False
        assert sorted(schema["required"]) == sorted(schema["properties"]), schema["properties"]


@pytest.mark.parametrize(
    "change",
    [{"schema_version": 2}, {"generated_at": "yesterday"}, {"findings": [{}]}, {"more": 1}, {"outcome": {}}],
    ids=lambda change: next(iter(change)),
)
def test_the_schema_refuses_what_is_no_report(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        CHECKER.validate({**rendered(samples.report()), **change})


def test_a_finding_has_its_location_and_its_state() -> None:
    findings = {item["rule"]: item for item in rendered(samples.compared())["findings"]}
    assert findings["redis-pool-size"]["location"] == {"file": "inventory/group_vars/all.yml", "line": 12}
    assert findings["redis-pool-size"]["baseline"] == "unchanged"
    assert findings["redis-has-room"]["location"] is None
    assert findings["redis-has-room"]["baseline"] == "new"
    assert findings["production-mode"]["baseline"] == ""


def test_what_was_fixed_is_told_in_full() -> None:
    compared = rendered(samples.compared())["baseline"]
    assert [Finding.from_dict(item).rule for item in compared["fixed"]] == ["version-works"]
    assert [Finding.from_dict(item).host for item in compared["unseen"]] == ["cube3"]


def test_two_reports_differ_by_lines() -> None:
    one, two = (
        json_report.render(samples.report(findings=found)) for found in (samples.FINDINGS, samples.FINDINGS[1:])
    )
    gone = [line for line in one.splitlines() if '"rule":' in line and line not in two.splitlines()]
    assert len(gone) == 1


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_hostile_values_are_read_back(value: str) -> None:
    report = samples.hostile(value)
    document = rendered(report)
    assert document["findings"][0]["message"] == report.findings[0].message
    assert json_report.render(report).isascii()
