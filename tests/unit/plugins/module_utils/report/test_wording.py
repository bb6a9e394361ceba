"""Words that several formats have in common."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.baseline import Comparison
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import wording
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Group
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples


@pytest.mark.parametrize(
    ("tenant", "host", "expected"),
    [
        pytest.param("acme", "cube1", "acme on cube1", id="both"),
        pytest.param("acme", "", "acme, all hosts", id="a tenant"),
        pytest.param("", "cube1", "cube1", id="a host"),
        pytest.param("", "", "whole fleet", id="neither"),
    ],
)
def test_place(tenant: str, host: str, expected: str) -> None:
    assert wording.place(Group(tenant, host, (), {})) == expected


def test_counted_leaves_out_what_there_is_none_of() -> None:
    totals = {"fail": 0, "unknown": 1, "waived": 0, "pass": 1200, "not_applicable": 2}
    assert wording.counted(totals) == "1 unknown, 1,200 pass, 2 not applicable"


def test_compared() -> None:
    expected = "Against the baseline: 4 new, 1 unchanged, 1 fixed, 1 not looked at again."
    comparison = samples.compared().comparison
    assert comparison
    assert wording.compared(comparison) == expected
    assert wording.compared(Comparison()) == "Against the baseline: 0 new, 0 unchanged, 0 fixed."


def test_looked_at() -> None:
    assert wording.looked_at(samples.report()) == "Looked at 4 hosts and 2 tenants."
