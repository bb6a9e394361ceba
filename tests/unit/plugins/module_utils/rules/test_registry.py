"""The registry is whole."""

from __future__ import annotations

import inspect
import re

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.checklist import BY_ID
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import SEVERITIES
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import (
    cube,
    mysql,
    network,
    numbers,
    redis,
    secrets,
    sharing,
    tenants,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES


def test_every_rule_is_registered_once() -> None:
    written = {
        found
        for module in (cube, mysql, network, numbers, redis, secrets, sharing, tenants)
        for _name, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, Rule) and found is not Rule
    }
    assert sorted(type(rule).__name__ for rule in RULES) == sorted(found.__name__ for found in written)
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_it_is(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.id)
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.severity in SEVERITIES
    assert len((type(rule).__doc__ or "").split()) > 8
    assert rule.judges_plan or rule.judges_hosts
    assert set(rule.sentences) <= set(BY_ID)
    assert rule.remedy or not rule.judges_hosts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_empty_fleet_has_no_findings(rule: Rule) -> None:
    assert list(rule.planned(Fleet())) == []
    assert list(rule.observed(Fleet(), Live())) == []
