"""Open files of a process."""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.module_utils import descriptors


def test_need_is_the_sum_of_connections_and_clients() -> None:
    assert descriptors.need(110, 36, 50) == 110 + 36 + 2 * 50 + 64
    assert descriptors.need(0, 0, 0) == 64
