"""Servers that are given: who uses them, and what of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import MYSQL, REDIS, Endpoint, Fleet

MakeTenant = Callable[..., dict[str, Any]]
STORAGE = {"host": "mysql.example", "user": "u", "password": "Hf83kLw02mXoQz71RbVt"}


def test_ours_are_none(make_fleet: Callable[..., Fleet]) -> None:
    assert make_fleet().endpoints == ()


def test_a_server_is_one_however_many_use_it(make_fleet: Callable[..., Fleet], make_tenant: MakeTenant) -> None:
    tenants = [
        make_tenant(redis={"host": "r.example", "index": 1}, pre_aggregations=STORAGE),
        make_tenant("beta", 2, redis={"url": "redis://R.example/2", "maxclients": 900}, max_in_flight=20),
        make_tenant("corner", 3, redis={"host": "r.example", "index": 3, "maxclients": 500}, orchestrators=4),
    ]
    assert make_fleet(tenants).endpoints == (
        Endpoint(
            REDIS,
            "r.example",
            6379,
            ("acme", "beta", "corner"),
            2 * 30 + 2 * 50 + 2 * 4 * 30 + 100,
            500,
            "cubejs_tenants[corner].redis.maxclients",
        ),
        Endpoint(
            MYSQL,
            "mysql.example",
            3306,
            ("acme",),
            2 * 10 + 25,
            None,
            "cubejs_tenants[acme].pre_aggregations.max_connections",
        ),
    )
