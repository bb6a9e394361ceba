"""Templates that name a variable, answered as Ansible would answer them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.trust import as_data, trust_as_template
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.variable_names import held

VARIABLES = {
    "password": "s3cret",
    "number": 7,
    "nothing": None,
    "first": trust_as_template("{{ second }}"),
    "second": trust_as_template("{{password}}"),
    "more": trust_as_template("{{ password }}!"),
    "zones": [trust_as_template("{{ password }}")],
    "around": trust_as_template("{{ back }}"),
    "back": trust_as_template("{{ around }}"),
    "data": as_data("{{ password }}"),
    "none": "a variable",
}


@pytest.fixture(name="templar")
def templar_of_variables() -> Templar:
    """Return Ansible's own."""
    return Templar(loader=DataLoader(), variables=VARIABLES)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ password }}", "s3cret"),
        ("{{password}}", "s3cret"),
        ("{{- password -}}", "s3cret"),
        ("{{\n  password\n}}", "s3cret"),
        ("{{ number }}", 7),
        ("{{ nothing }}", None),
        ("{{ first }}", "s3cret"),
        ("{{ more }}", "{{ password }}!"),
        ("{{ zones }}", ["{{ password }}"]),
        ("{{ data }}", "{{ password }}"),
    ],
)
def test_what_a_variable_holds_stands_for_its_name(templar: Any, template: str, expected: Any) -> None:
    found = held(templar, trust_as_template(template))
    assert found == expected
    assert templar.template([found]) == templar.template([trust_as_template(template)])


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{{ unknown }}", id="no variable"),
        pytest.param("{{ none }}", id="what Jinja has a value for"),
        pytest.param("{{ password | upper }}", id="a filter"),
        pytest.param("{{ zones[0] }}", id="an item"),
        pytest.param("{{ password }}{{ password }}", id="two"),
        pytest.param(" {{ password }}", id="text before it"),
        pytest.param("{{ password }}\n", id="text behind it"),
        pytest.param("{{ around }}", id="names in a circle"),
        pytest.param("password", id="no template"),
    ],
)
def test_the_rest_is_left_to_ansible(templar: Any, template: str) -> None:
    assert held(templar, trust_as_template(template)) == template


@pytest.mark.parametrize("value", [None, 3, ["{{ password }}"], {"a": "{{ password }}"}, as_data("{{ password }}")])
def test_what_is_no_template_stays_what_it_is(templar: Any, value: Any) -> None:
    assert held(templar, value) is value
