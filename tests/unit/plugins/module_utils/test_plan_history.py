"""Tenants come, go and change, in any order and on any hosts: nothing of the others changes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import GROUPS
from ansible_collections.cubeops.cubejs.plugins.module_utils.names import SHARED_REDIS
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenants import OLD_SCHEMA
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MakePlan = Callable[..., Plan]
MakeTenant = Callable[..., dict[str, Any]]

# Hypothesis would have the fixtures made anew for every example; these make nothing that lasts.
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HOSTS = ("one", "two", "three")
# A server belongs to all its tenants: these follow from them together, and are changed while it runs.
OF_ALL = {"mysql": ("mysql_max_connections", "mysql_bind_addresses"), "cubejs": ("cubejs_waves",)}

# Schemas that are not called after their tenant; two tenants with one are refused.
SCHEMAS = ("other", OLD_SCHEMA)

PLACES = st.fixed_dictionaries({group: st.lists(st.sampled_from(HOSTS), unique=True, min_size=1) for group in GROUPS})
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "api_instances": st.integers(1, 3),
        "max_in_flight": st.integers(1, 50),
        "orchestrators": st.integers(1, 5),
        "refresh_worker": st.booleans(),
        "hosts": st.lists(st.sampled_from((*HOSTS, *GROUPS)), unique=True, max_size=2),
        "redis": st.sampled_from(
            (
                {"shared": True},
                {"sentinel": True},
                {"host": "redis.example"},
                {"tls": True},
                {"pool_max": 0},
                {"maxmemory_bytes": 2**24},
            )
        ),
        "pre_aggregations": st.sampled_from(({"enabled": False}, {"schema": "other"}, {"host": "m.example"})),
        "listen": st.sampled_from(("tcp", "socket")),
        "version": st.sampled_from(("0.20.10", "0.28.67", "0.31.69")),
        "suspended": st.booleans(),
        "wave": st.integers(0, 9),
        "rotation": st.sampled_from(({"api": 1}, {"redis": 2})),
    },
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 999), KEYS),
        st.tuples(st.just("change"), st.integers(0, 99), KEYS),
        st.tuples(st.just("remove"), st.integers(0, 99), st.just({})),
    ),
    min_size=1,
    max_size=6,
)


def others(made: Plan, name: str) -> dict[str, Any]:
    """Return a plan without what is one tenant's, and without what belongs to all tenants of a server."""
    found: dict[str, Any] = copy.deepcopy(made.data)
    # Which hosts have a firewall, and whom it lets in to what their tenants share.
    found.pop("guarded")
    for roles in found["hosts"].values():
        guarded = roles.pop("firewall", {"firewall_services": []})["firewall_services"]
        of_all = (f"redis-{SHARED_REDIS}", "sentinel", "mysql")
        roles["firewall"] = [
            each for each in guarded if each["name"] not in of_all and each["name"].partition("-")[2] != name
        ]
        for role, variables in OF_ALL.items():
            for variable in variables:
                roles.get(role, {}).pop(variable, None)
        for variables in filter(lambda each: isinstance(each, dict), roles.values()):
            for variable, items in variables.items():
                if isinstance(items, list):
                    variables[variable] = [item for item in items if not is_of(item, name)]
    references = found.pop("fingerprints")
    own = {key: value for key, value in references.items() if key.split("/")[0] not in (name, SHARED_REDIS)}
    stated = [each for each in found.pop("stated") if each.split("/")[0] not in (name, SHARED_REDIS)]
    return {**found, "fingerprints": own, "stated": stated}


def is_of(item: Any, name: str) -> bool:
    """Say whether something belongs to a tenant, or to the Redis that tenants share."""
    return isinstance(item, dict) and (
        item.get("tenant") == name or item.get("name") in (name, f"cube_{name}", SHARED_REDIS, *SCHEMAS)
    )


def stepped(tenants: list[dict[str, Any]], step: tuple[str, int, dict[str, Any]], make: MakeTenant) -> tuple[str, Any]:
    """Return the name of the tenant that a step of a history is about, and the tenants after it."""
    what, number, keys = step
    if what == "add":
        name = f"t{number}"
        if any(tenant["name"] == name for tenant in tenants):
            return name, tenants
        return name, [*tenants, make(name, number, **keys)]
    if not tenants:
        return "", tenants
    at = number % len(tenants)
    chosen = tenants[at]
    after = [make(chosen["name"], chosen["number"], **keys)] if what == "change" else []
    return chosen["name"], [*tenants[:at], *after, *tenants[at + 1 :]]


@QUICK
@given(groups=PLACES, first=st.dictionaries(st.integers(1, 999), KEYS, max_size=4), steps=STEPS, random=st.randoms())
def test_a_history_changes_only_whom_it_is_about(
    groups: dict[str, list[str]],
    first: dict[int, dict[str, Any]],
    steps: list[tuple[str, int, dict[str, Any]]],
    random: Random,
    make_plan: MakePlan,
    make_tenant: MakeTenant,
) -> None:
    tenants = [make_tenant(f"t{number}", number, **keys) for number, keys in first.items()]
    hosts = {host: {"cubejs_host_memory_bytes": 2**36} for host in HOSTS}
    before = make_plan(tenants, groups=groups, hosts=hosts)
    for step in steps:
        name, tenants = stepped(tenants, step, make_tenant)
        random.shuffle(tenants)
        after = make_plan(tenants, groups=groups, hosts=hosts)
        assert others(after, name) == others(before, name)
        before = after


@QUICK
@given(groups=PLACES, defined=st.dictionaries(st.integers(1, 999), KEYS, max_size=6), random=st.randoms())
def test_their_order_changes_nothing_at_all(
    groups: dict[str, list[str]],
    defined: dict[int, dict[str, Any]],
    random: Random,
    make_plan: MakePlan,
    make_tenant: MakeTenant,
) -> None:
    tenants = [make_tenant(f"t{number}", number, **keys) for number, keys in defined.items()]
    before = make_plan(tenants, groups=groups)
    random.shuffle(tenants)
    shuffled = {group: random.sample(hosts, len(hosts)) for group, hosts in groups.items()}
    after = make_plan(tenants, groups=groups)
    assert json.dumps(after.data, sort_keys=True) == json.dumps(before.data, sort_keys=True)
    # Of two that collide the later one is told to change.
    assert {finding.rule for finding in after.findings} == {finding.rule for finding in before.findings}
    assert set(make_plan(tenants, groups=shuffled).data["hosts"]) == set(before.data["hosts"])


@QUICK
@given(groups=PLACES, defined=st.dictionaries(st.integers(1, 999), KEYS, min_size=1, max_size=6))
def test_what_a_host_runs_collides_nowhere(
    groups: dict[str, list[str]], defined: dict[int, dict[str, Any]], make_plan: MakePlan, make_tenant: MakeTenant
) -> None:
    tenants = [make_tenant(f"t{number}", number, **keys) for number, keys in defined.items()]
    made = make_plan(tenants, groups=groups)
    for host, roles in made.data["hosts"].items():
        instances = [each for of in roles["cubejs"]["cubejs_deployments"] for each in of["instances"]]
        ports = [each["port"] for each in instances if each["port"]]
        ports += [each["port"] for each in roles.get("redis", {}).get("redis_instances", ())]
        assert len(set(ports)) == len(ports), host
        assert all(port < 32768 for port in ports)
        assert len({each["unit"] for each in instances}) == len(instances)
    workers = [each.tenant for each in made.fleet.instances if each.kind == "refresh_worker"]
    assert len(set(workers)) == len(workers)
    places = [
        (each.redis.server, each.redis.port, each.redis.index)
        for each in made.fleet.tenants
        if each.redis and each.redis.server
    ]
    assert len(set(places)) == len(places)
