"""The plan from within a task; what it makes of an inventory is tested with the action."""

from __future__ import annotations

from typing import Any

import pytest
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
