"""Values against a specification."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import schema
from hypothesis import given, settings
from hypothesis import strategies as st

OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True, "description": "Name of it. More."},
    "count": {"type": "int", "default": 3, "description": ["Whole number."]},
    "flag": {"type": "bool", "default": False},
    "ratio": {"type": "float"},
    "mode": {"type": "str", "choices": ["a", "b"], "default": "a"},
    "anything": {"type": "raw"},
    "secret": {"no_log": True},
    "list": {"type": "list", "elements": "str", "default": []},
    "children": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str"}, "password": {"no_log": True}, "size": {"type": "int", "default": 1}},
    },
    "nested": {"type": "dict", "default": {}, "options": {"deep": {"type": "bool", "default": True}}},
}


def check(**values: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    checker = schema.Checker()
    checked = checker.options(OPTIONS, {"name": "n", **values}, "top")
    return checked, [(finding.subject, finding.rule) for finding in checker.findings]


def test_defaults_are_filled_in_at_every_level() -> None:
    checked, findings = check(children=[{"name": "c"}])
    assert not findings
    assert checked == {
        "name": "n",
        "count": 3,
        "flag": False,
        "ratio": None,
        "mode": "a",
        "anything": None,
        "secret": None,
        "list": [],
        "children": [{"name": "c", "password": None, "size": 1}],
        "nested": {"deep": True},
    }


@pytest.mark.parametrize(
    ("key", "value", "converted"),
    [
        pytest.param("count", "7", 7, id="number as a text, as -e gives it"),
        pytest.param("count", "-7", -7, id="negative"),
        pytest.param("flag", "yes", True, id="yes"),
        pytest.param("flag", "False", False, id="False"),
        pytest.param("ratio", 1, 1.0, id="whole ratio"),
        pytest.param("list", ("a", "b"), ["a", "b"], id="tuple"),
        pytest.param("anything", 0.29, 0.29, id="raw"),
        pytest.param("count", None, 3, id="null is the default"),
    ],
)
def test_values_are_converted(key: str, value: Any, converted: Any) -> None:
    checked, findings = check(**{key: value})
    assert not findings
    assert checked[key] == converted
    assert type(checked[key]) is type(converted)


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        pytest.param({"count": "many"}, ("top.count", "value-type"), id="text for a number"),
        pytest.param({"count": True}, ("top.count", "value-type"), id="switch for a number"),
        pytest.param({"count": 1.5}, ("top.count", "value-type"), id="fraction"),
        pytest.param({"flag": "maybe"}, ("top.flag", "value-type"), id="no switch"),
        pytest.param({"name": 5}, ("top.name", "value-type"), id="number for a text"),
        pytest.param({"name": ""}, None, id="an empty text is one"),
        pytest.param({"list": "a,b"}, ("top.list", "value-type"), id="text for a list"),
        pytest.param({"list": ["a", 1]}, ("top.list[1]", "value-type"), id="element"),
        pytest.param({"nested": []}, ("top.nested", "value-type"), id="list for a dictionary"),
        pytest.param({"mode": "c"}, ("top.mode", "value-choice"), id="choice"),
        pytest.param({"name": None}, ("top.name", "value-required"), id="required"),
        pytest.param({"cuont": 1}, ("top.cuont", "unknown-key"), id="unknown key"),
        pytest.param({"nested": {"dep": 1}}, ("top.nested.dep", "unknown-key"), id="unknown key below"),
        pytest.param({"children": [{"name": "c", "size": []}]}, ("top.children[c].size", "value-type"), id="by name"),
        pytest.param({"children": [{"size": []}]}, ("top.children[0].size", "value-type"), id="by place"),
        pytest.param({"children": [{"name": 5}]}, ("top.children[0].name", "value-type"), id="by place: no name"),
        pytest.param({"children": ["c"]}, ("top.children[0]", "value-type"), id="no dictionary"),
        pytest.param({"secret": ["s"]}, ("top.secret", "value-type"), id="a secret is a text"),
    ],
)
def test_findings(values: dict[str, Any], finding: tuple[str, str] | None) -> None:
    assert check(**values)[1] == ([finding] if finding else [])


def test_what_is_wrong_is_left_at_its_default_so_that_the_rest_can_be_judged() -> None:
    checked, findings = check(count="many", mode="c", nested="no", cuont=1)
    assert len(findings) == 4
    assert (checked["count"], checked["mode"], checked["nested"]) == (3, "a", {"deep": True})
    assert "cuont" not in checked


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        pytest.param({"cuont": 1}, "Did you mean count?", id="nearest"),
        pytest.param({"zzzzzz": 1}, "Known keys: anything, children", id="none near"),
        pytest.param({"name": 5}, "Put it in quotes", id="quotes"),
        pytest.param({"list": "a,b"}, "Write a list: [a,b]", id="list"),
        pytest.param({"count": "many"}, "Write a whole number: Whole number", id="what it is"),
        pytest.param({"mode": "c"}, "Use one of a, b", id="choices"),
        pytest.param({"name": None}, "Set it: Name of it", id="missing"),
    ],
)
def test_remedies(values: dict[str, Any], remedy: str) -> None:
    checker = schema.Checker()
    checker.options(OPTIONS, {"name": "n", **values}, "top")
    assert checker.findings[0].remedy.startswith(remedy)


@pytest.mark.parametrize("value", [["MARKED"], {"MARKED": 1}, 3.14159, True], ids=lambda value: type(value).__name__)
def test_secrets_are_masked_whatever_they_are(value: Any) -> None:
    checker = schema.Checker()
    checker.options(OPTIONS, {"name": "n", "secret": value, "children": [{"password": value}]})
    assert len(checker.findings) == 2
    assert not [finding for finding in checker.findings if "MARKED" in finding.text() or "3.14" in finding.text()]


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
KEYS = st.text("abcde", max_size=3)


def test_a_secret_that_is_no_choice_is_masked() -> None:
    checker = schema.Checker()
    checker.value({"no_log": True, "choices": ["a"]}, "MARKED", "secret")
    assert [finding.message for finding in checker.findings] == ["<masked> is not allowed"]
    checker.value({"choices": ["a"]}, "b", "mode")
    assert checker.findings[1].message == "'b' is not allowed"


@settings(max_examples=40)
@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)))
def test_any_value_is_checked_without_failing(value: Any) -> None:
    checker = schema.Checker()
    assert set(checker.options(OPTIONS, dict.fromkeys(OPTIONS, value), "top")) <= set(OPTIONS)
    checker.value({"type": "dict", "options": OPTIONS}, value, "top")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        pytest.param("sever_name", "server_name", id="a letter missing"),
        pytest.param("qqqq", None, id="nothing alike"),
    ],
)
def test_nearest(name: str, near: str | None) -> None:
    assert schema.nearest(name, ["server_name", "number"]) == near
