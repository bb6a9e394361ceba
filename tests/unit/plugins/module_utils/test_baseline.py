"""Findings beside those of an earlier report."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import baseline
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WAIVED,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import json_report
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples

ONE = Finding("rule-one", "subject", "1 is wrong", "Use 2", tenant="acme", host="cube1")


def changed(**changes: Any) -> Finding:
    """Return the finding with changes."""
    return replace(ONE, **changes)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        pytest.param([ONE], [], "new", id="not there before"),
        pytest.param([ONE], [ONE], "unchanged", id="as before"),
        pytest.param([changed(message="2 is wrong")], [ONE], "unchanged", id="another message"),
        pytest.param([changed(host="cube2")], [], "new", id="another host"),
        pytest.param([ONE], [changed(status=PASS)], "new", id="it passed"),
        pytest.param([ONE], [changed(status=NOT_APPLICABLE)], "new", id="it did not apply"),
        pytest.param([ONE], [changed(status=UNKNOWN)], "new", id="it was not known"),
        pytest.param([ONE], [changed(status=WAIVED)], "new", id="its waiver is gone"),
        pytest.param([changed(status=UNKNOWN)], [ONE], "unchanged", id="it cannot be seen any more"),
        pytest.param([changed(status=UNKNOWN)], [changed(status=PASS)], "new", id="what passed cannot be seen"),
        pytest.param([changed(status=WAIVED)], [ONE], "unchanged", id="it is waived now"),
        pytest.param([changed(status=WAIVED)], [], "", id="it was waived as it was found"),
        pytest.param([changed(severity=CRITICAL)], [ONE], "new", id="it is worse"),
        pytest.param([changed(severity=WARNING)], [ONE], "unchanged", id="it is less bad"),
        pytest.param([changed(status=PASS)], [], "", id="it passes"),
    ],
)
def test_state(now: list[Finding], before: list[Finding], expected: str) -> None:
    comparison = baseline.compare(now, before)
    assert comparison.state(now[0].key) == expected
    assert (comparison.fixed, comparison.unseen) == ((), ())


@pytest.mark.parametrize(
    ("now", "missing", "fixed"),
    [
        pytest.param([changed(status=PASS)], (), True, id="it passes"),
        pytest.param([changed(status=PASS)], ("cube2",), True, id="it passes, another host is missing"),
        pytest.param([], (), True, id="it is not there"),
        pytest.param([], ("cube2",), True, id="it is not there, another host is missing"),
        pytest.param([], ("cube1",), False, id="nobody looked"),
    ],
)
def test_fixed_is_only_what_was_looked_at(now: list[Finding], missing: tuple[str, ...], fixed: bool) -> None:
    comparison = baseline.compare(now, [ONE], missing)
    assert comparison.fixed == ((ONE,) if fixed else ())
    assert comparison.unseen == (() if fixed else (ONE,))


def test_what_concerns_the_fleet_is_not_fixed_while_a_host_is_missing() -> None:
    whole = changed(host="")
    assert baseline.compare([], [whole], ("cube9",)).unseen == (whole,)
    assert baseline.compare([], [whole]).fixed == (whole,)


def test_two_findings_of_one_key_count_as_the_worse() -> None:
    comparison = baseline.compare([changed(status=PASS), ONE], [ONE, changed(status=PASS)])
    assert (len(comparison.new), len(comparison.unchanged)) == (0, 1)


def test_two_of_one_key_one_of_which_is_mended_is_unchanged() -> None:
    assert baseline.compare([ONE], [ONE, changed(message="3 is wrong")]).unchanged == {ONE.key}


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_a_report_read_back_is_the_same_findings(value: str) -> None:
    findings = [changed(subject=value, tenant=value), changed(subject=value + "x", tenant=value, host=value)]
    earlier = baseline.read(json_report.render(samples.report(findings=tuple(findings))))
    comparison = baseline.compare(findings, earlier)
    assert (len(comparison.new), len(comparison.unchanged), comparison.fixed) == (0, 2, ())


def document(**changes: Any) -> str:
    """Return a report as JSON, with changes."""
    return json.dumps({**json.loads(json_report.render(samples.report())), **changes})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "is not JSON", id="empty"),
        pytest.param("{", "is not JSON", id="cut off"),
        pytest.param("[]", "is not a report", id="a list"),
        pytest.param("{}", "is not a report", id="no findings"),
        pytest.param(document(findings={}), "is not a report", id="findings are no list"),
        pytest.param(document(schema_version=2), "has schema_version 2, this collection reads 1", id="newer"),
        pytest.param(document(findings=[{}]), r"findings\[0\]: missing: rule, subject", id="no finding"),
        pytest.param(document(findings=[3] * 30), "and 20 more", id="many problems"),
    ],
)
def test_what_is_no_report_is_refused(text: str, expected: str) -> None:
    with pytest.raises(baseline.BaselineError, match=expected):
        baseline.read(text)


def test_a_report_is_a_baseline() -> None:
    statuses = {finding.status for finding in baseline.read(document())}
    assert FAIL in statuses
    assert WAIVED in statuses
