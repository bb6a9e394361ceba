"""Findings as people read them."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    ERROR,
    WARNING,
    Finding,
    Problem,
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
    }


def test_a_problem_reads_as_two_sentences() -> None:
    assert str(Problem("it is wrong", "Mend it")) == "it is wrong. Mend it"
