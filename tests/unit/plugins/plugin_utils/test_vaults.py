"""The values behind references, out of an inventory's own words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.trust import trust_as_template
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.vaults import vault

MASTER = "kD93hfLw02mXoQz71RbVtYc5NgUe8sAi"
PASSWORD = trust_as_template("{{ opened }}")


def made(tmp_path: Path, **variables: Any) -> secrets.Vault:
    """Return the vault of some variables."""
    known = {"opened": "given", "cubejs_master_secret": MASTER, "inventory_dir": str(tmp_path), **variables}
    loader = DataLoader()
    return vault(loader, Templar(loader=loader, variables=known), known)


@pytest.mark.parametrize(
    "tenants",
    [
        pytest.param([{"name": "acme", "redis": {"password": PASSWORD}}], id="a value"),
        pytest.param(trust_as_template("{{ [{'name': 'acme', 'redis': {'password': opened}}] }}"), id="the list"),
        pytest.param([trust_as_template("{{ {'name': 'acme', 'redis': {'password': opened}} }}")], id="a tenant"),
        pytest.param([{"name": trust_as_template("{{ 'acme' }}"), "redis": {"password": PASSWORD}}], id="a name"),
    ],
)
def test_what_is_a_template_is_rendered(tmp_path: Path, tenants: Any) -> None:
    assert made(tmp_path, cubejs_tenants=tenants).value("acme/redis_password/0") == "given"


def test_tenants_of_the_folder_are_known(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants/acme.json").write_text(json.dumps({"redis": {"password": "{{ opened }}"}}))
    found = made(tmp_path, cubejs_tenants_dir="tenants", cubejs_tenants=[{"name": "bazaar"}])
    assert found.value("acme/redis_password/0") == "given"
    assert found.value("bazaar/redis_password/0") == secrets.derive(MASTER, "redis_password", "bazaar", 0)
    assert len(found.tenants) == 2


@pytest.mark.parametrize("plan", ["cubejs_plan", "__cubejs_plan"])
def test_no_definition_is_looked_at_for_what_none_gives(tmp_path: Path, plan: str) -> None:
    """Nor is a folder that cannot be read."""
    found = made(tmp_path, **{plan: {"hosts": {}, "stated": ["acme/database_password/0"]}}, cubejs_tenants_dir="none")
    assert found.value("acme/redis_password/1") == secrets.derive(MASTER, "redis_password", "acme", 1)
    with pytest.raises(secrets.SecretError, match="has no tenant 'acme'"):
        found.value("acme/database_password/0")


def test_without_a_plan_definitions_say(tmp_path: Path) -> None:
    tenants = [{"name": "acme", "redis": {"password": "stated"}}]
    assert made(tmp_path, cubejs_tenants=tenants).value("acme/redis_password/0") == "stated"
