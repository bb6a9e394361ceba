"""Every format is registered, and costs what its findings cost."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import baseline, waivers
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import registry
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report, ReportError
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.registry import FORMATS, chosen
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples

NAMES = ["console", "json", "junit", "sarif", "markdown", "prometheus", "html"]


def test_every_format_is_registered_once() -> None:
    folder = Path(str(registry.__file__)).parent
    written = {path.stem for path in folder.glob("*.py") if "def render(" in path.read_text()}
    registered = [one.render.__module__.rpartition(".")[2] for one in FORMATS]
    assert sorted(registered) == sorted(written)
    assert [one.name for one in FORMATS] == NAMES
    assert len({one.suffix for one in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize("form", FORMATS, ids=NAMES)
def test_a_format_is_text_that_ends_its_last_line(form: registry.Format) -> None:
    for report in (samples.report(), samples.compared(), samples.report(findings=(), missing_hosts=(), tenants=())):
        text = form.render(report)
        assert text.endswith("\n")
        assert text == form.render(report), "the same report is the same text"


def test_formats_are_chosen_by_name_once_each() -> None:
    assert [one.name for one in chosen(["html", "json", "html"])] == ["html", "json"]


def test_formats_that_there_are_not_are_all_named() -> None:
    with pytest.raises(ReportError) as refused:
        chosen(["json", "jsn", "pdf"])
    assert str(refused.value) == f"no format of report: 'jsn' (is json meant?), 'pdf'; there are: {', '.join(NAMES)}"


def calls(work: Callable[[], Any]) -> int:
    """Return how many functions the work calls, Python's own included: a measure that no busy machine changes."""
    count = 0

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def grown(count: int) -> Report:
    """Return a report of `count` findings whose tenants and hosts are more as well."""
    return samples.generated(count, tenants=count // 20, hosts=count // 40)


def judged(count: int) -> Any:
    """Waive, compare and count a report's findings against those of another."""
    findings = grown(count).findings
    given = [
        {"rule": finding.rule, "subject": finding.subject, "reason": "r", "owner": "o", "expires": "2040-01-01"}
        for finding in findings[::10]
    ]
    waived = waivers.apply(waivers.parse(given), findings, samples.WHEN.date())
    comparison = baseline.compare(waived, findings)
    return samples.report(findings=waived, comparison=comparison).outcome


WORK: dict[str, Callable[[int], Any]] = {
    "judge": judged,
    **{form.name: lambda count, form=form: form.render(grown(count)) for form in FORMATS},
}


@pytest.mark.parametrize("work", list(WORK.values()), ids=list(WORK))
def test_ten_times_the_findings_cost_ten_times_the_work(work: Callable[[int], Any]) -> None:
    work(100)
    small, large = calls(lambda: work(400)), calls(lambda: work(4000))
    assert small > 400
    assert large < 11 * small


@pytest.mark.parametrize("form", FORMATS, ids=NAMES)
def test_ten_times_the_findings_are_ten_times_the_text(form: registry.Format) -> None:
    small, large = (len(form.render(grown(count))) for count in (400, 4000))
    assert large < 11 * small
