# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Work out the plan of the whole inventory; documented in plugins/modules/plan.py."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml
from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as ansible_version
from ansible_collections.cubeops.cubejs.plugins.module_utils import (
    definitions,
    findings,
    plan,
    plan_summary,
    plan_table,
    secrets,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import GROUPS, Inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.schema import Options
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.inventory_reading import HostReader
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.tenant_files import DIRECTORY

ARGUMENT_SPEC: dict[str, Any] = {
    "placement": {"type": "str", "choices": ["auto", "groups"], "default": "auto"},
    "show": {"type": "str", "choices": ["nothing", "table", "json"], "default": "nothing"},
    "file": {"type": "path"},
}
# From 2.19 on a failed task's message is shown line by line, before as one line of JSON only.
SHOWS_LINES = tuple(map(int, ansible_version.split(".")[:2])) >= (2, 19)
ROLES = Path(__file__).resolve().parents[2] / "roles"


class ActionModule(ActionBase):
    """The task as Ansible runs it: no host is contacted."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the plan; fail with everything that is wrong with it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        specs = specifications()
        by_groups = arguments["placement"] == "groups"
        inventory, unread = read_inventory(self._loader, task_vars or {}, specs, by_groups=by_groups)
        made = plan.build(
            inventory,
            specs,
            fingerprint_key=_fingerprint_key(inventory),
            ca_directory=ca_directory(),
            exists=os.path.exists,
            unread=unread,
        )
        self._report(made, arguments["show"], arguments["file"])
        errors = findings.errors(made.findings)
        if errors:
            refusal = findings.refusal(errors)
            if not SHOWS_LINES:
                self._display.display(refusal, color=constants.COLOR_ERROR)
            return {**result, "failed": True, "msg": refusal}
        for warning in findings.warnings(made.findings):
            self._display.warning(warning.text())
        return {
            **result,
            **made.data,
            "changed": False,
            "findings": [finding.as_dict() for finding in made.findings],
            # The whole plan is pages long; a playbook that wants to show it can.
            "_ansible_verbose_override": True,
        }

    def _report(self, made: plan.Plan, show: str, file: str | None) -> None:
        """Show the plan's figures, and write them to a file."""
        if show == "nothing" and not file:
            return
        figures = plan_summary.summary(made.fleet, made.findings)
        document = json.dumps(figures, indent=2)
        if show != "nothing":
            self._display.display(plan_table.table(figures) if show == "table" else document)
        if file:
            try:
                Path(file).write_text(f"{document}\n", encoding="utf-8")
            except OSError as exc:
                raise AnsibleActionFail(f"The plan cannot be written to {file}: {exc.strerror}") from exc


def specifications() -> dict[str, Options]:
    """Return role -> the options of its argument_specs."""
    found: dict[str, Options] = {}
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
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
    masters = (inventory.variable(host, definitions.MASTER) for host in inventory.hosts())
    master = next((value for value in masters if isinstance(value, str)), None)
    return secrets.fingerprint_key(master) if master else os.urandom(32)
