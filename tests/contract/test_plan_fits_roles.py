"""What the plan hands to the roles is what their specifications take, key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import plan, schema, secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import GROUPS, Inventory
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import MASTER

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("redis", "mysql", "cubejs", "nginx", "firewall")
TENANT = {
    "name": "acme",
    "number": 1,
    "server_name": "cube.acme.example",
    "project": {"path": "/srv/acme"},
    "redis": {"tls": True, "settings": {"timeout": 0}},
    "certificate": {"source": "provided", "certificate_path": "/c", "key_path": "/k"},
    "database": {"type": "mysql", "host": "db.example", "name": "shop", "user": "reader", "password": "pw"},
}


def options(role: str) -> dict[str, Any]:
    """Return the options of a role's main entry point."""
    document = yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text())
    found: dict[str, Any] = document["argument_specs"]["main"]["options"]
    return found


def planned(role: str) -> dict[str, Any]:
    """Return a role's variables from a plan, secrets revealed."""
    variables = {"one": {"cubejs_tenants": [TENANT], "cubejs_master_secret": MASTER, "inventory_dir": "/"}}
    made = plan.build(
        Inventory({name: ["one"] for name in GROUPS}, variables),
        {"cubejs": options("cubejs")},
        fingerprint_key=b"key",
        ca_directory="/ca",
        exists=lambda _path: True,
    )
    assert [finding.rule for finding in made.findings] == ["redis-sentinel-open"]
    found: dict[str, Any] = secrets.Vault.of([TENANT], MASTER).reveal(made.data["hosts"]["one"][role])
    return found


@pytest.mark.parametrize("role", ROLES)
def test_a_role_takes_what_the_plan_hands_to_it(role: str) -> None:
    checker = schema.Checker()
    checker.options(options(role), planned(role), "")
    assert [finding.text() for finding in checker.findings] == []


def test_the_redis_role_takes_a_replicated_redis() -> None:
    tenant = {**TENANT, "redis": {"sentinel": True}}
    given = {"cubejs_tenants": [tenant], "cubejs_master_secret": MASTER, "inventory_dir": "/"}
    hosts = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    made = plan.build(
        Inventory(dict.fromkeys(GROUPS, hosts), dict.fromkeys(hosts, given)),
        {"cubejs": options("cubejs")},
        fingerprint_key=b"key",
        ca_directory="/ca",
        exists=lambda _path: True,
    )
    assert [finding.rule for finding in made.findings] == ["redis-sentinel-open"]
    for host in hosts:
        found = secrets.Vault.of([tenant], MASTER).reveal(made.data["hosts"][host]["redis"])
        checker = schema.Checker()
        checker.options(options("redis"), found, "")
        assert [finding.text() for finding in checker.findings] == []
        assert [each["name"] for each in found["redis_sentinel_watched"]] == ["acme"]


@pytest.mark.parametrize("role", ROLES)
def test_a_playbook_hands_over_what_is_planned(role: str) -> None:
    handed = yaml.safe_load((ROOT / "playbooks" / "vars" / f"{role}.yml").read_text())
    assert not [name for name in planned(role) if name not in handed]
    for play in ("packages", role):
        assert f"../vars/{role}.yml" in (ROOT / "playbooks" / "plays" / f"{play}.yml").read_text()
