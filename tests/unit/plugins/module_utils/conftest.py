"""Fleets and plans for the tests of what judges and makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import plan
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import GROUPS, Inventory

ROOT = Path(__file__).resolve().parents[4]
MASTER = "kD93hfLw02mXoQz71RbVtYc5NgUe8sAi"
SPEC = yaml.safe_load((ROOT / "roles/cubejs/meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
ADDRESSES = {"one": "192.0.2.1", "two": "192.0.2.2", "three": "192.0.2.3"}


def tenant(name: str = "acme", number: int = 1, **keys: Any) -> dict[str, Any]:
    """Return a tenant's definition that is right, with other keys put in or (None) taken out."""
    definition: dict[str, Any] = {
        "name": name,
        "number": number,
        "server_name": f"cube.{name}.example",
        "project": {"path": "projects/acme"},
        "database": {"type": "mysql", "host": "db.example", "name": "shop", "user": "reader", "password": "pw"},
    }
    definition.update(keys)
    return {key: value for key, value in definition.items() if value is not None}


def inventory(
    tenants: Sequence[Any] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    hosts: Mapping[str, Mapping[str, Any]] | None = None,
    **variables: Any,
) -> Inventory:
    """Return an inventory with everything on host "one", unless other groups and hosts are given."""
    groups = {name: ["one"] for name in GROUPS} if groups is None else groups
    shared = {
        "cubejs_tenants": [tenant()] if tenants is None else list(tenants),
        "cubejs_master_secret": MASTER,
        "inventory_dir": "/inventory",
        **variables,
    }
    names = dict.fromkeys(host for members in groups.values() for host in members)
    return Inventory(
        groups,
        {host: {**shared, "ansible_host": ADDRESSES.get(host, host), **(hosts or {}).get(host, {})} for host in names},
    )


def build(found: Inventory, missing: Sequence[str] = (), unread: Sequence[Finding] = ()) -> plan.Plan:
    """Return the plan of an inventory, on a controller that has every file but the missing ones."""
    return plan.build(
        found,
        {"cubejs": SPEC},
        fingerprint_key=b"key",
        ca_directory="/ca",
        exists=lambda path: path not in missing,
        unread=unread,
    )


@pytest.fixture
def make_plan() -> Callable[..., plan.Plan]:
    """Return a function from what `inventory` takes to the plan."""
    return lambda *arguments, **keys: build(inventory(*arguments, **keys))


@pytest.fixture
def make_inventory() -> Callable[..., Inventory]:
    """Return `inventory`."""
    return inventory


@pytest.fixture
def make_tenant() -> Callable[..., dict[str, Any]]:
    """Return `tenant`."""
    return tenant


@pytest.fixture
def plan_of() -> Callable[..., plan.Plan]:
    """Return `build`."""
    return build


@pytest.fixture
def spec() -> dict[str, Any]:
    """Return the options of the cubejs role."""
    return SPEC


@pytest.fixture
def make_fleet(make_plan: Callable[..., plan.Plan]) -> Callable[..., Fleet]:
    """Return a function from what `inventory` takes to the fleet."""
    return lambda *arguments, **keys: make_plan(*arguments, **keys).fleet


@pytest.fixture
def subjects(make_plan: Callable[..., plan.Plan]) -> Callable[..., list[tuple[str, str]]]:
    """Return a function from a rule's id, and what `inventory` takes, to its findings' subjects and severities."""

    def found(rule: str, *arguments: Any, **keys: Any) -> list[tuple[str, str]]:
        findings: tuple[Finding, ...] = make_plan(*arguments, **keys).findings
        return [(finding.subject, finding.severity) for finding in findings if finding.rule == rule]

    return found
