# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan of an inventory from within a task: for the actions that apply it and that judge it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail
from ansible_collections.cubeops.cubejs.plugins.module_utils import definitions, findings, plan, retired, secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import GROUPS, Inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.schema import Options
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.inventory_reading import HostReader
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.tenant_files import DIRECTORY

COLLECTION = Path(__file__).resolve().parents[2]
ROLES = COLLECTION / "roles"
# A tenth of the time of the one in Python: 0.2 s of every run.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Planned:
    """A plan, and the inventory that it is made from."""

    plan: plan.Plan
    inventory: Inventory

    @property
    def retired_file(self) -> Path:
        """Return where the tenants that are gone are on record."""
        return retired_file(self.inventory)

    @property
    def vault(self) -> secrets.Vault:
        """Return the values behind the plan's references."""
        tenants, master = (_first(self.inventory, name) for name in (definitions.TENANTS, definitions.MASTER))
        known = [tenant for tenant in tenants if isinstance(tenant, Mapping)] if isinstance(tenants, list) else []
        return secrets.Vault.of(known, str(master) if master is not None else None)


def make(
    loader: Any,
    task_vars: dict[str, Any],
    *,
    by_groups: bool,
    fingerprint_key: bytes | None = None,
    leaving: str = "",
) -> Planned:
    """Return the plan of the inventory, whatever is wrong with it.

    by_groups: hosts must be in the collection's groups, else the task's own host runs everything. fingerprint_key: of
    the secrets' fingerprints; without one it follows from the master secret. leaving: a host that the plan is made
    without. Raises AnsibleActionFail without hosts.
    """
    specs = specifications()
    inventory, unread = read_inventory(loader, task_vars, specs, by_groups=by_groups)
    inventory = inventory.without(leaving) if leaving else inventory
    inventory, strange = with_retired(inventory)
    made = plan.build(
        inventory,
        specs,
        fingerprint_key=fingerprint_key or _fingerprint_key(inventory),
        ca_directory=ca_directory(),
        exists=os.path.exists,
        unread=(*unread, *strange),
    )
    return Planned(made, inventory)


def retired_file(inventory: Inventory) -> Path:
    """Return the record of the tenants that are gone; a relative path starts in the inventory's folder."""
    given = _first(inventory, retired.VARIABLE) or retired.FILE
    return Path(str(_first(inventory, "inventory_dir") or "")) / str(given)


def with_retired(inventory: Inventory) -> tuple[Inventory, tuple[findings.Finding, ...]]:
    """Return the inventory with the numbers that are on record, and what is wrong with the record."""
    path = retired_file(inventory)
    if not inventory.hosts() or not path.is_file():
        return inventory, ()
    numbers, problems = retired.numbers(path.read_text(encoding="utf-8", errors="replace"))
    first = inventory.hosts()[0]
    listed = inventory.variable(first, definitions.RETIRED)
    # What is no list is told by the specification.
    together = [*listed, *numbers] if isinstance(listed, list) else list(numbers) if listed is None else listed
    own = {**inventory.variables.get(first, {}), definitions.RETIRED: together}
    return replace(inventory, variables={**inventory.variables, first: own}), problems


def is_planned(task_vars: Mapping[str, Any]) -> bool:
    """Return whether the inventory places anything: any host is in one of the collection's groups."""
    return any(task_vars["groups"].get(name) for name in GROUPS)


def specifications() -> dict[str, Options]:
    """Return role -> the options of its argument_specs."""
    found: dict[str, Options] = {}
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 a safe loader, in C
        found[path.parents[1].name] = document["argument_specs"]["main"]["options"]
    return found


def read_inventory(
    loader: Any, task_vars: dict[str, Any], specs: dict[str, Options], *, by_groups: bool
) -> tuple[Inventory, list[findings.Finding]]:
    """Return what the plan is made from, and what of it cannot be templated.

    The groups are those of the inventory, whatever --limit leaves of the play. Without any of
    them the role is used alone, and its plan is that of its own host; unless by_groups asks for them.
    """
    groups = {name: list(members) for name, members in task_vars["groups"].items()}
    hosts = list(dict.fromkeys(host for name in GROUPS for host in groups.get(name, ())))
    if by_groups and not hosts:
        raise AnsibleActionFail(f"No host is in any of the groups {', '.join(GROUPS)}: put the hosts into them.")
    alone = not hosts
    if alone:
        hosts = [task_vars["inventory_hostname"]]
    names = definitions.variables(specs)
    reader = HostReader(loader, task_vars)
    values, problems = reader.read(hosts, names, definitions.PREFIX)
    if not alone:
        return Inventory(groups, values), problems
    # What another host's own variables cannot template is that host's to report.
    others, _theirs = reader.read(reader.other_hosts(), {definitions.TENANTS, DIRECTORY}, definitions.PREFIX)
    elsewhere = definitions.tenant_names(*(variables.get(definitions.TENANTS) for variables in others.values()))
    return Inventory.of_one_role(hosts[0], groups, values, elsewhere), problems


def ca_directory() -> str:
    """Return where the controller keeps the deployment's own CA unless a variable says otherwise."""
    home = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    return str(Path(home) / "cubeops" / "ca")


def _fingerprint_key(inventory: Inventory) -> bytes:
    master = _first(inventory, definitions.MASTER)
    return secrets.fingerprint_key(master) if isinstance(master, str) and master else os.urandom(32)


def _first(inventory: Inventory, name: str) -> Any:
    values = (inventory.variable(host, name) for host in inventory.hosts())
    return next((value for value in values if value is not None), None)
