"""Variables of a wrong type stop no plan from being made, and are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import plan
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import Inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.usable_variables import usable

ROLES = Path(__file__).resolve().parents[4] / "roles"
SPECS = {
    role: yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    for role in ("redis", "mysql", "cubejs", "nginx", "firewall")
}
NAMES = sorted({name for options in SPECS.values() for name in options} | {"cubejs_host_memory_bytes"})


@pytest.mark.parametrize(
    ("value", "used"),
    [
        pytest.param(8080, 8080, id="right"),
        pytest.param("8080", 8080, id="a number as text"),
        pytest.param("http", 80, id="wrong: the default"),
        pytest.param(None, None, id="not set"),
    ],
)
def test_a_declared_variable(value: Any, used: Any, make_inventory: Callable[..., Inventory]) -> None:
    found, findings = usable(make_inventory(nginx_http_port=value), SPECS)
    assert found.variables["one"]["nginx_http_port"] == used
    assert findings == (), "definitions.py tells it"


def test_one_that_no_role_declares_is_told_once(make_inventory: Callable[..., Inventory]) -> None:
    groups = {"cubejs_api": ["one", "two"]}
    found, findings = usable(make_inventory(groups=groups, cubejs_host_memory_bytes="8 GB"), SPECS)
    assert found.variables["two"]["cubejs_host_memory_bytes"] is None
    assert [(each.rule, each.subject) for each in findings] == [("value-type", "cubejs_host_memory_bytes")]


@pytest.mark.parametrize("value", ["abc", ["a"], {"a": 1}, -1], ids=["text", "list", "dictionary", "negative"])
@pytest.mark.parametrize("name", NAMES)
def test_no_variable_keeps_the_plan_from_being_made(
    name: str, value: Any, make_inventory: Callable[..., Inventory]
) -> None:
    made = plan.build(
        make_inventory(**{name: value}),
        SPECS,
        fingerprint_key=b"key",
        ca_directory="/ca",
        exists=lambda _path: True,
    )
    assert all(finding.subject for finding in made.findings)
