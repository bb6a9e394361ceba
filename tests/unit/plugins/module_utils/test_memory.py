"""Shares of memory."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import memory
from ansible_collections.cubeops.cubejs.plugins.module_utils.memory import GIBIBYTE, MEBIBYTE
from hypothesis import given
from hypothesis import strategies as st

ALL = ("cubejs", "mysql", "redis")


@given(st.integers(0, 2**45), st.sets(st.sampled_from(ALL), min_size=1))
def test_shares_never_exceed_the_host_and_leave_the_system_its_part(total: int, products: set[str]) -> None:
    shares = memory.shares(total, products)
    assert set(shares) == products
    assert sum(shares.values()) <= max(0, total - max(256 * MEBIBYTE, total // 10))


def test_a_share_does_not_depend_on_order_or_repetition() -> None:
    assert memory.shares(GIBIBYTE, ["redis", "cubejs"]) == memory.shares(GIBIBYTE, ["cubejs", "redis", "redis"])


def test_shares_of_a_host_with_everything() -> None:
    assert memory.shares(4 * GIBIBYTE, ALL) == {"cubejs": 2126008811, "mysql": 1159641170, "redis": 579820585}


def test_a_product_without_a_weight_is_an_error() -> None:
    with pytest.raises(KeyError):
        memory.shares(GIBIBYTE, ["cubestore"])


@pytest.mark.parametrize(
    ("kind", "share", "given_bytes", "limit"),
    [
        pytest.param("api", 2 * GIBIBYTE, None, 819 * MEBIBYTE, id="api: 40 %"),
        pytest.param("refresh_worker", 2 * GIBIBYTE, None, 1228 * MEBIBYTE, id="worker: 60 %"),
        pytest.param("api", 64 * GIBIBYTE, None, 3 * GIBIBYTE, id="api: at most upstream's 3 GB"),
        pytest.param("refresh_worker", 64 * GIBIBYTE, None, 6 * GIBIBYTE, id="worker: at most upstream's 6 GB"),
        pytest.param("api", 100 * MEBIBYTE, None, 160 * MEBIBYTE, id="never too small to start"),
        pytest.param("api", GIBIBYTE, 512 * MEBIBYTE, 512 * MEBIBYTE, id="given"),
    ],
)
def test_process_limits(kind: str, share: int, given_bytes: int | None, limit: int) -> None:
    found = memory.process_limit(kind, share, given_bytes)
    assert found.memory_bytes // MEBIBYTE == limit // MEBIBYTE
    assert found.heap_mb == found.memory_bytes * 3 // 4 // MEBIBYTE


def test_redis() -> None:
    assert memory.redis_maxmemory(100 * MEBIBYTE) == 50 * MEBIBYTE
    assert memory.redis_maxmemory(8 * GIBIBYTE) == 256 * MEBIBYTE
    assert memory.redis_maxmemory(GIBIBYTE, 7) == 7


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        pytest.param(12345, 12345, id="the plan's"),
        pytest.param(None, 579820585, id="the host's"),
    ],
)
def test_planned_share(stated: int | None, found: int) -> None:
    planned = {"products": list(ALL), "redis": {"redis_memory_bytes": stated}}
    assert memory.planned_share(4 * GIBIBYTE, "redis", planned) == found


def test_planned_share_of_a_product_elsewhere() -> None:
    with pytest.raises(KeyError):
        memory.planned_share(GIBIBYTE, "mysql", {"products": ["redis"]})


def test_a_host_with_a_sentinel_only_has_no_share_for_redis() -> None:
    planned = {"products": ["mysql"], "redis": {"redis_memory_bytes": None}}
    assert memory.planned_share(GIBIBYTE, "redis", planned) is None
