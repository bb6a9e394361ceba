"""Rules in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import explaining
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import CRITICAL, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES


class Example(Rule):
    """Says one thing,
    over two lines.

    And why.
    """  # noqa: D205 what is told has no line breaks, wherever they stand

    id = "example-rule"
    title = "Examples are good"
    severity = CRITICAL
    versions = "<0.24"
    sentences = ("redis-same",)
    source = "Measured"
    remedy = "Mend it"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:  # noqa: ARG002 it says nothing
        """Yield nothing."""
        yield from ()


def test_all_of_a_rule_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "RULES", (Example(),))
    assert explaining.explain("example-rule") == "\n".join(
        (
            "example-rule",
            "  Examples are good.",
            "",
            "  Says one thing, over two lines.",
            "  And why.",
            "",
            "  Severity: critical",
            "  Versions of Cube.js: <0.24",
            "  Judges: hosts",
            "  Across hosts: yes: unknown while a host of the tenant was not looked at",
            "  Remedy: Mend it",
            "  Source: Measured",
            "  Implements: Production Checklist: Set up Redis: All instances of one tenant use the same Redis.",
        )
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_can_be_explained(rule: Rule) -> None:
    assert explaining.explain(rule.id).startswith(f"{rule.id}\n  {rule.title}.\n\n  ")
    assert explaining.why(rule)


def test_what_is_no_rule_is_explained_too() -> None:
    assert "Every key is one that there is" in explaining.explain("unknown-key")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("redis-pool-sice", "Did you mean redis-pool-size?", id="misspelt"),
        pytest.param("qqq", "The rules are: ", id="nothing near"),
    ],
)
def test_a_rule_that_there_is_not(name: str, words: str) -> None:
    with pytest.raises(explaining.UnknownRuleError, match=f"there is no rule '{name}'") as caught:
        explaining.explain(name)
    assert words in str(caught.value)
