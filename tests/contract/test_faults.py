"""Every rule has been seen to fail on a live host, or it is said why not, and what proves it instead."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "infra" / "faults"))

from faults import ROUNDS  # noqa: E402 the scenario's own table
from not_live import NOT_LIVE  # noqa: E402 as above

FAULTS = [fault for faults in ROUNDS for fault in faults]
SEEN = {rule for fault in FAULTS for rule, _whom in (*fault.found, *fault.unknown)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_a_fault_or_a_reason(rule: object) -> None:
    name = rule.id
    assert (name in SEEN) != (name in NOT_LIVE), f"{name}: give it a fault, or a reason in not_live.py, and not both"


def test_there_are_no_others() -> None:
    assert SEEN | set(NOT_LIVE) == {rule.id for rule in RULES}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_finds_what_judges_hosts(fault: object) -> None:
    of_hosts = {rule.id for rule in RULES if rule.judges_hosts}
    assert {rule for rule, _whom in (*fault.found, *fault.unknown)} <= of_hosts
