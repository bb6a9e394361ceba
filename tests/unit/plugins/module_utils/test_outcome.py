"""How a run ended, and with which status."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import outcome
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
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.outcome import Outcome, OutcomeError, judge


def one(status: str, severity: str = ERROR) -> Finding:
    """Return a finding of which only status and severity matter."""
    return Finding("rule-one", "subject", "message", "remedy", severity=severity, status=status)


@pytest.mark.parametrize(
    ("findings", "fail_on", "missing", "expected"),
    [
        pytest.param([], ERROR, (), Outcome("ok", 0, 0, 0), id="nothing"),
        pytest.param([one(PASS), one(NOT_APPLICABLE)], INFO, (), Outcome("ok", 0, 0, 0), id="all is well"),
        pytest.param([one(FAIL)], ERROR, (), Outcome("findings", 1, 0, 0), id="a failure at the threshold"),
        pytest.param([one(FAIL, CRITICAL)], ERROR, (), Outcome("findings", 1, 0, 0), id="a failure above it"),
        pytest.param([one(FAIL, WARNING)], ERROR, (), Outcome("ok", 0, 0, 0), id="a failure below it"),
        pytest.param([one(FAIL)], CRITICAL, (), Outcome("ok", 0, 0, 0), id="only what is critical"),
        pytest.param([one(FAIL, INFO)], INFO, (), Outcome("findings", 1, 0, 0), id="the lowest threshold"),
        pytest.param([one(UNKNOWN)], ERROR, (), Outcome("could-not-look", 0, 1, 0), id="unknown at the threshold"),
        pytest.param([one(UNKNOWN, WARNING)], ERROR, (), Outcome("ok", 0, 0, 0), id="unknown below it"),
        pytest.param([one(UNKNOWN), one(FAIL)], ERROR, (), Outcome("findings", 1, 1, 0), id="a failure comes first"),
        pytest.param([one(WAIVED, CRITICAL)], INFO, (), Outcome("ok", 0, 0, 0), id="waived"),
        pytest.param([one(PASS)], ERROR, ("cube3",), Outcome("could-not-look", 0, 0, 1), id="a host is missing"),
        pytest.param([one(FAIL)], "never", ("cube3",), Outcome("ok", 0, 0, 0), id="never"),
    ],
)
def test_judge(findings: list[Finding], fail_on: str, missing: tuple[str, ...], expected: Outcome) -> None:
    assert judge(findings, fail_on, missing) == expected


def test_statuses_are_distinct_and_nobody_elses() -> None:
    ansible = {1, 5, 99, 250, *range(2, 16, 2)}
    statuses = [judge(found, ERROR).exit_status for found in ([], [one(FAIL)], [one(UNKNOWN)])]
    assert statuses == [0, 20, 21]
    assert not set(statuses) & ansible


@pytest.mark.parametrize("fail_on", ["fatal", "", "ERROR", None, "x" * 1000], ids=lambda value: str(value)[:8])
def test_another_threshold_is_refused(fail_on: str) -> None:
    with pytest.raises(OutcomeError, match="use one of critical, error, warning, info, never") as refused:
        judge([], fail_on)
    assert len(str(refused.value)) < 200


def test_counts_is_what_judge_counts() -> None:
    assert outcome.counts(one(UNKNOWN), ERROR)
    assert not outcome.counts(one(WAIVED), ERROR)
