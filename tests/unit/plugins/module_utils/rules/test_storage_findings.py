"""What instances share is judged once."""

from __future__ import annotations

from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import storage_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule


class Counting(Rule):
    """Says the same of everything that it is asked about, and counts how often it is asked."""

    id = "any-rule"
    remedy = "None"

    def __init__(self) -> None:
        self.asked = 0

    def judge(self, _subject: Any) -> verdicts.Verdict:
        """Say that all is well."""
        self.asked += 1
        return verdicts.passes("fine")


def fleet(seeing: Any) -> Any:
    """Return twenty instances of two tenants on one server, one without a storage, and one nobody looked at."""
    many = [seeing.instance(f"{at}", tenant=("acme", "beta")[at % 2], storage="s") for at in range(20)]
    none = seeing.instance("none", tenant="none", environment={"CUBEJS_EXT_DB_TYPE": None})
    return seeing.live(
        *many, none, seeing.instance("blind", tenant="blind"), hosts=(seeing.host(mysql={"s": seeing.mysql()}),)
    )


def test_uses_are_judged_one_by_one(seeing: Any) -> None:
    rule = Counting()
    found = list(storage_findings.of_uses(rule, Fleet(), fleet(seeing), rule.judge))
    assert (len(found), rule.asked) == (22, 21)


def test_schemas_are_judged_once_a_tenant(seeing: Any) -> None:
    rule = Counting()
    found = list(storage_findings.of_schemas(rule, Fleet(), fleet(seeing), rule.judge))
    assert rule.asked == 2
    assert [(each.tenant, each.status) for each in found] == [
        ("acme", "pass"), ("beta", "pass"), ("none", "not_applicable"), ("blind", "unknown"),
    ]  # fmt: skip


def test_servers_are_judged_once(seeing: Any) -> None:
    rule = Counting()
    found = list(storage_findings.of_servers(rule, Fleet(), fleet(seeing), rule.judge))
    assert rule.asked == 1
    # A server of two tenants is neither's.
    assert [(each.tenant, each.status) for each in found] == [
        ("", "pass"), ("none", "not_applicable"), ("blind", "unknown"),
    ]  # fmt: skip
