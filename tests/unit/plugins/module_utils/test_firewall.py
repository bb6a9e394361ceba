"""Who may reach which port: of planned fleets, and in a host's rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import firewall, selection
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import CLUSTER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOSTS = ("one", "two", "three", "four")
SERVICE = {"service": "redis", "name": "redis-acme", "ports": [20001], "clients": ["192.0.2.1"]}


def services(made: Plan, host: str) -> dict[str, list[str]]:
    """Return whom each service of a host lets in."""
    found = made.data["hosts"][host].get("firewall", {"firewall_services": []})["firewall_services"]
    return {each["name"]: each["clients"] for each in found}


def test_a_cluster_admits_its_own(make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]) -> None:
    made = make_plan([make_tenant(redis={"sentinel": True})], groups=CLUSTER)
    assert services(made, "one") == {
        "cubejs-acme": ["192.0.2.2"],
        "redis-acme": ["192.0.2.3", "192.0.2.2"],
        "sentinel": ["192.0.2.3", "192.0.2.2"],
    }
    assert services(made, "three") == {
        "mysql": ["192.0.2.1", "192.0.2.2"],
        "sentinel": ["192.0.2.1", "192.0.2.2"],
    }
    assert made.data["guarded"] == ["one", "three", "two"]


def test_one_host_guards_nothing(make_plan: Callable[..., Plan]) -> None:
    made = make_plan()
    assert made.data["guarded"] == []
    assert "firewall" not in made.data["hosts"]["one"]


def test_a_port_of_one_host_is_guarded_from_all_others(make_plan: Callable[..., Plan]) -> None:
    assert services(make_plan(cubejs_listen="tcp"), "one") == {"cubejs-acme": []}


def test_tenants_are_admitted_to_their_own_alone(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    groups = {**CLUSTER, "cubejs_redis": ["four"], "cubejs_mysql": ["four"], "cubejs_redis_sentinels": []}
    tenants = [make_tenant(hosts=["one"], refresh_worker=False), make_tenant("beta", 2, hosts=["two", "three"])]
    made = make_plan(tenants, groups=groups)
    found = services(made, "four")
    assert found["redis-acme"] == ["192.0.2.1"]
    assert found["redis-beta"] == ["192.0.2.3", "192.0.2.2"]
    assert set(found["mysql"]) == {"192.0.2.1", "192.0.2.2", "192.0.2.3"}


def test_a_suspended_tenant_keeps_its_rules(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    found = [make_plan([make_tenant(suspended=each)], groups=CLUSTER).data["hosts"] for each in (False, True)]
    assert found[0]["two"]["firewall"] == found[1]["two"]["firewall"]


def test_a_run_about_one_tenant_shuts_nobody_of_another_out(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    sentinel = {"redis": {"sentinel": True}}
    made = make_plan([make_tenant(**sentinel), make_tenant("beta", 2, **sentinel)], groups=CLUSTER)
    data = selection.limited(made.data, made.fleet, ["beta"])
    found = {each["name"]: each for each in data["hosts"]["one"]["firewall"]["firewall_services"]}
    assert {name: each["former_clients_kept"] for name, each in found.items()} == {
        "cubejs-beta": False,
        "redis-beta": False,
        "sentinel": True,
    }
    assert data["guarded"] == made.data["guarded"]


places = st.lists(st.sampled_from(HOSTS), min_size=1, unique=True)


def of_cube(fleet: Fleet) -> Iterator[tuple[str, int, str]]:
    """Yield server, port and client of every connection that Cube.js and its proxies open."""
    for instance in fleet.instances:
        tenant = fleet.tenant(instance.tenant)
        assert tenant
        link, storage = tenant.redis, tenant.storage
        yield from ((instance.host, instance.port, proxy) for proxy in tenant.proxy_hosts if instance.port)
        if link and link.server:
            yield from ((server, link.port, instance.host) for server in (link.server, *link.replicas))
            yield from ((host, 26379, instance.host) for host in link.sentinels if link.sentinel)
        if storage and storage.server:
            yield storage.server, storage.port, instance.host


def of_redis(fleet: Fleet) -> Iterator[tuple[str, int, str]]:
    """Yield the same of Redis instances and Sentinels among themselves."""
    for server in fleet.redis_servers:
        if server.primary:
            members = [each.host for each in fleet.redis_servers if each.name == server.name]
            together = [*fleet.sentinels, *members]
            yield from ((server.host, server.port, each) for each in together)
            yield from ((host, 26379, each) for host in fleet.sentinels for each in together)
    yield from ((host, 26379, each) for host in fleet.sentinels for each in fleet.sentinels)


# The fixtures are plain functions, the same for every example.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    groups=st.fixed_dictionaries(dict.fromkeys(CLUSTER, places)),
    bound=st.lists(places, min_size=1, max_size=3),
    sentinel=st.booleans(),
    listen=st.sampled_from([None, "tcp"]),
)
def test_every_way_that_is_used_is_open_and_no_other(
    groups: dict[str, list[str]],
    bound: list[list[str]],
    sentinel: bool,
    listen: str | None,
    make_fleet: Callable[..., Fleet],
    make_tenant: Callable[..., dict[str, Any]],
) -> None:
    redis = {"redis": {"sentinel": True}} if sentinel else {}
    tenants = [make_tenant(f"t{n}", n, hosts=hosts, **redis) for n, hosts in enumerate(bound, 1)]
    fleet = make_fleet(tenants, groups=groups, cubejs_listen=listen)
    used: dict[tuple[str, int], set[str]] = {}
    for host, port, client in (*of_cube(fleet), *of_redis(fleet)):
        used.setdefault((host, port), set()).add(client)
    doors = {(door.host, port): door for door in firewall.doors(fleet) for port in door.ports}
    assert {place: set(door.clients) for place, door in doors.items() if door.clients} == used
    # What lets in anybody from elsewhere listens for them, and so has rules.
    elsewhere = {place for place, clients in used.items() if clients - {place[0]}}
    assert elsewhere <= {place for place, door in doors.items() if door.exposed}


def test_networks_within_others_are_left_out() -> None:
    clients = ["192.0.2.9", "192.0.2.0/25", "192.0.2.128/25", "2001:db8::7", "2001:db8::/64", "198.51.100.1"]
    (found,) = firewall.layout([{**SERVICE, "clients": clients[:2]}], {"redis": clients[2:], "mysql": ["203.0.113.1"]})
    assert (found["ipv4"], found["ipv6"]) == (["192.0.2.0/24", "198.51.100.1"], ["2001:db8::/64"])


def test_who_is_let_in_tells_files_apart_and_nothing_else_does() -> None:
    def file(services: dict[str, Any], more: dict[str, list[str]] | None = None) -> str:
        (found,) = firewall.layout([services], more or {})
        return str(found["file"])

    clients = ["192.0.2.1", "192.0.2.2"]
    same = file({**SERVICE, "clients": clients})
    assert same == file({**SERVICE, "clients": clients[::-1]}) == file(SERVICE, {"redis": ["192.0.2.2"]})
    assert len({same, file(SERVICE), file({**SERVICE, "ports": [20002]})}) == 3
    (found,) = firewall.layout([SERVICE], {})
    assert fnmatchcase(same, found["former"])
    assert not fnmatchcase(file({**SERVICE, "name": "redis-acme2"}), found["former"])
    (found,) = firewall.layout([{**SERVICE, "former_clients_kept": True}], {})
    assert found["former"] is None


@pytest.mark.parametrize(
    ("client", "message"),
    [
        pytest.param("db.example", "'db.example' is no IP address or network", id="a name"),
        pytest.param("192.0.2.7/24", "write 192.0.2.0/24", id="an address within a network"),
        pytest.param("0.0.0.0/0", "is everybody", id="everybody"),
        pytest.param("::/0", "is everybody", id="everybody by IPv6"),
        pytest.param(7, "is no text", id="a number"),
    ],
)
def test_what_cannot_be_let_in(client: Any, message: str) -> None:
    ((subject, found),) = firewall.client_problems({"mysql": ["192.0.2.1", client], "redis": None})
    assert subject == "firewall_clients.mysql[1]"
    assert message in found


def test_all_problems_are_told_at_once() -> None:
    wrong = {**SERVICE, "name": "Redis", "ports": [0, 3306], "clients": ["x"]}
    with pytest.raises(firewall.FirewallError) as raised:
        firewall.layout([wrong, {**SERVICE, "ports": [3306]}, SERVICE], {"cubejs": ["y"]})
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == [
        "firewall_services[0].name",
        "firewall_services[0].ports",
        "firewall_services[0].ports",
        "firewall_services[0].clients[0]",
        "firewall_services[1].name",
        "firewall_services[1].ports",
        "firewall_services[2].name",
        "firewall_clients.cubejs[0]",
    ]


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@given(st.lists(addresses, max_size=20))
def test_exactly_those_that_are_named_are_let_in(clients: list[str]) -> None:
    (found,) = firewall.layout([{**SERVICE, "clients": clients}], {})
    networks = [ipaddress.ip_network(each) for each in (*found["ipv4"], *found["ipv6"])]
    assert sum(each.num_addresses for each in networks) == len(set(map(ipaddress.ip_address, clients)))
    assert all(any(ipaddress.ip_address(client) in each for each in networks) for client in clients)


@pytest.mark.parametrize(
    ("networks", "address", "admitted"),
    [
        (["192.0.2.0/28"], "192.0.2.7", True),
        (["192.0.2.40", "2001:db8::/64"], "2001:db8::7", True),
        (["192.0.2.40"], "192.0.2.41", False),
        (["192.0.2.40"], "monitor.example", False),
        ([40], "192.0.2.40", False),
        ([], "192.0.2.40", False),
    ],
)
def test_further_clients_are_admitted(networks: list[str], address: str, admitted: bool) -> None:
    assert firewall.admits(networks, address) is admitted


@pytest.mark.parametrize(
    ("networks", "others", "left"),
    [
        pytest.param(["192.0.2.2/31"], ["192.0.2.2"], ("192.0.2.3",), id="half"),
        pytest.param(["192.0.2.2"], ["192.0.2.2/31"], (), id="within"),
        pytest.param(["192.0.2.2", "192.0.2.3"], [], ("192.0.2.2/31",), id="none"),
        pytest.param(["0.0.0.0/0", "::/0"], ["0.0.0.0/0"], ("::/0",), id="the other family"),
        pytest.param(["192.0.2.2"], ["198.51.100.2", "2001:db8::2"], ("192.0.2.2",), id="elsewhere"),
    ],
)
def test_what_is_left_of_networks(networks: list[str], others: list[str], left: tuple[str, ...]) -> None:
    assert firewall.without(networks, others) == left


@given(st.lists(addresses, max_size=8), st.lists(addresses, max_size=8))
def test_addresses_are_left_that_are_in_none_of_the_others(clients: list[str], others: list[str]) -> None:
    networks = [ipaddress.ip_network(each) for each in firewall.without(clients, others)]
    left = {ipaddress.ip_address(each) for each in clients} - {ipaddress.ip_address(each) for each in others}
    assert sum(each.num_addresses for each in networks) == len(left)
    assert all(any(each in network for network in networks) for each in left)
