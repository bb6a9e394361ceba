"""What rules have in common."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import ERROR, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule, repeated


class Sample(Rule):
    """A rule."""

    id = "sample"
    title = "Sample"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:  # noqa: ARG002 its findings are always the same
        """Yield two findings."""
        yield self.found("a", "wrong", "Mend it", tenant="acme", host="one")
        yield self.found("b", "odd", "Look", severity=WARNING)


def test_findings_carry_the_rules_id_and_severity() -> None:
    first, second = Sample().planned(Fleet())
    assert first == Finding("sample", "a", "wrong", "Mend it", ERROR, tenant="acme", host="one")
    assert second.severity == WARNING


def test_a_rule_judges_what_it_overrides() -> None:
    assert Sample().judges_plan
    assert not Sample().judges_hosts
    assert list(Sample().observed(Fleet(), Live())) == []


def test_repeated_leaves_out_single_and_empty_keys() -> None:
    assert list(repeated(["aa", "ab", "b", "", ""], lambda text: text[:1])) == [("a", ["aa", "ab"])]
