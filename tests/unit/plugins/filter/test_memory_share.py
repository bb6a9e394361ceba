"""The filter that shares a host's memory."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.filter.memory_share import FilterModule, memory_share

PLANNED = {"products": ["redis"], "redis": {"redis_memory_bytes": None}}


def test_the_plan_decides_and_else_the_host() -> None:
    assert memory_share(10 * 2**30, "redis", {**PLANNED, "redis": {"redis_memory_bytes": 5}}) == 5
    assert memory_share(10 * 2**30, "redis", PLANNED) == 9 * 2**30
    assert memory_share(None, "redis", {**PLANNED, "redis": {"redis_memory_bytes": 5}}) == 5
    assert memory_share(None, "redis", PLANNED) is None


def test_a_product_that_is_not_planned_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match="mysql"):
        memory_share(2**30, "mysql", PLANNED)


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"memory_share": memory_share}
