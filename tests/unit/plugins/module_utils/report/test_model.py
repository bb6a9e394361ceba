"""What every format is rendered from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, SEVERITIES, STATUSES, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.outcome import OutcomeError
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Location, Report, ReportError, plural
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples


def test_groups_are_by_tenant_and_host_the_worst_first() -> None:
    groups = [(group.tenant, group.host, [one.status for one in group.findings]) for group in samples.report().groups]
    assert groups == [
        ("acme", "", ["fail", "not_applicable"]),
        ("acme", "cube1", ["fail", "pass"]),
        ("globex", "proxy1", ["fail"]),
        ("globex", "redis1", ["unknown"]),
        ("globex", "cube2", ["waived"]),
        ("", "cube2", ["fail"]),
    ]


def test_groups_do_not_depend_on_the_order_of_findings() -> None:
    turned = samples.report(findings=tuple(reversed(samples.FINDINGS)))
    assert turned.groups == samples.report().groups


def test_totals_have_every_severity_and_status() -> None:
    report = samples.report()
    assert list(report.totals) == list(SEVERITIES)
    assert all(list(row) == list(STATUSES) for row in report.totals.values())
    assert report.by_status == {"fail": 4, "unknown": 1, "waived": 1, "pass": 1, "not_applicable": 1}
    assert sum(report.by_status.values()) == len(report.findings)


@pytest.mark.parametrize(
    ("changes", "name", "verdict"),
    [
        pytest.param(
            {},
            "findings",
            "2 failed at error or above; 1 unknown at error or above; 1 host not looked at",
            id="all there is",
        ),
        pytest.param(
            {"fail_on": "critical", "missing_hosts": ()}, "findings", "1 failed at critical", id="only the worst"
        ),
        pytest.param(
            {"fail_on": "never"}, "ok", "Told for information only: nothing counts (fail_on is never)", id="never"
        ),
        pytest.param(
            {"findings": (samples.MODE,), "missing_hosts": ()},
            "ok",
            "Nothing failed, nothing unknown at error or above",
            id="nothing",
        ),
        pytest.param({"findings": ()}, "could-not-look", "1 host not looked at", id="a host is missing"),
    ],
)
def test_verdict(changes: dict[str, Any], name: str, verdict: str) -> None:
    report = samples.report(**changes)
    assert (report.outcome.name, report.verdict()) == (name, verdict)


def test_with_new_only_what_was_there_does_not_count() -> None:
    assert samples.compared().outcome.failed == 2
    report = samples.compared(new_only=True, missing_hosts=())
    assert (report.outcome.name, report.outcome.failed) == ("findings", 1)
    assert report.verdict().startswith("1 new failed at error or above; 1 new unknown at error or above")
    assert not report.counts(samples.POOL)
    assert report.counts(samples.SHARED)


@pytest.mark.parametrize(
    ("changes", "error", "expected"),
    [
        pytest.param({"generated_at": datetime(2031, 5, 6)}, ReportError, "no time zone", id="a naive time"),
        pytest.param({"new_only": True}, ReportError, "compares with a baseline", id="new only, without a baseline"),
        pytest.param({"fail_on": "fatal"}, OutcomeError, "use one of critical", id="threshold"),
    ],
)
def test_what_makes_no_report(changes: dict[str, Any], error: type[Exception], expected: str) -> None:
    with pytest.raises(error, match=expected):
        samples.report(**changes)


def test_the_time_is_told_in_utc() -> None:
    elsewhere = timezone(timedelta(hours=2))
    assert samples.report(generated_at=samples.WHEN.astimezone(elsewhere)).timestamp == "2031-05-06T07:08:09Z"


def texts(value: Any) -> list[str]:
    """Return every string in a value of plain data and dataclasses."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in texts(item)]
    if isinstance(value, (tuple, list, frozenset, set)):
        return [text for item in value for text in texts(item)]
    return texts(vars(value)) if hasattr(value, "__dict__") else []


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_every_text_of_a_report_is_printable(value: str) -> None:
    report: Report = samples.hostile(value)
    found = texts(report)
    assert len(found) > 50
    assert all(len(text) <= 2000 and text.isprintable() for text in found), [text[:40] for text in found]
    assert all(len(finding.evidence) <= 20 for finding in report.findings)
    assert report.state(report.findings[0]) == "unchanged", "also found again under its cleaned name"


def test_evidence_that_is_left_out_is_counted() -> None:
    long = replace(samples.POOL, evidence=tuple(f"line {number}" for number in range(25)))
    evidence = samples.report(findings=(long,)).findings[0].evidence
    assert len(evidence) == 20
    assert evidence[18:] == ("line 18", "… [cut: 6 more]")


def test_a_location_reads_as_editors_take_it() -> None:
    assert [str(Location("a.yml", 3)), str(Location("a.yml"))] == ["a.yml:3", "a.yml"]


def test_plural() -> None:
    assert [plural(0, "host"), plural(1, "host"), plural(12345, "host")] == ["0 hosts", "1 host", "12,345 hosts"]


def test_a_report_is_of_findings_as_they_are() -> None:
    finding = Finding("rule-one", "s", "m", "r", status=FAIL)
    assert samples.report(findings=(finding,)).findings == (finding,)
