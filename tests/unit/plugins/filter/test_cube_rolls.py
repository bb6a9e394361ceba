"""The filter hands on what is rolled; that is tested where it is made."""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.filter.cube_rolls import FilterModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing


def test_numbers_that_come_as_text_are_taken() -> None:
    cube_rolls = FilterModule().filters()["cube_rolls"]
    given = [{"tenant": "acme", "wave": 1, "instances": []}, {"tenant": "bazaar", "wave": 2, "instances": []}]
    assert [each["tenant"] for each in packing.unpack(cube_rolls(given, ["1", "2"], "2"))] == ["bazaar"]
    assert len(packing.unpack(cube_rolls(packing.pack(given)))) == 2
    assert cube_rolls(given, [1, 2, 3], 3) == []
