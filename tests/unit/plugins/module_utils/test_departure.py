"""A tenant that goes: what was meant, and what each host has of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.departure import Departure
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import GROUPS, Inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan

PlanOf = Callable[[Inventory], Plan]
Make = Callable[..., Any]
GROUPS_OF_TWO = {name: ["one", "two"] for name in GROUPS}


@pytest.fixture
def going(make_inventory: Make, plan_of: PlanOf) -> Callable[..., dict[str, dict[str, Any]]]:
    """Return a function from a departure, and what an inventory is made of, to what goes on each host."""

    def found(departure: Departure, *arguments: Any, **keys: Any) -> dict[str, dict[str, Any]]:
        inventory = make_inventory(*arguments, **keys)
        made = plan_of(inventory)
        return departure.by_host(made.fleet, made.data, inventory)

    return found


@pytest.mark.parametrize(
    ("departure", "told"),
    [
        pytest.param(Departure("acme", "acme"), [], id="confirmed"),
        pytest.param(Departure("umbrella", "umbrella"), [], id="of nobody any more"),
        pytest.param(Departure("acme"), ["confirm"], id="not confirmed"),
        pytest.param(Departure("acme", "Acme"), ["confirm"], id="not quite confirmed"),
        pytest.param(Departure("", ""), ["tenant"], id="nobody"),
        pytest.param(Departure("../etc", "../etc"), ["tenant"], id="a path"),
        pytest.param(Departure("acme", "acme", "nine"), ["host"], id="no such host"),
        pytest.param(Departure("acme", "acme", "one"), ["host"], id="planned there"),
        pytest.param(Departure("acme", "no", "one"), ["confirm", "host"], id="all that is wrong"),
    ],
)
def test_what_was_not_meant_is_refused(
    departure: Departure, told: list[str], make_inventory: Make, plan_of: PlanOf
) -> None:
    inventory = make_inventory()
    fleet = plan_of(inventory).fleet
    assert [finding.subject for finding in departure.problems(fleet, inventory)] == told


def test_what_goes_is_named_after_the_tenant(going: Make) -> None:
    found = going(Departure("acme", "acme"))["one"]
    assert (found["cubejs"], found["redis"], found["nginx"]) == (True, True, True)
    assert (found["schemas"], found["users"]) == (["cube_acme"], ["cube_acme"])
    nginx, cubejs, redis = found["sets"]
    assert nginx["forget"] == ["sites/acme.conf", "certificates/acme.crt", "certificates/acme.key"]
    assert redis["forget"] == ["acme.conf", "acme.secret", "acme.crt", "acme.key"]
    assert "/etc/systemd/system/cubejs-api@acme-10.service.d/instance.conf" in cubejs["forget"]
    assert "/etc/systemd/system/cubejs-refresh-worker@acme.service.d/instance.conf" in cubejs["forget"]
    assert "/etc/sysusers.d/cubejs-acme.conf" in cubejs["forget"]
    assert all(each["keep_unlisted"] for each in found["sets"])


def test_its_rules_go_from_hosts_that_have_any(going: Make) -> None:
    assert going(Departure("acme", "acme"))["one"]["firewall"] is False
    found = going(Departure("acme", "acme"), groups={**GROUPS_OF_TWO, "cubejs_mysql": ["two"]}, cubejs_listen="tcp")
    rules = {host: [each for each in here["sets"] if each["name"] == "firewall"] for host, here in found.items()}
    assert [each["forget"] for each in rules["one"]] == [["services/redis-acme.*.nft", "services/cubejs-acme.*.nft"]]
    assert all(here["firewall"] == bool(rules[host]) for host, here in found.items())


def test_a_definition_says_what_is_called_otherwise(going: Make, make_tenant: Make) -> None:
    storage = {"schema": "rollups", "user": "builder"}
    found = going(Departure("acme", "acme"), [make_tenant("acme", 1, pre_aggregations=storage)])["one"]
    assert (found["schemas"], found["users"]) == (["rollups"], ["builder"])


def test_what_is_not_ours_stays(going: Make, make_tenant: Make) -> None:
    storage = {"host": "db.example", "user": "u", "password": "p" * 20, "schema": "theirs"}
    found = going(Departure("acme", "acme"), [make_tenant("acme", 1, pre_aggregations=storage)])["one"]
    assert (found["schemas"], found["users"]) == ([], [])


def test_of_a_shared_redis_its_index_goes(going: Make, make_tenant: Make) -> None:
    tenants = [make_tenant("acme", 7, redis={"shared": True}), make_tenant("globex", 8, redis={"shared": True})]
    flush = going(Departure("acme", "acme"), tenants)["one"]["flush"]
    assert (flush["port"], flush["index"], flush["tls"]) == (20000, 7, False)
    assert list(flush["password"]) == ["__secret__"]
    assert going(Departure("acme", "acme"))["one"]["flush"] is None


def test_from_one_host_goes_what_it_no_longer_serves(going: Make, make_tenant: Make) -> None:
    """Redis and MySQL may have stayed there when the processes moved."""
    tenants = [make_tenant("acme", 1, hosts=["two"], redis={"host": "one"})]
    found = going(Departure("acme", "acme", "one"), tenants, groups=GROUPS_OF_TWO)
    assert (found["one"]["cubejs"], found["one"]["redis"], found["one"]["nginx"]) == (True, False, True)
    assert found["one"]["schemas"] == ["cube_acme"]
    assert not any(found["two"].values())


def test_sentinels_forget_it_unless_it_is_replicated_on(going: Make, make_tenant: Make) -> None:
    groups = {name: ["one", "two", "three"] for name in GROUPS}
    tenants = [make_tenant("acme", 1, redis={"sentinel": True}), make_tenant("globex", 2, redis={"sentinel": True})]
    found = going(Departure("acme", "acme"), tenants, groups=groups)
    assert [each["sentinel"]["bind"][1] for each in found.values()] == ["127.0.0.1"] * 3
    assert found["one"]["sentinel"]["port"] == 26379
    moved = [make_tenant("acme", 1, redis={"sentinel": True}, hosts=["one", "two"])]
    of_one = going(Departure("acme", "acme", "three"), moved, groups=groups)
    assert of_one["three"]["sentinel"] is None
    assert of_one["three"]["redis"] is True


def test_only_a_tenant_that_goes_for_good_gives_its_number_away(make_inventory: Make, plan_of: PlanOf) -> None:
    fleet = plan_of(make_inventory()).fleet
    assert Departure("acme", "acme").line(fleet, "2026-11-28") == "1 acme 2026-11-28"
    assert Departure("acme", "acme", "one").number(fleet) is None
    assert Departure("umbrella", "umbrella").line(fleet, "2026-11-28") == ""
