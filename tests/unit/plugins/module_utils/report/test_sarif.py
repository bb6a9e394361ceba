"""The report as SARIF 2.1.0."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import sarif
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Location, Report
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples

LEVELS = {"none", "note", "warning", "error"}
KINDS = {"fail", "open", "pass", "notApplicable"}
# RFC 3986: what may stand in a reference to a file.
URI = re.compile(r"(file://)?[A-Za-z0-9._~!$&'()*+,;=:@/%-]+")


def run_of(report: Report) -> dict[str, Any]:
    """Return the only run, what SARIF demands of every log having been checked."""
    log = json.loads(sarif.render(report))
    assert (log["version"], set(log)) == ("2.1.0", {"$schema", "version", "runs"})
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in LEVELS
    for result in run["results"]:
        check_result(result, rules)
    return dict(run)


def check_result(result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    """Check one result against the words of the specification."""
    assert result["message"]["text"]
    assert result["kind"] in KINDS
    assert (result["level"] == "none") == (result["kind"] != "fail"), "only what fails has a level"
    assert result["level"] in LEVELS
    if "ruleIndex" in result:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    for location in result["locations"]:
        physical = location.get("physicalLocation")
        if physical:
            assert URI.fullmatch(physical["artifactLocation"]["uri"])
            assert physical.get("region", {"startLine": 1})["startLine"] > 0


def by_rule(report: Report) -> dict[str, dict[str, Any]]:
    """Return rule -> its result."""
    return {result["ruleId"]: result for result in run_of(report)["results"]}


@pytest.mark.parametrize(
    ("rule", "kind", "level"),
    [
        pytest.param("redis-shared-by-tenant", "fail", "error", id="critical"),
        pytest.param("redis-pool-size", "fail", "error", id="error"),
        pytest.param("https-certificate-expiry", "fail", "warning", id="warning"),
        pytest.param("host-clock", "fail", "note", id="info"),
        pytest.param("redis-has-room", "open", "none", id="unknown"),
        pytest.param("production-mode", "pass", "none", id="pass"),
        pytest.param("pre-aggregation-age", "notApplicable", "none", id="not applicable"),
    ],
)
def test_severities_and_statuses(rule: str, kind: str, level: str) -> None:
    result = by_rule(samples.report())[rule]
    assert (result["kind"], result["level"]) == (kind, level)


def test_a_result_points_at_the_inventory_and_names_the_variable() -> None:
    (location,) = by_rule(samples.report())["redis-pool-size"]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "inventory/group_vars/all.yml"},
        "region": {"startLine": 12},
    }
    assert [part["name"] for part in location["logicalLocations"]] == [samples.POOL.subject, "acme", "cube1"]


@pytest.mark.parametrize(
    ("place", "uri", "region"),
    [
        pytest.param(Location("a b/ü#?.yml", 0), "a%20b/%C3%BC%23%3F.yml", None, id="quoted, without a line"),
        pytest.param(Location("/etc/x y.yml", 3), "file:///etc/x%20y.yml", {"startLine": 3}, id="absolute"),
        pytest.param(Location("a.yml", -4), "a.yml", None, id="no such line"),
    ],
)
def test_locations(place: Location, uri: str, region: dict[str, int] | None) -> None:
    report = samples.report(findings=(samples.POOL,), locations={samples.POOL.subject: place})
    physical = by_rule(report)["redis-pool-size"]["locations"][0]["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical.get("region")) == (uri, region)


def test_without_a_location_the_variable_is_still_named() -> None:
    (location,) = by_rule(samples.report(locations={}))["redis-pool-size"]["locations"]
    assert set(location) == {"logicalLocations"}


def test_rules_carry_their_help() -> None:
    rules = {rule["id"]: rule for rule in run_of(samples.report())["tool"]["driver"]["rules"]}
    rule = rules["redis-pool-size"]
    assert rule["shortDescription"]["text"] == "Pools hold the queries in flight"
    assert rule["help"]["text"].startswith(samples.POOL.why)
    assert rule["help"]["text"].endswith("Production Checklist: Set up Redis Pool")


def test_waived_is_suppressed_and_says_by_whom() -> None:
    assert by_rule(samples.report())["host-swap"]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "replaced in June (accepted by ops@ until 2031-06-30)",
        }
    ]


def test_the_baseline_is_told_in_sarifs_words() -> None:
    states = {result["ruleId"]: result.get("baselineState") for result in run_of(samples.compared())["results"]}
    assert states["redis-pool-size"] == "unchanged"
    assert states["redis-has-room"] == "new"
    assert states["version-works"] == "absent"
    assert states["production-mode"] is None


def test_a_fingerprint_outlives_the_message() -> None:
    fingerprints = [
        by_rule(samples.report(findings=(finding,)))["redis-pool-size"]["partialFingerprints"]
        for finding in (samples.POOL, samples.Finding(**{**vars_of(samples.POOL), "message": "2 of 30"}))
    ]
    assert fingerprints[0] == fingerprints[1]


def vars_of(finding: samples.Finding) -> dict[str, Any]:
    """Return a finding's fields as they are given."""
    return {**finding.as_dict(), "evidence": finding.evidence}


def test_what_was_not_looked_at_is_a_notification() -> None:
    (invocation,) = run_of(samples.report(findings=()))["invocations"]
    assert invocation["executionSuccessful"] is False
    assert (invocation["exitCode"], invocation["endTimeUtc"]) == (21, "2031-05-06T07:08:09Z")
    assert [item["message"]["text"] for item in invocation["toolExecutionNotifications"]] == [
        "host cube3 was not looked at"
    ]


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_hostile_values_are_read_back(value: str) -> None:
    report = samples.hostile(value)
    first = report.findings[0]
    run = run_of(report)
    assert run["results"][0]["message"]["text"] == f"{first.message}. {first.remedy}"
    assert run["tool"]["driver"]["rules"][0]["id"] == first.rule
    assert sarif.render(report).isascii()
