# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts' variables that a plan can be made from: those of a wrong type are told elsewhere, and left out here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.definitions import PLANNED, TENANTS
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import Inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.schema import UNSET, Checker, Options

# Variables of the collection that no role declares, as a specification would.
UNDECLARED: Options = {
    "cubejs_address": {"type": "str", "description": "Address under which other hosts reach this one."},
    "cubejs_host_memory_bytes": {"type": "int", "description": "The host's memory in bytes."},
}


def usable(inventory: Inventory, specs: Mapping[str, Options]) -> tuple[Inventory, tuple[Finding, ...]]:
    """Return the inventory without values of a wrong type, in whose place the default stands.

    The findings are those of the variables that no role declares.
    """
    options = {name: option for each in specs.values() for name, option in each.items()}
    undeclared = Checker()
    variables: dict[str, dict[str, Any]] = {}
    for host, values in inventory.variables.items():
        declared = {name: value for name, value in values.items() if _is_checked(name, value) and name in options}
        others = {name: value for name, value in values.items() if name in UNDECLARED and value is not None}
        variables[host] = {
            **values,
            **_checked(Checker(), options, declared),
            **_checked(undeclared, UNDECLARED, others),
        }
    return replace(inventory, variables=variables), tuple(dict.fromkeys(undeclared.findings))


def _is_checked(name: str, value: Any) -> bool:
    return value is not None and name != TENANTS and name not in PLANNED


def _checked(checker: Checker, options: Options, values: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: checker.value(options[name], value, name) for name, value in values.items()}
    return {name: None if value is UNSET else value for name, value in found.items()}
