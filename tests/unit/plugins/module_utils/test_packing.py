"""Values travel as one text and come out as they went in."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from hypothesis import given
from hypothesis import strategies as some

PLAIN = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text("{%#}\\\"'a\n\u00e9"),
    lambda inner: some.lists(inner) | some.dictionaries(some.text("{%#a"), inner),
)


@given(PLAIN)
def test_it_comes_out_as_it_went_in_and_holds_no_template(value: Any) -> None:
    text = packing.pack(value)
    assert packing.unpack(text) == value
    assert not any(pair in text for pair in ("{{", "{%", "{#"))


@pytest.mark.parametrize("value", ["", "acme", "[]", 1, None, ["a"], {"a": 1}])
def test_what_was_not_packed_is_left_as_it_is(value: Any) -> None:
    assert packing.unpack(value) is value


def test_it_is_found_within_arguments() -> None:
    rows = [{"name": "acme"}]
    given_arguments = {"files": [{"for_each": packing.pack(rows), "mode": None}], "items": {"rows": packing.pack(rows)}}
    assert packing.unpack_within(given_arguments) == {
        "files": [{"for_each": rows, "mode": None}],
        "items": {"rows": rows},
    }


def test_lists_of_dictionaries_are_packed_and_nothing_else() -> None:
    found = packing.pack_lists({"servers": [{"name": "acme"}], "names": ["acme"], "none": [], "port": 80})
    assert found == {"servers": packing.pack([{"name": "acme"}]), "names": ["acme"], "none": [], "port": 80}


def test_a_module_tells_of_many_how_many() -> None:
    given_arguments = {"users": [{"password": "x"}] * 21, "databases": ["a"] * 20, "port": 1}
    found = packing.told(given_arguments)["module_args"]
    assert found == {"users": "21 of them", "databases": ["a"] * 20, "port": 1}
