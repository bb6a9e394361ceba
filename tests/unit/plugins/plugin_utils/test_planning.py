"""The plan from within a task; what it makes of an inventory is tested with the action."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import Inventory
from ansible_collections.cubeops.cubejs.plugins.plugin_utils import planning


@pytest.mark.parametrize(
    ("groups", "planned"),
    [
        pytest.param({"all": ["one"], "cubejs_api": ["one"]}, True, id="a host in a group"),
        pytest.param({"all": ["one"], "cubejs_api": []}, False, id="an empty group"),
        pytest.param({"all": ["one"]}, False, id="no group"),
    ],
)
def test_an_inventory_is_planned_by_its_groups(groups: dict[str, Any], planned: bool) -> None:
    assert planning.is_planned({"groups": groups}) is planned


def test_the_ca_directory_follows_the_users_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert planning.ca_directory() == "/data/cubeops/ca"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert planning.ca_directory() == "/home/me/.local/share/cubeops/ca"


def test_every_role_with_a_specification_is_checked() -> None:
    assert "cubejs_tenants" in planning.specifications()["cubejs"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(None, [4], id="nothing in the inventory"),
        pytest.param([7], [7, 4], id="numbers in the inventory"),
        pytest.param("7", "7", id="no list, which the specification says"),
    ],
)
def test_the_record_of_tenants_that_are_gone_counts(given: Any, expected: Any, tmp_path: Path) -> None:
    (tmp_path / "cubejs_retired.txt").write_text("4 umbrella 2026-11-28\nrubbish\n")
    variables = {"inventory_dir": str(tmp_path), "cubejs_retired_numbers": given}
    inventory = Inventory({"cubejs_api": ["one"]}, {"one": variables})
    found, [problem] = planning.with_retired(inventory)
    assert found.variable("one", "cubejs_retired_numbers") == expected
    assert problem.subject == "cubejs_retired_file"
    assert inventory.variables["one"] == variables, "what was read was changed"


def test_the_record_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").write_text("5 wayne\n")
    variables = {"inventory_dir": "/inventory", "cubejs_retired_file": str(tmp_path / "gone.txt")}
    found, problems = planning.with_retired(Inventory({"cubejs_api": ["one"]}, {"one": variables}))
    assert found.variable("one", "cubejs_retired_numbers") == [5]
    assert not problems


def test_without_a_record_nothing_changes() -> None:
    inventory = Inventory({"cubejs_api": ["one"]}, {"one": {"inventory_dir": "/nowhere"}})
    assert planning.with_retired(inventory) == (inventory, ())
