"""The plan as a whole, and what it must never do."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding, errors
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import Inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import EVERYTHING
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MARKS = (
    "MARKEDapi1kD93hfLw02mXoQz71RbVtYc5",
    "MARKEDredis2kD93hfLw02m",
    "MARKEDdb3",
    "MARKEDstore4kD93hfLw02",
    "MARKEDenv5",
)
MASTER = "MARKEDmaster6kD93hfLw02mXoQz71RbV"
SPREAD = {
    "cubejs_redis": ["one", "two"],
    "cubejs_mysql": ["one", "three"],
    "cubejs_api": ["one", "two", "three"],
    "cubejs_refresh_worker": ["two", "three"],
    "cubejs_nginx": ["one"],
}
# Hypothesis would have the fixtures made anew for every example; these make nothing that lasts.
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBERS = st.lists(st.integers(1, 999), unique=True, min_size=1, max_size=6)


def test_a_right_inventory_has_no_findings(make_plan: Callable[..., Plan]) -> None:
    assert make_plan().findings == ()
    assert make_plan(groups=SPREAD).findings == ()


def test_the_plan_is_plain_data_without_secrets(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    api, redis, database, storage, variable = MARKS
    tenant = make_tenant(
        api_secret=api,
        redis={"password": redis},
        database={"type": "mysql", "host": "h", "name": "n", "user": "u", "password": database},
        pre_aggregations={"password": storage},
        environment={"CUBEJS_JWT_KEY": variable},
    )
    other = make_tenant("beta", 2, redis={"url": f"redis://:{MARKS[1]}@h"})
    made = make_plan([tenant, other], cubejs_master_secret=MASTER)
    assert not errors(made.findings)
    text = json.dumps(made.data)
    assert "MARKED" not in text
    assert "MARKED" not in repr(made.findings)
    assert set(made.data["fingerprints"]) == {
        "acme/api_secret/0",
        "acme/redis_password/0",
        "acme/database_password/0",
        "acme/storage_password/0",
        "acme/environment:CUBEJS_JWT_KEY/0",
        "beta/api_secret/0",
        "beta/redis_url/0",
        "beta/storage_password/0",
        "beta/database_password/0",
    }


def test_findings_hold_no_secret_however_wrong_it_is(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    wrong = [["MARKED"], {"MARKED": "MARKED"}, "MARKED", "MARKED\n" * 9]
    for value in wrong:
        tenant = make_tenant(
            api_secret=value,
            redis={"password": value, "url": value},
            database={"type": "mysql", "password": value},
            pre_aggregations={"password": value},
            environment={"X": value},
        )
        made = make_plan([tenant], cubejs_master_secret=value)
        assert errors(made.findings)
        assert "MARKED" not in repr(made.findings)


def test_all_problems_are_found_at_once(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    tenants = [
        make_tenant("Acme", 1, api_secret="secret", redis={"pool_max": 1}, sever_name="x"),
        make_tenant("beta", 1, max_in_flight="many", redis={"url": "nonsense"}),
    ]
    found = {finding.rule for finding in make_plan(tenants, cubejs_version=0.29).findings}
    assert {
        "tenant-name",
        "secret-strength",
        "redis-pool-size",
        "unknown-key",
        "tenant-unique",
        "value-type",
        "redis-url",
        "version-works",
    } <= found


def test_what_cannot_be_read_is_not_called_missing(
    make_inventory: Callable[..., Inventory], plan_of: Callable[..., Plan]
) -> None:
    unread = Finding("variable-defined", "cubejs_master_secret", "'vault_x' is undefined", "Define what it refers to")
    found = make_inventory(cubejs_master_secret=None)
    assert {finding.rule for finding in plan_of(found).findings} == {"master-secret"}
    assert plan_of(found, unread=[unread]).findings == (unread,)


def test_the_inventory_is_left_as_it_was(
    make_inventory: Callable[..., Inventory], plan_of: Callable[..., Plan]
) -> None:
    found = make_inventory(groups=SPREAD)
    before = copy.deepcopy(found)
    plan_of(found)
    assert found == before


def test_every_host_has_what_its_groups_say(make_plan: Callable[..., Plan]) -> None:
    hosts = make_plan(groups=SPREAD).data["hosts"]
    assert {host: set(roles) for host, roles in hosts.items()} == {
        "one": {"products", "cubejs", "redis", "mysql", "nginx"},
        "two": {"products", "cubejs", "redis", "firewall"},
        "three": {"products", "cubejs", "mysql", "firewall"},
    }


def test_a_tenant_has_one_worker_one_redis_and_one_schema(make_plan: Callable[..., Plan]) -> None:
    made = make_plan(groups=SPREAD)
    hosts = made.data["hosts"].values()
    instances = [
        instance
        for host in hosts
        for deployment in host["cubejs"]["cubejs_deployments"]
        for instance in deployment["instances"]
    ]
    assert sorted(instance["kind"] for instance in instances) == ["api", "api", "api", "refresh_worker"]
    assert sum(len(host["redis"]["redis_instances"]) for host in hosts if "redis" in host) == 1
    assert sum(len(host["mysql"]["mysql_databases"]) for host in hosts if "mysql" in host) == 1


def test_servers_are_where_the_processes_look_for_them(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    tenants = [make_tenant(f"t{number}", number) for number in range(1, 20)]
    made = make_plan(tenants, groups=SPREAD)
    hosts = made.data["hosts"]
    addresses = {"127.0.0.1": "", "192.0.2.1": "one", "192.0.2.2": "two", "192.0.2.3": "three"}
    used = set()
    for host, roles in hosts.items():
        for deployment in roles["cubejs"]["cubejs_deployments"]:
            values = deployment["settings"]
            redis = addresses[values["redis_url"][len("redis://") :].split(":")[0]] or host
            mysql = addresses[values["storage_host"]] or host
            assert deployment["tenant"] in [each["name"] for each in hosts[redis]["redis"]["redis_instances"]]
            assert {"name": values["storage_name"]} in hosts[mysql]["mysql"]["mysql_databases"]
            used |= {f"redis on {redis}", f"mysql on {mysql}"}
    assert used == {"redis on one", "redis on two", "mysql on one", "mysql on three"}


def test_a_tenant_bound_to_a_host_with_nginx_is_served_there_by_a_socket(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    """Whole stacks side by side, one a host: nothing of a tenant's leaves its host."""
    groups = {name: ["one", "two"] for name in EVERYTHING}
    made = make_plan([make_tenant(hosts=["one"]), make_tenant("beta", 2, hosts=["two"])], groups=groups)
    assert made.findings == ()
    for host, name in (("one", "acme"), ("two", "beta")):
        roles = made.data["hosts"][host]
        assert [server["name"] for server in roles["nginx"]["nginx_servers"]] == [name]
        assert roles["nginx"]["nginx_servers"][0]["upstreams"] == [f"unix:/run/cubejs/{name}-1/cube.sock"]
        assert [instance["bind"] for instance in roles["redis"]["redis_instances"]] == [["127.0.0.1"]]
        assert roles["mysql"]["mysql_bind_addresses"] == ["127.0.0.1"]


def test_a_tenant_bound_to_hosts_without_nginx_is_served_by_all(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    groups = {"cubejs_api": ["one"], "cubejs_refresh_worker": ["one"], "cubejs_nginx": ["two", "three"]}
    made = make_plan([make_tenant(hosts=["one"])], groups=groups)
    servers = [made.data["hosts"][host]["nginx"]["nginx_servers"][0] for host in ("two", "three")]
    assert [server["upstreams"] for server in servers] == [["192.0.2.1:10010"]] * 2


def test_memory_is_known_for_hosts_of_cube_alone(make_plan: Callable[..., Plan]) -> None:
    groups = {"cubejs_redis": ["one"], "cubejs_api": ["two"], "cubejs_refresh_worker": ["two"]}
    hosts = {host: {"cubejs_host_memory_bytes": 2**33} for host in ("one", "two")}
    assert set(make_plan(groups=groups, hosts=hosts).fleet.cube_memory_bytes) == {"two"}


def of_tenant(made: Plan, name: str) -> list[Any]:
    """Return everything in a plan that is one tenant's own, by host."""
    found = []
    for host, roles in sorted(made.data["hosts"].items()):
        lists = (
            roles["cubejs"]["cubejs_deployments"],
            roles.get("redis", {}).get("redis_instances", []),
            roles.get("nginx", {}).get("nginx_servers", []),
        )
        found += [(host, item) for items in lists for item in items if name in (item.get("tenant"), item.get("name"))]
        found += [
            (host, item) for item in roles.get("mysql", {}).get("mysql_users", []) if item["name"] == f"cube_{name}"
        ]
    return found


@QUICK
@given(numbers=NUMBERS, random=st.randoms(use_true_random=False), extra=st.integers(1, 999))
def test_other_tenants_and_their_order_change_nothing_of_a_tenant(
    numbers: list[int],
    random: Random,
    extra: int,
    make_plan: Callable[..., Plan],
    make_tenant: Callable[..., dict[str, Any]],
) -> None:
    tenants = [make_tenant(f"t{number}", number, max_in_flight=1 + number % 7) for number in numbers]
    before = make_plan(tenants, groups=SPREAD)
    shuffled = [tenant for tenant in tenants if tenant is not tenants[-1]]
    if extra not in numbers:
        shuffled.append(make_tenant(f"t{extra}", extra, api_instances=4))
    random.shuffle(shuffled)
    after = make_plan(shuffled, groups=SPREAD)
    assert not errors(before.findings)
    assert not errors(after.findings)
    for tenant in tenants[:-1]:
        assert of_tenant(before, tenant["name"]) == of_tenant(after, tenant["name"]) != []


@QUICK
@given(numbers=NUMBERS)
def test_no_two_servers_of_a_host_share_a_port_or_a_password(
    numbers: list[int], make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    tenants = [make_tenant(f"t{number}", number, api_instances=10, listen="tcp") for number in numbers]
    made = make_plan(tenants)
    roles = made.data["hosts"]["one"]
    ports = [instance["port"] for instance in roles["redis"]["redis_instances"]]
    ports += [
        instance["port"]
        for deployment in roles["cubejs"]["cubejs_deployments"]
        for instance in deployment["instances"]
        if instance["port"]
    ]
    assert len(set(ports)) == len(ports) == len(numbers) * 11
    assert len(set(made.data["fingerprints"].values())) == len(numbers) * 3 + 1


@QUICK
@given(memory=st.integers(2**30, 2**38), numbers=NUMBERS)
def test_memory_limits_do_not_depend_on_other_tenants(
    memory: int, numbers: list[int], make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    hosts = {"one": {"cubejs_host_memory_bytes": memory}}
    alone = make_plan([make_tenant("t", numbers[0])], hosts=hosts)
    more = [make_tenant(f"t{number}", number) for number in numbers[1:]]
    together = make_plan([make_tenant("t", numbers[0]), *more], hosts=hosts)
    assert of_tenant(alone, "t") == of_tenant(together, "t")


@pytest.mark.parametrize("limit", [500])
def test_five_hundred_tenants_are_planned_in_time(
    limit: int, make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    made = make_plan([make_tenant(f"t{number}", number) for number in range(1, limit + 1)], groups=SPREAD)
    assert not errors(made.findings)
    assert len(made.fleet.instances) == limit * 4
