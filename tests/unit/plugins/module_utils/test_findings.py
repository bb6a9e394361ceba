"""Findings as people read them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    ERROR,
    FAIL,
    INFO,
    SEVERITIES,
    STATUSES,
    WARNING,
    Finding,
    FindingError,
    Key,
    Problem,
    at_least,
    errors,
    refusal,
    warnings,
)

ONE = Finding("rule-one", "variable", "1 is wrong", "Use 2")
TWO = Finding("rule-two", "other", "3 is odd", "Use 4", severity=WARNING)
WAIVED = Finding("rule-one", "variable", "1 is wrong", "Use 2", status="waived")


def test_a_finding_names_variable_value_remedy_and_rule() -> None:
    assert ONE.text() == "variable: 1 is wrong. Use 2 [rule-one]"
    assert replace(ONE, host="one").text() == "variable (one): 1 is wrong. Use 2 [rule-one]"


def test_only_failed_errors_refuse() -> None:
    assert errors([ONE, TWO, WAIVED]) == [ONE]
    assert warnings([ONE, TWO, WAIVED]) == [TWO]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("severity", SEVERITIES)
def test_what_refuses_and_what_is_shown(severity: str, status: str) -> None:
    finding = replace(ONE, severity=severity, status=status)
    assert errors([finding]) == ([finding] if severity in (CRITICAL, ERROR) and status == FAIL else [])
    assert warnings([finding]) == ([finding] if (severity, status) == (WARNING, FAIL) else [])


@pytest.mark.parametrize(
    ("severity", "threshold", "expected"),
    [
        pytest.param(CRITICAL, ERROR, True, id="worse"),
        pytest.param(ERROR, ERROR, True, id="the same"),
        pytest.param(WARNING, ERROR, False, id="less"),
        pytest.param(INFO, CRITICAL, False, id="much less"),
        pytest.param(INFO, INFO, True, id="the least"),
    ],
)
def test_severities_are_ordered(severity: str, threshold: str, expected: bool) -> None:
    assert at_least(severity, threshold) is expected


def test_a_refusal_lists_every_problem_and_counts_them() -> None:
    assert refusal([ONE]) == (
        "The plan is refused before any host is touched: 1 problem.\n  - variable: 1 is wrong. Use 2 [rule-one]"
    )
    assert "2 problems" in refusal([ONE, TWO])
    assert len(refusal([ONE, TWO]).splitlines()) == 3


def test_as_dict_is_plain_data() -> None:
    assert ONE.as_dict() == {
        "rule": "rule-one",
        "subject": "variable",
        "message": "1 is wrong",
        "remedy": "Use 2",
        "severity": ERROR,
        "status": "fail",
        "tenant": "",
        "host": "",
        "evidence": [],
        "reference": "",
        "why": "",
        "waiver": "",
    }


FULL = Finding(
    "rule-one",
    "s",
    "m",
    "r",
    INFO,
    "waived",
    "acme",
    "cube1",
    ("seen", "too"),
    "Checklist: Redis",
    "because",
    "for now",
)


@pytest.mark.parametrize("finding", [ONE, TWO, FULL], ids=["plain", "warning", "full"])
def test_a_finding_comes_back_from_json(finding: Finding) -> None:
    assert Finding.from_dict(json.loads(json.dumps(finding.as_dict()))) == finding


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(["rule"], "a finding is a mapping, this is list", id="a list"),
        pytest.param(None, "a finding is a mapping, this is null", id="null"),
        pytest.param({"rule": "r", "subject": "s"}, "missing: message, remedy", id="missing"),
        pytest.param(
            {**ONE.as_dict(), "sorce": "x"}, "'sorce' is no field of a finding, there are: rule", id="unknown"
        ),
        pytest.param({**ONE.as_dict(), 1: "x"}, "1 is no field of a finding", id="a number for a name"),
        pytest.param({**ONE.as_dict(), "host": None}, "host is a string, this is null", id="null for a string"),
        pytest.param({**ONE.as_dict(), "evidence": "seen"}, "evidence is a list of strings", id="text for a list"),
        pytest.param({**ONE.as_dict(), "evidence": [1]}, "evidence is a list of strings", id="a list of numbers"),
        pytest.param(
            {**ONE.as_dict(), "severity": "fatal"},
            "severity is one of critical, error, warning, info, not 'fatal'",
            id="severity",
        ),
        pytest.param(
            {**ONE.as_dict(), "status": "failed"},
            "status is one of fail, unknown, waived, pass, not_applicable, not 'failed'",
            id="status",
        ),
    ],
)
def test_what_is_no_finding_is_refused(data: object, expected: str) -> None:
    with pytest.raises(FindingError) as refused:
        Finding.from_dict(data)
    assert expected in str(refused.value)


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(FindingError) as refused:
        Finding.from_dict({"rule": 1, "severity": "x", "more": ""})
    for part in ("missing: subject", "rule is a string", "severity is one of", "'more' is no field"):
        assert part in str(refused.value)


def test_the_message_is_no_part_of_the_key() -> None:
    assert FULL.key == Key("rule-one", "s", "acme", "cube1")
    assert replace(FULL, message="2 of 3", severity=ERROR, evidence=()).key == FULL.key


def test_a_problem_reads_as_two_sentences() -> None:
    assert str(Problem("it is wrong", "Mend it")) == "it is wrong. Mend it"
