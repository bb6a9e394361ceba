"""Observations joined to a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, REFRESH_WORKER, Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.linking import link
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Reach, WebServer

WORKER = {"CUBEJS_REFRESH_WORKER": "true"}
Make = Callable[..., Fleet]


def instance(unit: str, *, secret: str = "s", database: str = "shop", **texts: str) -> seen.Instance:
    """Return a process of systemd that reads a database and has a secret."""
    values = {
        "NODE_ENV": "production",
        "CUBEJS_DB_TYPE": "mysql",
        "CUBEJS_DB_HOST": "db.example",
        "CUBEJS_DB_NAME": database,
        "CUBEJS_DB_USER": "reader",
        **texts,
    }
    settings = {name: seen.Setting(seen.Value(text), seen.ENVIRONMENT_FILE, "/e") for name, text in values.items()}
    settings["CUBEJS_API_SECRET"] = seen.Setting(seen.Value(None, secret), seen.ENVIRONMENT_FILE, "/e")
    return seen.Instance(
        name=unit,
        running=True,
        found_by=(seen.BY_UNIT,),
        manager=seen.SYSTEMD,
        unit=seen.Unit(unit.partition(":")[0]),
        packages=seen.Packages(version="0.29.57"),
        settings=settings,
    )


def host(name: str, *instances: seen.Instance, **changes: Any) -> seen.Observation:
    """Return what was seen on a host."""
    fields = {"host": name, "machine": f"machine-{name}", "addresses": (f"192.0.2.{len(name)}",), **changes}
    return seen.Observation(format=seen.FORMAT, taken_at=0.0, privileged=True, instances=instances, **fields)


def told(fleet: Fleet) -> list[tuple[str, str, str, str]]:
    """Return tenant, kind, host and name of each live instance."""
    assert fleet.live
    return [(each.tenant, each.kind, each.host, each.name) for each in fleet.live.instances]


def of(*hosts: seen.Observation) -> Mapping[str, seen.Observation]:
    """Return observations by the hosts' names."""
    return {each.host: each for each in hosts}


def test_what_was_planned_is_found_by_host_and_unit(make_fleet: Make) -> None:
    plan = make_fleet()
    worker = instance("cubejs-refresh-worker@acme.service", **WORKER)
    fleet = link(plan, of(host("one", instance("cubejs-api@acme-1.service"), worker)), {})
    assert told(fleet) == [
        ("acme", API, "one", "cubejs-api@acme-1.service"),
        ("acme", REFRESH_WORKER, "one", "cubejs-refresh-worker@acme.service"),
    ]
    assert fleet.live
    assert [each.planned for each in fleet.live.instances] == list(plan.instances)
    assert fleet.live.absent == ()
    assert fleet.tenants == plan.tenants


def test_a_planned_kind_stays_whatever_the_process_does(make_fleet: Make) -> None:
    fleet = link(make_fleet(), of(host("one", instance("cubejs-api@acme-1.service", **WORKER))), {})
    assert [each[1] for each in told(fleet)] == [API]


def test_what_is_not_there_is_absent_only_where_somebody_looked(make_fleet: Make) -> None:
    plan = make_fleet(groups={"cubejs_api": ["one", "two"], "cubejs_redis": ["one"], "cubejs_mysql": ["one"]})
    fleet = link(plan, of(host("one")), {"two": "unreachable"})
    assert fleet.live
    assert [(each.host, each.unit) for each in fleet.live.absent] == [("one", "cubejs-api@acme-1.service")]
    assert fleet.live.missing == {"two": "unreachable"}


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param("by-hand.service", id="another unit"),
        pytest.param("cubejs-api@acme-1.service:77", id="a second process in the unit"),
    ],
)
def test_a_process_that_nobody_planned_belongs_to_its_planned_tenant(strange: str, make_fleet: Make) -> None:
    known = instance("cubejs-api@acme-1.service")
    fleet = link(make_fleet(), of(host("one", known, instance(strange, **WORKER))), {})
    assert [(each[0], each[1]) for each in told(fleet)] == [("acme", API), ("acme", REFRESH_WORKER)]
    assert fleet.live
    assert [each.planned is None for each in fleet.live.instances] == [False, True]


def test_it_does_so_while_its_planned_instances_are_down(make_fleet: Make) -> None:
    plan = make_fleet()
    secret = next(each.fingerprint for each in plan.tenants[0].secrets if each.purpose == "api_secret")
    fleet = link(plan, of(host("one", instance("by-hand.service", secret=secret))), {})
    assert [each[0] for each in told(fleet)] == ["acme"]


def test_without_a_plan_deployments_are_found_and_named() -> None:
    observations = of(
        host("one", instance("shop-api.service"), instance("stock.service", secret="t", database="stock")),
        host("two", instance("shop-worker.service", **WORKER), instance("other.service", secret="u")),
    )
    fleet = link(Fleet(), observations, {})
    assert told(fleet) == [
        ("shop", API, "one", "shop-api.service"),
        ("stock", API, "one", "stock.service"),
        ("shop", REFRESH_WORKER, "two", "shop-worker.service"),
        ("other", API, "two", "other.service"),
    ]
    turned = link(Fleet(), dict(reversed(observations.items())), {})
    assert sorted(told(turned)) == sorted(told(fleet)), "names do not depend on the order"


@pytest.mark.parametrize(
    ("upstream", "where", "kind"),
    [
        pytest.param("127.0.0.1:4000", "one", API, id="a proxy beside it"),
        pytest.param("192.0.2.3:4000", "three", API, id="a proxy elsewhere"),
        pytest.param("one:4000", "three", API, id="by name"),
        pytest.param("127.0.0.1:4000", "three", REFRESH_WORKER, id="a port of another host"),
        pytest.param("127.0.0.1:4001", "one", REFRESH_WORKER, id="another port"),
        pytest.param("one", "three", REFRESH_WORKER, id="port 80"),
    ],
)
def test_what_a_proxy_leads_to_is_an_api_instance(upstream: str, where: str, kind: str) -> None:
    servers = {where: (WebServer("/etc/nginx/nginx.conf", upstreams=(upstream,)),)}
    hosts = [
        host("one", instance("cube.service", **WORKER), addresses=("192.0.2.3",), web_servers=servers.get("one", ())),
        host("three", web_servers=servers.get("three", ())),
    ]
    assert [each[1] for each in told(link(Fleet(), of(*hosts), {}))] == [kind]


def test_a_socket_is_led_to_on_its_own_host() -> None:
    each = instance("cube.service", PORT="/run/cube.sock", **WORKER)
    server = WebServer("/etc/nginx/nginx.conf", upstreams=("unix:/run/cube.sock",))
    assert told(link(Fleet(), of(host("one", each, web_servers=(server,))), {}))[0][1] == API


def test_one_that_only_development_mode_lets_refresh_is_an_api_instance() -> None:
    assert told(link(Fleet(), of(host("one", instance("cube.service", NODE_ENV="development"))), {}))[0][1] == API


@pytest.mark.parametrize(
    ("version", "texts", "kind"),
    [
        pytest.param("0.29.57", {"CUBEJS_REFRESH_WORKER": "true"}, REFRESH_WORKER, id="told to"),
        pytest.param("0.29.57", {"CUBEJS_REFRESH_WORKER": "false"}, API, id="told not to"),
        pytest.param("0.20.10", {"CUBEJS_REFRESH_WORKER": "true"}, API, id="a flag of later releases"),
        pytest.param("0.20.10", {"CUBEJS_SCHEDULED_REFRESH_TIMER": "false"}, REFRESH_WORKER, id="any text, up to 0.23"),
        pytest.param("", {"CUBEJS_REFRESH_WORKER": "true"}, REFRESH_WORKER, id="a version that is not known"),
        pytest.param("", {"CUBEJS_REFRESH_WORKER": "false"}, API, id="of which somebody says no"),
    ],
)
def test_what_is_told_to_refresh_by_its_version_is_a_worker(version: str, texts: dict[str, str], kind: str) -> None:
    each = replace(instance("cube.service", **texts), packages=seen.Packages(version=version))
    assert told(link(Fleet(), of(host("one", each)), {}))[0][1] == kind


SAME = {"machine": "m", "host": "cube", "addresses": ("192.0.2.1",)}


@pytest.mark.parametrize(
    ("other", "count"),
    [
        pytest.param({}, 1, id="all is the same"),
        pytest.param({"machine": "n"}, 2, id="another machine"),
        pytest.param({"host": "cube2"}, 2, id="a copy with another name"),
        pytest.param({"addresses": ("192.0.2.2",)}, 2, id="a copy with another address"),
        pytest.param({"machine": ""}, 2, id="the machine could not be read"),
    ],
)
def test_a_machine_with_two_names_counts_once(other: dict[str, Any], count: int) -> None:
    reach = Reach("192.0.2.9", 4000, "open")
    observations = {
        "a": host("", instance("cube.service"), **SAME),
        "b": host("", instance("cube.service"), **{**SAME, **other}, reach=(reach,)),
    }
    live = link(Fleet(), observations, {}).live
    assert live
    assert len(live.instances) == len(live.observations) == count
    if count == 1:
        assert live.same_machines == {"b": "a"}
        assert live.observations["a"].reach == (reach,), "what was asked under the other name is kept"


def test_it_goes_by_the_name_that_the_plan_uses(make_fleet: Make) -> None:
    each = instance("cubejs-api@acme-1.service")
    observations = {"alias": host("", each, **SAME), "one": host("", each, **SAME)}
    fleet = link(make_fleet(), observations, {})
    assert told(fleet) == [("acme", API, "one", each.name)]


def test_a_declared_age_is_told(make_fleet: Make, make_tenant: Callable[..., dict[str, Any]]) -> None:
    tenants = [
        make_tenant(pre_aggregations={"max_age_seconds": 7200}),
        make_tenant("beta", 2),
        make_tenant("gamma", 3, pre_aggregations={"enabled": False}),
    ]
    live = link(make_fleet(tenants), {}, {}).live
    assert live
    assert live.declared_age_seconds == {"acme": 7200.0}


def test_what_rests_is_neither_live_nor_absent(make_fleet: Make, make_tenant: Callable[..., dict[str, Any]]) -> None:
    plan = make_fleet([make_tenant("acme", 1, suspended=True)])
    stopped = replace(instance("cubejs-api@acme-1.service"), running=False)
    live = link(plan, of(host("one", stopped)), {}).live
    assert live
    assert (live.instances, live.absent) == ((), ())
    assert [each.unit for each in live.resting] == ["cubejs-api@acme-1.service", "cubejs-refresh-worker@acme.service"]
    assert live.at_rest == {"acme"}


def test_what_runs_though_its_tenant_is_suspended_is_seen(
    make_fleet: Make, make_tenant: Callable[..., dict[str, Any]]
) -> None:
    plan = make_fleet([make_tenant("acme", 1, suspended=True)])
    fleet = link(plan, of(host("one", instance("cubejs-api@acme-1.service"))), {})
    assert told(fleet) == [("acme", API, "one", "cubejs-api@acme-1.service")]
    assert fleet.live
    assert [each.unit for each in fleet.live.resting] == ["cubejs-refresh-worker@acme.service"]
