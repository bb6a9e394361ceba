"""The fleet counts and holds no secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live

TWO = {"cubejs_redis": ["one"], "cubejs_api": ["one", "two"], "cubejs_refresh_worker": ["one"]}


def test_processes_are_counted_over_hosts(make_fleet: Callable[..., Fleet]) -> None:
    tenant = make_fleet(groups=TWO).tenants[0]
    assert replace(tenant, api_instances=3).processes == 7
    assert replace(tenant, worker_host="").processes == 2


@pytest.mark.parametrize(
    ("asked", "deployed"),
    [
        pytest.param(("0.28.67",), "0.28.67", id="what is asked for"),
        pytest.param(("0.36.0", "0.28.67"), "0.28.67", id="the first that works"),
        pytest.param(("0.29 (a float)",), versions.DEFAULT, id="the default, so that other rules can go on"),
        pytest.param((), versions.DEFAULT, id="nothing"),
    ],
)
def test_version(asked: tuple[str, ...], deployed: str, make_fleet: Callable[..., Fleet]) -> None:
    assert replace(make_fleet().tenants[0], versions=asked).version == deployed


def test_instances_by_tenant_and_host(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(groups=TWO)
    assert [instance.name for instance in fleet.instances_of("acme")] == ["acme-1", "acme-1", "acme"]
    assert [instance.name for instance in fleet.instances_on("two")] == ["acme-1"]
    assert fleet.instances_of("nobody") == ()


def test_a_fleet_holds_no_secret(make_fleet: Callable[..., Fleet]) -> None:
    tenants = [
        {
            "name": "acme",
            "number": 1,
            "server_name": "MARKED",
            "api_secret": "SECRET-a",
            "redis": {"url": "redis://:SECRET-b@h", "password": "SECRET-c"},
            "database": {"type": "mysql", "password": "SECRET-d"},
            "pre_aggregations": {"password": "SECRET-e"},
            "environment": {"NAME": "SECRET-f"},
        }
    ]
    text = repr(make_fleet(tenants, cubejs_master_secret="SECRET-g"))
    assert "MARKED" in text
    assert "SECRET" not in text


def test_what_rules_share_is_worked_out_once() -> None:
    asked: list[Live] = []

    def count(live: Live) -> int:
        asked.append(live)
        return len(live.instances)

    live = Live()
    assert (live.once(count), live.once(count)) == (0, 0)
    assert live.once(lambda live, fleet: (live, fleet), Fleet()) == (live, Fleet())
    assert asked == [live]
    assert live == Live()
