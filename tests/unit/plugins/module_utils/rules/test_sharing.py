"""Rules on servers that tenants share: pass and fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
SHARED = {"redis": {"shared": True}}
EXTERNAL = {"host": "redis.example", "password": "Hf83kLw02mXoQz71RbVt"}


def test_indexes_of_one_server_are_called_what_they_are(subjects: Subjects, make_tenant: MakeTenant) -> None:
    rule = "redis-index-shared-server"
    assert subjects(rule, [make_tenant(**SHARED), make_tenant("beta", 2, **SHARED)]) == [
        ("cubejs_shared_redis", "info")
    ]
    assert subjects(rule, [make_tenant(**SHARED), make_tenant("beta", 2)]) == []
    outside = [
        make_tenant(name, number, redis={**EXTERNAL, "index": number}) for number, name in enumerate(("a", "b"), 1)
    ]
    assert subjects(rule, outside) == [("cubejs_tenants[a].redis", "info")]


def test_a_shared_keyspace_is_refused_on_our_own_server_too(subjects: Subjects, make_tenant: MakeTenant) -> None:
    rule = "redis-shared-by-tenants"
    same = {"redis": {"shared": True, "index": 7}}
    assert subjects(rule, [make_tenant(**same), make_tenant("beta", 2, **same)]) == [
        ("cubejs_tenants[beta].redis", "critical")
    ]
    assert subjects(rule, [make_tenant(**SHARED), make_tenant("beta", 2, **SHARED)]) == []


def test_only_ours_can_be_shared(subjects: Subjects, make_tenant: MakeTenant) -> None:
    outside = make_tenant(redis={"shared": True, "host": "redis.example"})
    assert subjects("redis-shared-host", [outside]) == [("cubejs_tenants[acme].redis.shared", "error")]
    assert subjects("redis-shared-host", [make_tenant(redis={"shared": True, "host": "one"})]) == []


@pytest.mark.parametrize(
    ("section", "keys", "limit", "enough"),
    [
        pytest.param("redis", {"index": 1}, "maxclients", 2 * 60 + 100, id="Redis: 2 tenants, 2 processes of 30 each"),
        pytest.param(
            "pre_aggregations", {"user": "u"}, "max_connections", 2 * 20 + 25, id="MySQL: 2 tenants, 2 processes of 10"
        ),
    ],
)
def test_external_servers_hold_the_pools_of_all_their_tenants(
    section: str, keys: dict[str, Any], limit: str, enough: int, subjects: Subjects, make_tenant: MakeTenant
) -> None:
    def found(allowed: int | None) -> list[tuple[str, str]]:
        given = {"password": EXTERNAL["password"], **keys, limit: allowed}
        first = make_tenant(**{section: {**given, "host": "s.example"}})
        second = make_tenant("beta", 2, **{section: {**given, "host": "S.example"}})
        return subjects("external-connections", [first, second])

    assert found(enough - 1) == [(f"cubejs_tenants[acme].{section}.{limit}", "error")]
    assert found(enough) == found(None) == []


def test_a_host_holds_its_redis_instances(subjects: Subjects, make_tenant: MakeTenant) -> None:
    tenants = [make_tenant(f"t{number}", number) for number in range(1, 12)]
    rule, mebibyte = "redis-memory-suffices", 2**20
    assert subjects(rule, tenants, redis_memory_bytes=175 * mebibyte) == [("cubejs_host_memory_bytes", "error")]
    assert subjects(rule, tenants, redis_memory_bytes=176 * mebibyte) == []
    assert subjects(rule, tenants) == []
    sharing = [{**tenant, **SHARED} for tenant in tenants]
    assert subjects(rule, sharing, redis_memory_bytes=16 * mebibyte) == []
