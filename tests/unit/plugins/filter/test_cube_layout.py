"""The filter hands on what the layout is; its rows are tested where they are made."""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.filter.cube_layout import FilterModule


def test_numbers_that_come_as_text_are_taken() -> None:
    cube_layout = FilterModule().filters()["cube_layout"]
    assert cube_layout([], "1024", "www-data", "252") == cube_layout([], None, "www-data", 252)
    assert set(cube_layout([], None, "www-data", 252)) == {"kinds", "drop_ins", "users"}
