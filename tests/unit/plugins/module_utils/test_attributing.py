"""Which processes belong together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import attributing
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.attributing import Traits, groups
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import MysqlSeen, RedisSeen
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import whereabouts

SOURCE, OTHER = ("source", 1), ("source", 2)
SECRET, REDIS, SCHEMA = ("secret", "s"), ("redis", "r"), ("storage", "x")


def traits(source: Any, *marks: Any, tenant: str = "") -> Traits:
    """Return the traits of a process."""
    return Traits((source,) if source else (), marks, tenant)


@pytest.mark.parametrize(
    ("given", "together"),
    [
        pytest.param([traits(SOURCE, SECRET), traits(SOURCE, SECRET)], True, id="source and secret"),
        pytest.param([traits(SOURCE), traits(SOURCE)], False, id="source alone"),
        pytest.param([traits(SOURCE, REDIS), traits(OTHER, REDIS)], False, id="Redis alone"),
        pytest.param([traits(None, SECRET), traits(None, SECRET)], False, id="no source"),
        pytest.param(
            [traits(SOURCE, SECRET), traits(SOURCE, REDIS), traits(SOURCE, SECRET, REDIS)], True, id="through a third"
        ),
        pytest.param([traits(SOURCE, tenant="a"), traits(OTHER, tenant="a")], True, id="planned so"),
        pytest.param([traits(SOURCE, REDIS, tenant="a"), traits(SOURCE, REDIS)], True, id="one is known"),
        pytest.param([traits(SOURCE, REDIS, tenant="a"), traits(SOURCE, REDIS, tenant="b")], False, id="two are known"),
    ],
)
def test_groups(given: list[Traits], together: bool) -> None:
    found = groups(given)
    assert (len(set(found)) == 1) == together


def test_a_third_joins_no_two_tenants() -> None:
    found = groups(
        [traits(SOURCE, REDIS), traits(SOURCE, SECRET, tenant="b"), traits(SOURCE, SECRET, REDIS, tenant="a")]
    )
    assert found[0] == found[2] != found[1]


def test_many_are_grouped_quickly() -> None:
    many = [traits(("source", number // 20), ("secret", number // 20)) for number in range(20_000)]
    assert len(set(groups(many))) == 1000


TEXTS = {
    "CUBEJS_DB_TYPE": "mysql",
    "CUBEJS_DB_HOST": "127.0.0.1",
    "CUBEJS_DB_NAME": "shop",
    "CUBEJS_DB_USER": "reader",
    "CUBEJS_EXT_DB_TYPE": "mysql",
    "CUBEJS_EXT_DB_HOST": "192.0.2.1",
    "NODE_ENV": "production",
}


def instance(**changes: Any) -> seen.Instance:
    """Return a process with these settings, and a secret."""
    settings = {name: seen.Setting(seen.Value(text), seen.UNIT) for name, text in TEXTS.items()}
    settings["CUBEJS_API_SECRET"] = seen.Setting(seen.Value(None, "abc"), seen.UNIT)
    fields = {"settings": settings, "packages": seen.Packages(version="0.29.57"), **changes}
    return seen.Instance(name="x", running=True, found_by=(), manager=seen.SYSTEMD, **fields)


def host(**changes: Any) -> seen.Observation:
    """Return the host "one"."""
    return seen.Observation(seen.FORMAT, "one", "m", 0.0, privileged=True, addresses=("192.0.2.1",), **changes)


def of(each: seen.Instance, observation: seen.Observation) -> Traits:
    """Return a process's traits on the host "one"."""
    return attributing.of_instance(
        "one", each, observation, whereabouts(Fleet(), Live(observations={"one": observation}))
    )


def test_what_a_process_says() -> None:
    found = of(instance(), host())
    assert found.sources == (("settings", "mysql", "one", "3306", "shop", "reader"),)
    assert found.marks == (("secret", "abc"), ("storage", "one", "3306", "prod_pre_aggregations"))


def test_what_its_servers_say() -> None:
    redis = {"r": RedisSeen("", "node_redis", "127.0.0.1", 6379, 1, tls=False, run_id="run")}
    mysql = {"m": MysqlSeen("", "127.0.0.1", 3306, "reader", identity="server")}
    found = of(instance(redis="r", source="m", storage="m"), host(redis=redis, mysql=mysql))
    assert ("server", "server", "shop", "reader") in found.sources
    assert {("redis", "run", 1), ("redis", "one", 6379, 1), ("storage", "server", "prod_pre_aggregations")} <= set(
        found.marks
    )


@pytest.mark.parametrize(
    ("secret", "marks"),
    [
        pytest.param(seen.Value(None, "abc", ("it is empty",)), [], id="an empty secret is nobody's"),
        pytest.param(seen.Value(None, "abc"), [("secret", "abc")], id="a secret"),
    ],
)
def test_the_secret(secret: seen.Value, marks: list[Any]) -> None:
    each = instance(settings={"CUBEJS_API_SECRET": seen.Setting(secret, seen.UNIT)})
    assert list(of(each, host()).marks) == marks


def test_where_code_chooses_the_source_the_same_code_is_one() -> None:
    project = seen.Project("/p", schema_digest="d", schema_files=3)
    assert of(instance(settings={}, project=project), host()).sources == (("project", "d"),)
    assert of(instance(settings={}), host()).sources == ()


def test_a_planned_tenant_has_the_traits_of_its_processes(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet()
    where = whereabouts(fleet, Live(observations={"one": host()}))
    found = attributing.of_tenant(fleet.tenants[0], "one", where)
    assert found.tenant == "acme"
    assert found.sources == (("settings", "mysql", "db.example", "3306", "shop", "reader"),)
    assert ("redis", "one", 20001, 0) in found.marks
    assert ("storage", "one", "3306", "cube_acme") in found.marks
    assert any(mark[0] == "secret" for mark in found.marks)
