"""The filter, as a template calls it."""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.filter.unpacked import FilterModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing


def test_a_list_comes_back_whether_it_was_packed_or_not() -> None:
    unpacked = FilterModule().filters()["unpacked"]
    rows = [{"name": "acme"}]
    assert unpacked(packing.pack(rows)) == unpacked(rows) == rows
