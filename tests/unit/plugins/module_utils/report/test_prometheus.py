"""The report for the textfile collector, read back by the grammar of the format."""

from __future__ import annotations

import re

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, UNKNOWN, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import prometheus
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+)")
COMMENT = re.compile(rf"# (HELP|TYPE) ({NAME}) (.+)")

Series = tuple[str, tuple[tuple[str, str], ...]]


def parsed(report: Report) -> dict[Series, int]:
    """Return (name without its prefix, labels) -> value; every line is one that the format knows."""
    text = prometheus.render(report)
    assert text.endswith("\n")
    found: dict[Series, int] = {}
    described: list[tuple[str, str]] = []
    for line in text[:-1].split("\n"):
        comment = COMMENT.fullmatch(line)
        if comment:
            described.append((comment.group(2), comment.group(1)))
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line[:200]
        assert described[-1] == (sample.group(1), "TYPE"), "samples stand below their TYPE"
        labels = tuple((name, unescaped(value)) for name, value in re.findall(LABEL, sample.group(2) or ""))
        series = (sample.group(1).removeprefix("cubejs_checklist_"), labels)
        assert series not in found, f"twice: {series}"
        found[series] = int(sample.group(sample.lastindex or 0))
    assert len(set(described)) == len(described), "each is described once"
    return found


def unescaped(text: str) -> str:
    """Return a label's value as Prometheus reads it."""
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match.group(1), match.group(1)), text)


def test_everything_is_counted() -> None:
    found = parsed(samples.compared())
    assert found["info", (("version", "1.2.3"), ("fail_on", "error"))] == 1
    assert found["last_run_timestamp_seconds", ()] == int(samples.WHEN.timestamp())
    assert [found["outcome", (("outcome", name),)] for name in ("ok", "findings", "could-not-look")] == [0, 1, 0]
    assert (found["hosts", ()], found["missing_hosts", ()]) == (4, 1)
    assert found["findings", (("severity", "critical"), ("status", "fail"))] == 1
    assert found["findings", (("severity", "critical"), ("status", "pass"))] == 0
    assert found["tenant_problems", (("tenant", "acme"), ("status", "fail"))] == 2
    assert found["tenant_problems", (("tenant", ""), ("status", "fail"))] == 1
    assert found["tenant_problems", (("tenant", "acme"), ("status", "unknown"))] == 0
    assert found["rule_problems", (("rule", "redis-has-room"), ("status", "unknown"))] == 1
    assert [found["baseline_problems", (("state", state),)] for state in ("new", "unchanged", "fixed", "unseen")] == [
        4,
        1,
        1,
        1,
    ]


def test_a_tenant_without_problems_keeps_its_series() -> None:
    found = parsed(samples.report(findings=()))
    assert found["tenant_problems", (("tenant", "globex"), ("status", "fail"))] == 0


def test_the_number_of_series_is_bounded_and_nothing_is_lost() -> None:
    findings = tuple(
        Finding(f"rule-{n}", f"s{n}", "m", "r", status=UNKNOWN if n % 3 else FAIL, tenant=f"t{n}", host=f"h{n}")
        for n in range(5000)
    )
    found = parsed(samples.report(findings=findings, tenants=tuple(f"t{n}" for n in range(5000))))
    assert len(found) < 2600
    for metric in ("tenant_problems", "rule_problems"):
        values = {series: value for series, value in found.items() if series[0] == metric}
        assert sum(values.values()) == 5000
        assert any(("_other" in dict(labels).values()) for _name, labels in values)


def test_what_is_left_out_has_the_fewest_failures() -> None:
    few = [Finding("rule-few", "s", "m", "r", tenant="few", status=UNKNOWN)]
    many = [Finding(f"rule-{n}", "s", "m", "r", tenant=f"t{n}") for n in range(1001)]
    found = parsed(samples.report(findings=(*few, *many), tenants=()))
    assert ("tenant_problems", (("tenant", "few"), ("status", UNKNOWN))) not in found
    assert found["tenant_problems", (("tenant", "_other"), ("status", UNKNOWN))] == 1


def test_a_name_like_that_of_the_rest_is_added_to_it() -> None:
    findings = [Finding(f"rule-{n}", "s", "m", "r", tenant="_other") for n in range(300)]
    findings += [Finding("_other", "s", "m", "r") for _n in range(3)]
    found = parsed(samples.report(findings=tuple(findings)))
    assert sum(value for (name, _labels), value in found.items() if name == "rule_problems") == 303


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_hostile_values_are_one_label(value: str) -> None:
    report = samples.hostile(value)
    found = parsed(report)
    assert len(found) == len(parsed(samples.hostile("harmless")))
    assert ("rule_problems", (("rule", report.findings[0].rule), ("status", "fail"))) in found
    prometheus.render(report).encode()
