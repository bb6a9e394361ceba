"""Dataclasses to plain data and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Optional

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.plain_data import PlainDataError, decode, encode


@dataclass(frozen=True)
class Inner:
    """A class that leaves out its defaults."""

    OMITS_DEFAULTS: ClassVar[bool] = True

    name: str
    note: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    """A class of every kind of field."""

    count: int
    share: float
    on: bool
    inner: Inner
    maybe: Optional[Inner] = None
    many: tuple[Inner, ...] = ()
    by_name: Mapping[str, Inner] = field(default_factory=dict)


FULL = Outer(1, 0.5, on=True, inner=Inner("a"), maybe=Inner("b", "n"), many=(Inner("c"),), by_name={"d": Inner("d")})
DATA = {
    "count": 1,
    "share": 0.5,
    "on": True,
    "inner": {"name": "a"},
    "maybe": {"name": "b", "note": "n"},
    "many": [{"name": "c"}],
    "by_name": {"d": {"name": "d"}},
}


def test_there_and_back() -> None:
    assert encode(FULL) == DATA
    assert decode(Outer, DATA, "it") == FULL


def test_a_whole_number_is_a_number_and_none_is_none() -> None:
    found = decode(Outer, {**DATA, "share": 2, "maybe": None}, "it")
    assert (found.share, found.maybe) == (2.0, None)
    assert isinstance(found.share, float)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"count": "1"}, "it.count is a str, not a whole number", id="text for a number"),
        pytest.param({"count": True}, "it.count is a bool, not a whole number", id="switch for a number"),
        pytest.param({"on": 1}, "it.on is a int, not true or false", id="number for a switch"),
        pytest.param({"inner": None}, r"it.inner is null, not a dictionary \(Inner\)", id="nothing for a class"),
        pytest.param({"many": {}}, "it.many is a dict, not a list", id="dictionary for a list"),
        pytest.param({"many": [{"name": "a"}, {}]}, r"it.many\[1\].name is missing", id="place in a list"),
        pytest.param({"by_name": []}, "it.by_name is a list, not a dictionary", id="list for a dictionary"),
        pytest.param({"by_name": {"x": {"name": 1}}}, "it.by_name.x.name is a int, not a text", id="place in it"),
        pytest.param({"new": 1}, "it.new is no field of Outer", id="unknown field"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(PlainDataError, match=said):
        decode(Outer, {**DATA, **changes}, "it")


def test_all_problems_are_told_at_once_but_not_without_end() -> None:
    with pytest.raises(PlainDataError, match=r"it.share is missing; it.on is missing; it.inner is missing"):
        decode(Outer, {"count": 1}, "it")
    with pytest.raises(PlainDataError, match=r"and 80 more$"):
        decode(Outer, {**DATA, "many": [1] * 100}, "it")
