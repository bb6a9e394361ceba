"""A host that is scaled in: what was meant, what must not go, and what is drained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_departure import HostDeparture
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import GROUPS, Inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan

PlanOf = Callable[[Inventory], Plan]
Make = Callable[..., Any]
BASE = {name: ["one"] for name in GROUPS}


@pytest.fixture
def asked(make_inventory: Make, plan_of: PlanOf) -> Callable[..., tuple[Any, ...]]:
    """Return a function from groups to what a departure is judged by: the fleet, the inventory, the fleet after it."""

    def found(host: str, **groups: list[str]) -> tuple[Any, ...]:
        inventory = make_inventory(groups={**BASE, **groups})
        return plan_of(inventory).fleet, inventory, plan_of(inventory.without(host)).fleet

    return found


def told(departure: HostDeparture, asked: tuple[Any, ...]) -> list[str]:
    """Return the subjects and messages of what is refused."""
    return [f"{each.subject}: {each.message}. {each.remedy}" for each in departure.problems(*asked)]


def test_a_host_of_processes_alone_goes(asked: Make) -> None:
    assert told(HostDeparture("two", "two"), asked("two", cubejs_api=["one", "two"])) == []


@pytest.mark.parametrize(
    ("departure", "message"),
    [
        pytest.param(HostDeparture("", ""), "'' is none of the hosts. Name the host to be scaled in", id="nothing"),
        pytest.param(HostDeparture("nine", "nine"), "'nine' is none of the hosts", id="no such host"),
        pytest.param(HostDeparture("two"), "Confirm by the name: -e confirm=two", id="not confirmed"),
        pytest.param(HostDeparture("two", "one"), "'one' is not 'two'", id="another one confirmed"),
    ],
)
def test_what_was_not_meant_is_refused(departure: HostDeparture, message: str, asked: Make) -> None:
    [found] = told(departure, asked(departure.host, cubejs_api=["one", "two"]))
    assert message in found


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        pytest.param({"cubejs_redis": ["two"]}, "two has Redis, or a replica of it, of acme", id="redis"),
        pytest.param({"cubejs_mysql": ["two"]}, "two has the pre-aggregations of acme in MySQL", id="mysql"),
        pytest.param({"cubejs_redis_sentinels": ["one", "two"]}, "two votes in cubejs_redis_sentinels", id="sentinel"),
        pytest.param({"cubejs_nginx": ["one", "two"]}, "clients reach acme by the Nginx of two", id="proxy"),
        pytest.param({"cubejs_api": ["two"]}, "two is the only host of the API instances of acme", id="last API host"),
        pytest.param(
            {"cubejs_refresh_worker": ["two"]}, "two is the only host of the refresh worker of acme", id="only worker"
        ),
    ],
)
def test_what_nobody_takes_over_keeps_the_host(groups: dict[str, list[str]], message: str, asked: Make) -> None:
    [found] = told(HostDeparture("two", "two"), asked("two", **{"cubejs_api": ["one", "two"], **groups}))
    assert message in found


def test_all_that_is_wrong_is_told_at_once(asked: Make) -> None:
    assert len(told(HostDeparture("one", "no"), asked("one"))) == 7


def test_what_is_drained_and_what_is_left_to_do(asked: Make) -> None:
    """The host has no proxy, so that its instance listens on a port; another host can have the worker."""
    groups = {"cubejs_api": ["one", "two"], "cubejs_refresh_worker": ["two"]}
    fleet, inventory, _rest = asked("two", **groups)
    rest = asked("two", cubejs_api=["one"])[0]
    found = HostDeparture("two", "two").result(fleet, inventory, rest)
    [port] = [each.port for each in fleet.instances if each.host == "two" and each.kind == "api"]
    assert (found["host"], found["ports"], found["drain_seconds"]) == ("two", [port], 130)
    assert "Take it out of cubejs_api, cubejs_refresh_worker and run site" in found["then"]
    assert "the refresh worker of acme starts on one" in found["then"]


def test_it_is_waited_for_as_long_as_the_proxies_may_take(make_inventory: Make, plan_of: PlanOf) -> None:
    hosts = {"one": {"nginx_worker_shutdown_timeout_seconds": 600}}
    inventory = make_inventory(groups={**BASE, "cubejs_api": ["one", "two"]}, hosts=hosts)
    fleet = plan_of(inventory).fleet
    assert HostDeparture("two", "two").result(fleet, inventory, fleet)["drain_seconds"] == 610


def test_its_accounts_go_and_those_of_others_stay(make_inventory: Make, plan_of: PlanOf) -> None:
    inventory = make_inventory(groups={**BASE, "cubejs_api": ["one", "two"]})
    data, rest = plan_of(inventory).data, plan_of(inventory.without("two")).data
    found = HostDeparture("two", "two").accounts(data, rest)
    assert found == {"one": [{"name": "cube_acme", "host": "192.0.2.2"}]}
    assert HostDeparture("one", "one").accounts(data, rest) == {}
