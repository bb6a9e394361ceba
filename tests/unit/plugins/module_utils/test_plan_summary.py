"""A plan's figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.memory import GIBIBYTE
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan_summary import summary

MakeTenant = Callable[..., dict[str, Any]]
SPREAD = {
    "cubejs_redis": ["one"],
    "cubejs_mysql": ["one"],
    "cubejs_api": ["two", "three"],
    "cubejs_refresh_worker": ["three"],
    "cubejs_nginx": ["one"],
}


def figures(made: Plan) -> dict[str, Any]:
    """Return the figures as a program that reads the file has them."""
    found: dict[str, Any] = json.loads(json.dumps(summary(made.fleet, made.findings)))
    return found


def test_a_tenant(make_plan: Callable[..., Plan], make_tenant: MakeTenant) -> None:
    found = figures(make_plan([make_tenant(api_instances=2, orchestrators=3)], groups=SPREAD))
    assert found["format"] == 1
    assert found["tenants"] == [
        {
            "name": "acme",
            "number": 1,
            "version": "0.29.57",
            "server_name": "cube.acme.example",
            "api": {"two": 2, "three": 2},
            "refresh_worker": "three",
            "proxies": ["one"],
            "ports": [10010, 10011],
            "sockets": 0,
            "orchestrators": 3,
            "wave": 1,
            "suspended": False,
            "redis": {
                "server": "one",
                "port": 20001,
                "index": 0,
                "kind": "own",
                "pool_max": 30,
                "need": 5 * 3 * 30,
                "maxclients": 5 * 3 * 30 + 100,
            },
            "mysql": {
                "server": "one",
                "port": 3306,
                "schema": "cube_acme",
                "kind": "own",
                "need": 5 * (3 * 8 + 2),
                "max_connections": 160,
            },
            "memory_bytes": None,
        }
    ]
    assert found["findings"] == []


def test_servers_and_hosts(make_plan: Callable[..., Plan], make_tenant: MakeTenant) -> None:
    shared = {"redis": {"shared": True}}
    tenants = [make_tenant(), make_tenant("beta", 2, **shared), make_tenant("corner", 3, **shared)]
    found = figures(make_plan(tenants, groups=SPREAD, cubejs_host_memory_bytes=8 * GIBIBYTE))
    assert [(each["name"], each["tenants"], each["maxclients"]) for each in found["redis"]] == [
        ("acme", ["acme"], 190),
        ("shared-by-tenants", ["beta", "corner"], 280),
    ]
    assert [(each["host"], each["tenants"]) for each in found["mysql"]] == [("one", ["acme", "beta", "corner"])]
    one, two, three = found["hosts"]
    assert (one["processes"], one["redis_instances"], one["memory_bytes"]) == (0, 2, 8 * GIBIBYTE)
    assert one["redis"]["limits_bytes"] == sum(each["maxmemory_bytes"] for each in found["redis"])
    assert one["mysql"]["share_bytes"] == found["mysql"][0]["memory_bytes"] > 0
    assert one["cubejs"] == {"share_bytes": None, "limits_bytes": 0}
    assert (two["processes"], three["processes"]) == (3, 6)
    assert three["cubejs"]["limits_bytes"] > two["cubejs"]["limits_bytes"] > 0
    assert [each["redis"]["maxclients"] for each in found["tenants"]] == [190, 280, 280]


def test_servers_that_are_given(make_plan: Callable[..., Plan], make_tenant: MakeTenant) -> None:
    keys = {
        "redis": {"host": "R.example", "index": 3, "maxclients": 200, "password": "Hf83kLw02mXoQz71RbVt"},
        "pre_aggregations": {"host": "m.example", "user": "u", "password": "Hf83kLw02mXoQz71RbVu"},
    }
    found = figures(make_plan([make_tenant(**keys)]))
    assert found["external"] == [
        {"kind": "redis", "host": "r.example", "port": 6379, "tenants": ["acme"], "need": 160, "allowed": 200},
        {"kind": "mysql", "host": "m.example", "port": 3306, "tenants": ["acme"], "need": 45, "allowed": None},
    ]
    (tenant,) = found["tenants"]
    assert (tenant["redis"]["kind"], tenant["redis"]["maxclients"]) == ("external", 200)
    assert (tenant["mysql"]["kind"], tenant["mysql"]["max_connections"]) == ("external", None)
    assert "Hf83k" not in json.dumps(found)


def test_what_a_tenant_does_without(make_plan: Callable[..., Plan], make_tenant: MakeTenant) -> None:
    keys = {"cache_and_queue_driver": "memory", "refresh_worker": False, "pre_aggregations": {"enabled": False}}
    (tenant,) = figures(make_plan([make_tenant(**keys)]))["tenants"]
    assert (tenant["redis"], tenant["mysql"], tenant["refresh_worker"], tenant["sockets"]) == (None, None, None, 1)


def test_findings_are_told_with_it(make_plan: Callable[..., Plan], make_tenant: MakeTenant) -> None:
    found = figures(make_plan([make_tenant(redis={"pool_max": 1})]))
    assert [each["rule"] for each in found["findings"]] == ["redis-pool-size"]
