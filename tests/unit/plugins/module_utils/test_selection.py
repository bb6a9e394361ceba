"""A plan cut down to some of its tenants."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import selection
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MakePlan = Callable[..., Plan]
MakeTenant = Callable[..., dict[str, Any]]

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "redis": st.just({"shared": True}),
        "pre_aggregations": st.just({"enabled": False}),
        "wave": st.integers(0, 9),
        "suspended": st.booleans(),
        "api_instances": st.integers(1, 3),
    },
)


def listed(roles: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the variables of a host's roles that have an item for each tenant."""
    return {
        name: value
        for variables in roles.values()
        if isinstance(variables, dict)
        for name, value in variables.items()
        if isinstance(value, list) and not name.startswith("mysql_bind")
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, (), id="not given"),
        pytest.param("", (), id="empty"),
        pytest.param("acme", ("acme",), id="one"),
        pytest.param("acme, globex,acme", ("acme", "globex"), id="several"),
        pytest.param(["acme", "globex"], ("acme", "globex"), id="a list"),
    ],
)
def test_names_are_asked_for(value: Any, expected: tuple[str, ...]) -> None:
    assert selection.asked(value) == expected


def test_a_name_that_nobody_has_is_refused(make_plan: MakePlan, make_tenant: MakeTenant) -> None:
    fleet = make_plan([make_tenant("acme", 1), make_tenant("globex", 2)]).fleet
    [finding] = selection.unknown(["acme", "gloebx"], fleet)
    assert (finding.subject, finding.remedy) == ("tenant", "Write one of acme, globex")
    assert "'gloebx'" in finding.message


@QUICK
@given(defined=st.dictionaries(st.integers(1, 99), KEYS, min_size=1, max_size=6), data=st.data())
def test_chosen_and_others_are_the_whole_plan(
    defined: dict[int, dict[str, Any]], data: st.DataObject, make_plan: MakePlan, make_tenant: MakeTenant
) -> None:
    made = make_plan([make_tenant(f"t{number}", number, **keys) for number, keys in defined.items()])
    names = [f"t{number}" for number in defined]
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
    before = copy.deepcopy(made.data)
    found = selection.limited(made.data, made.fleet, chosen)
    assert made.data == before, "the whole plan was changed"
    for host, roles in found["hosts"].items():
        whole, cube = made.data["hosts"][host], roles["cubejs"]
        assert {each["tenant"] for each in cube["cubejs_deployments"]} == set(chosen)
        assert set(cube["cubejs_other_tenants"]) == set(names) - set(chosen)
        assert set(cube["cubejs_waves"]) == {defined[int(name[1:])].get("wave", 1) for name in chosen}
        for name, items in listed(roles).items():
            if name not in ("products", "cubejs_waves") and "other" not in name:
                assert all(item in listed(whole)[name] for item in items), name
        assert {each["name"] for each in roles["mysql"]["mysql_users"]} <= {f"cube_{name}" for name in chosen}
        nginx = roles["nginx"]
        assert sorted([*nginx["nginx_servers"], *nginx["nginx_other_servers"]], key=str) == sorted(
            whole["nginx"]["nginx_servers"], key=str
        )
        redis = {each["name"] for each in roles["redis"]["redis_instances"]}
        assert redis | set(roles["redis"]["redis_other_instances"]) == {
            each["name"] for each in whole["redis"]["redis_instances"]
        }
        shares = [name for name in chosen if defined[int(name[1:])].get("redis")]
        assert ("shared-by-tenants" in redis) is bool(shares)


@QUICK
@given(defined=st.dictionaries(st.integers(1, 99), KEYS, min_size=1, max_size=4))
def test_all_tenants_are_the_plan_itself(
    defined: dict[int, dict[str, Any]], make_plan: MakePlan, make_tenant: MakeTenant
) -> None:
    made = make_plan([make_tenant(f"t{number}", number, **keys) for number, keys in defined.items()])
    assert selection.limited(made.data, made.fleet, [f"t{number}" for number in defined]) == made.data
