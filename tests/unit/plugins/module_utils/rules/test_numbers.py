"""Rules on numbers: pass and fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
RETIRED = "tenant-number-retired"


def test_a_retired_number_is_refused_until_it_is_taken_off_the_list(subjects: Subjects) -> None:
    assert subjects(RETIRED, cubejs_retired_numbers=[1, 2]) == [("cubejs_tenants[acme].number", "error")]
    assert subjects(RETIRED, cubejs_retired_numbers=[2]) == []
    assert subjects(RETIRED) == []


def test_another_one_is_named(make_plan: Callable[..., Any], make_tenant: MakeTenant) -> None:
    made = make_plan([make_tenant(), make_tenant("beta", 4)], cubejs_retired_numbers=[4, 9])
    (finding,) = [finding for finding in made.findings if finding.rule == RETIRED]
    assert finding.tenant == "beta"
    assert finding.remedy.startswith("Use another number; 10 is free")


@pytest.mark.parametrize(
    ("retired", "free"),
    [pytest.param([], "2 is the next", id="none retired"), pytest.param([8], "9 is the next", id="one retired")],
)
def test_a_missing_number_is_refused_and_the_next_named(
    retired: list[int], free: str, make_plan: Callable[..., Any], make_tenant: MakeTenant
) -> None:
    made = make_plan([make_tenant(), make_tenant("beta", None)], cubejs_retired_numbers=retired)
    (finding,) = made.findings
    assert (finding.rule, finding.subject) == ("value-required", "cubejs_tenants[beta].number")
    assert free in finding.remedy
