"""Who asks what of whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.looks import Look, Served, plan_looks, served
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan

APART = {
    "cubejs_api": ["one"],
    "cubejs_refresh_worker": ["one"],
    "cubejs_redis": ["two"],
    "cubejs_mysql": ["two"],
    "cubejs_nginx": ["three"],
}
HOSTS = ["one", "two", "three"]


def proxies(looks: dict[str, Look]) -> list[tuple[str, str | None]]:
    """Return who asks, and at what address."""
    return [(host, asked.get("address")) for host, look in looks.items() for asked in look.proxies]


def reached(looks: dict[str, Look]) -> set[tuple[str, str, int]]:
    """Return who tries to reach which host and port."""
    return {(host, each["host"], each["port"]) for host, look in looks.items() for each in look.reach}


@pytest.mark.parametrize(
    ("observers", "asked"),
    [
        pytest.param(HOSTS, [("two", "192.0.2.3")], id="a host that is neither Cube's nor the proxy"),
        pytest.param(["one", "three"], [("three", "127.0.0.1")], id="the proxy itself before Cube's host"),
        pytest.param(["one"], [("one", "192.0.2.3")], id="Cube's host where there is no other"),
        pytest.param([], [], id="nobody"),
    ],
)
def test_proxies_are_asked(
    observers: list[str], asked: list[tuple[str, str]], make_fleet: Callable[..., Fleet]
) -> None:
    assert proxies(plan_looks(make_fleet(groups=APART), observers)) == asked


def test_on_one_host_it_asks_itself(make_fleet: Callable[..., Fleet]) -> None:
    (asked,) = plan_looks(make_fleet(), ["one"])["one"].proxies
    assert asked == {
        "server_name": "cube.acme.example",
        "ca": "",
        "address": "127.0.0.1",
        "http_port": 80,
        "https_port": 443,
    }


def test_behind_a_load_balancer_the_name_is_asked(make_fleet: Callable[..., Fleet]) -> None:
    how = {("acme", "one"): Served(load_balancer=True)}
    (asked,) = plan_looks(make_fleet(), ["one"], served=how)["one"].proxies
    assert asked == {"server_name": "cube.acme.example", "ca": ""}


def test_strangers_try_what_they_should_not_reach(make_fleet: Callable[..., Fleet]) -> None:
    found = reached(plan_looks(make_fleet(groups=APART), HOSTS))
    # Cube's port from a host that is no proxy of it, Redis' and MySQL's from one that is no client.
    assert found == {("two", "192.0.2.1", 10010), ("three", "192.0.2.2", 20001), ("three", "192.0.2.2", 3306)}


def test_nobody_is_a_stranger_to_itself_or_to_friends(make_fleet: Callable[..., Fleet]) -> None:
    assert reached(plan_looks(make_fleet(groups=APART), ["one"])) == set()


def test_all_who_share_a_redis_are_its_friends(
    make_fleet: Callable[..., Fleet], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    shared = {"redis": {"shared": True}}
    tenants = [make_tenant(hosts=["one"], **shared), make_tenant("beta", 2, hosts=["four"], **shared)]
    apart = {**APART, "cubejs_api": ["one", "four"], "cubejs_refresh_worker": ["one", "four"]}
    found = reached(plan_looks(make_fleet(tenants, groups=apart), [*HOSTS, "four"]))
    assert {host for host, _address, port in found if port == 20000} == {"three"}


def test_without_a_plan_cubes_own_port_is_tried() -> None:
    fleet = Fleet(addresses={"a": "192.0.2.7"})
    assert reached(plan_looks(fleet, ["a", "b"])) == {("a", "b", 4000), ("b", "192.0.2.7", 4000)}
    assert reached(plan_looks(fleet, ["a"])) == set()


def test_proxies_that_nobody_planned_are_asked_by_one() -> None:
    found = plan_looks(Fleet(), ["a", "b"], proxies=[{"server_name": "cube.example"}])
    assert [asked for look in found.values() for asked in look.proxies] == [{"server_name": "cube.example"}]


PROVIDED = {"source": "provided", "certificate_path": "/c", "key_path": "/k"}


@pytest.mark.parametrize(
    ("tenant", "variables", "how"),
    [
        pytest.param({}, {}, Served(ca="/ca/ca.crt"), id="our own authority"),
        pytest.param({}, {"nginx_ca_directory": "/own"}, Served(ca="/own/ca.crt"), id="in another folder"),
        pytest.param({"certificate": PROVIDED}, {}, Served(), id="a certificate that is given"),
        pytest.param(
            {}, {"nginx_behind_load_balancer": {"trusted_proxies": ["192.0.2.9"]}}, Served(True), id="load balancer"
        ),
    ],
)
def test_how_a_proxy_serves(
    tenant: dict[str, Any],
    variables: dict[str, Any],
    how: Served,
    make_inventory: Callable[..., Any],
    make_tenant: Callable[..., dict[str, Any]],
    plan_of: Callable[..., Plan],
) -> None:
    inventory = make_inventory([make_tenant(**tenant)], **variables)
    assert served(plan_of(inventory).data, inventory, "/ca") == {("acme", "one"): how}


def test_members_of_a_replicated_redis_and_sentinels_are_its_friends(
    make_fleet: Callable[..., Fleet], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    groups = {**APART, "cubejs_redis": ["two", "three"], "cubejs_redis_sentinels": ["two", "three", "four"]}
    fleet = make_fleet([make_tenant(redis={"sentinel": True})], groups={**groups, "cubejs_mysql": ["five"]})
    found = {each for each in reached(plan_looks(fleet, [*HOSTS, "four", "five"])) if each[2] in (20001, 26379)}
    assert {host for host, _server, _port in found} == {"five"}
    assert {server for _host, server, port in found if port == 20001} == {"192.0.2.2", "192.0.2.3"}
    assert {server for _host, server, port in found if port == 26379} == {"192.0.2.2", "192.0.2.3", "four"}


def test_whom_the_firewall_admits_besides_is_no_stranger(make_inventory: Callable[..., Any], plan_of: Any) -> None:
    """A monitoring host that asks Redis alone still tries MySQL."""
    inventory = make_inventory(groups=APART, firewall_clients={"redis": ["192.0.2.0/28"], "mysql": None})
    looks = plan_looks(plan_of(inventory).fleet, HOSTS)
    assert {port for _host, _address, port in reached(looks)} == {10010, 3306}
