"""Pools against what was measured."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import pools
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("in_flight", "size", "measured"),
    [
        pytest.param(1, 12, 4, id="1 in flight"),
        pytest.param(10, 30, 25, id="10 in flight"),
        pytest.param(50, 110, 105, id="50 in flight"),
    ],
)
def test_a_pool_holds_what_was_measured(in_flight: int, size: int, measured: int) -> None:
    assert pools.redis_pool(in_flight) == size >= measured


@pytest.mark.parametrize("in_flight", [0, -5])
def test_no_pool_is_smaller_than_ten(in_flight: int) -> None:
    assert pools.redis_pool(in_flight) == 10


@pytest.mark.parametrize(
    ("pool_max", "need"),
    [
        pytest.param(None, 180, id="derived"),
        pytest.param(0, 180, id="on demand: the queries bound it"),
        pytest.param(1000, 6000, id="given"),
    ],
)
def test_need_multiplies_by_processes_and_orchestrators(pool_max: int | None, need: int) -> None:
    assert pools.redis_need(10, pool_max, processes=3, orchestrators=2) == need


def test_maxclients() -> None:
    assert pools.maxclients(60) == 160
    assert pools.maxclients(60, others=7) == 167
    assert pools.maxclients(-1000) == 15


@given(st.integers(0, 10**4), st.integers(1, 100), st.integers(1, 100), st.integers(1, 100))
def test_more_of_anything_never_needs_fewer(in_flight: int, processes: int, orchestrators: int, more: int) -> None:
    need = pools.redis_need(in_flight, None, processes, orchestrators)
    assert pools.redis_need(in_flight + more, None, processes, orchestrators) >= need
    assert pools.redis_need(in_flight, None, processes + more, orchestrators) > need
    assert pools.redis_need(in_flight, None, processes, orchestrators + more) > need
    assert pools.maxclients(need) >= need + 100


@pytest.mark.parametrize(
    ("client", "need"),
    [
        pytest.param(pools.MysqlClient(2, 1), 20, id="two processes"),
        pytest.param(pools.MysqlClient(2, 1, source=True), 40, id="source on the same server"),
        pytest.param(pools.MysqlClient(2, 3), 52, id="orchestrators"),
        pytest.param(pools.MysqlClient(1, 1, pool_max=20), 22, id="larger pool"),
    ],
)
def test_mysql(client: pools.MysqlClient, need: int) -> None:
    assert client.need == need
    assert pools.mysql_need([client, client]) == 2 * need + 25


@pytest.mark.parametrize(
    ("need", "connections"),
    [
        pytest.param(45, 151, id="never below the server's default"),
        pytest.param(151, 151, id="the default"),
        pytest.param(152, 160, id="more"),
        pytest.param(160, 160, id="a step"),
        pytest.param(2449, 2560, id="of many tenants"),
    ],
)
def test_max_connections(need: int, connections: int) -> None:
    assert pools.max_connections(need) == connections


def test_most_tenants_more_leave_max_connections_as_they_are() -> None:
    limits = [pools.max_connections(pools.mysql_need([pools.MysqlClient(2, 1)] * count)) for count in range(1, 301)]
    assert limits == sorted(limits)
    assert len(set(limits)) < 45
    needs = (*range(1, 5000), 10**5, 10**6 + 1)
    assert all(need <= pools.max_connections(need) <= max(151, need * 9 / 8 + 1) for need in needs)


@pytest.mark.parametrize(
    ("opened", "queries"),
    [
        pytest.param(0, 0, id="none"),
        pytest.param(5, 0, id="idle"),
        pytest.param(6, 1, id="half of what a query takes"),
        pytest.param(25, 10, id="as measured with ten"),
        pytest.param(105, 50, id="as measured with fifty"),
    ],
)
def test_what_is_in_flight(opened: int, queries: int) -> None:
    assert pools.in_flight(opened) == queries
    assert pools.redis_pool(queries) >= opened


@pytest.mark.parametrize(("sentinels", "quorum"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_quorum_is_more_than_half(sentinels: int, quorum: int) -> None:
    assert pools.quorum(sentinels) == quorum
