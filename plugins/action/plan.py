# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Work out the plan of the whole inventory; documented in plugins/modules/plan.py."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as ansible_version
from ansible.utils.vars import load_extra_vars
from ansible_collections.cubeops.cubejs.plugins.module_utils import (
    departure,
    findings,
    host_departure,
    outcome,
    packing,
    plan_summary,
    plan_table,
    selection,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan
from ansible_collections.cubeops.cubejs.plugins.plugin_utils import planning

ARGUMENT_SPEC: dict[str, Any] = {
    "placement": {"type": "str", "choices": ["auto", "groups"], "default": "auto"},
    "show": {"type": "str", "choices": ["nothing", "table", "json"], "default": "nothing"},
    "file": {"type": "path"},
    "limited": {"type": "bool", "default": False},
    "removal": {"type": "bool", "default": False},
    "leaving": {"type": "bool", "default": False},
}
# From 2.19 on a failed task's message is shown line by line, before as one line of JSON only.
SHOWS_LINES = tuple(map(int, ansible_version.split(".")[:2])) >= (2, 19)


def packed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan's data as it is passed on to the roles, with lists packed."""
    hosts = {
        host: {key: packing.pack_lists(value) if isinstance(value, Mapping) else value for key, value in roles.items()}
        for host, roles in data["hosts"].items()
    }
    return {"hosts": hosts, "guarded": data["guarded"], "stated": packing.pack(data["stated"])}


class ActionModule(ActionBase):
    """The task as Ansible runs it: no host is contacted."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the plan; fail with everything that is wrong with it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        planned = planning.make(self._loader, task_vars or {}, by_groups=arguments["placement"] == "groups")
        made = planned.plan
        if arguments["removal"]:
            return {**result, **self._removal(planned)}
        if arguments["leaving"]:
            return {**result, **self._leaving(planned, task_vars or {})}
        self._report(made, arguments["show"], arguments["file"])
        wanted = self._wanted() if arguments["limited"] else ()
        errors = [*selection.unknown(wanted, made.fleet), *findings.errors(made.findings)]
        if errors:
            refusal = findings.refusal(errors)
            if not SHOWS_LINES:
                self._display.display(refusal, color=constants.COLOR_ERROR)
            return {**result, "failed": True, "msg": refusal, "outcome": outcome.FINDINGS}
        for warning in findings.warnings(made.findings):
            self._display.warning(warning.text())
        return {
            **result,
            **packed(selection.limited(made.data, made.fleet, wanted) if wanted else made.data),
            "changed": False,
            "findings": [finding.as_dict() for finding in made.findings],
            # The whole plan is pages long; a playbook that wants to show it can.
            "_ansible_verbose_override": True,
        }

    def _removal(self, planned: planning.Planned) -> dict[str, Any]:
        """Return what is taken away where, of the tenant that `-e tenant=NAME -e confirm=NAME` names."""
        given = load_extra_vars(self._loader)
        asked = departure.Departure(*(str(given.get(name) or "") for name in ("tenant", "confirm", "host")))
        fleet = planned.plan.fleet
        # What is wrong with the tenant itself goes with it.
        of_others = (each for each in findings.errors(planned.plan.findings) if each.tenant != asked.tenant)
        errors = [*asked.problems(fleet, planned.inventory), *of_others]
        if errors:
            return {"failed": True, "msg": findings.refusal(errors), "outcome": outcome.FINDINGS}
        return {
            "changed": False,
            "hosts": asked.by_host(fleet, planned.plan.data, planned.inventory),
            "number": asked.number(fleet),
            "line": asked.line(fleet, time.strftime("%Y-%m-%d", time.gmtime())),
            "retired_file": str(planned.retired_file),
            "export": f"/var/backups/cubejs/{asked.tenant}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}",
        }

    def _leaving(self, planned: planning.Planned, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the plan without the host that `-e host=NAME -e confirm=NAME` names, and what is drained there."""
        given = load_extra_vars(self._loader)
        asked = host_departure.HostDeparture(*(str(given.get(name) or "") for name in ("host", "confirm")))
        rest = planning.make(self._loader, task_vars, by_groups=True, leaving=asked.host).plan
        known = findings.errors(planned.plan.findings)
        errors = [*asked.problems(planned.plan.fleet, planned.inventory, rest.fleet), *known]
        if task_vars.get("ansible_limit"):
            remedy = "Leave it out: a proxy that was not told would go on to ask the host"
            errors.append(findings.Finding("value-choice", "--limit", "a host leaves all proxies or none", remedy))
        # What only the host's going makes wrong; where that is refused already, it follows from it.
        errors = errors or [each for each in findings.errors(rest.findings) if each not in known]
        if errors:
            return {"failed": True, "msg": findings.refusal(errors), "outcome": outcome.FINDINGS}
        leaving = asked.result(planned.plan.fleet, planned.inventory, rest.fleet)
        leaving["accounts"] = asked.accounts(planned.plan.data, rest.data)
        return {"changed": False, **packed(rest.data), "leaving": leaving, "_ansible_verbose_override": True}

    def _wanted(self) -> tuple[str, ...]:
        """Return the tenants of `-e tenant=NAME`; what an inventory calls so means another thing."""
        return selection.asked(load_extra_vars(self._loader).get(selection.VARIABLE))

    def _report(self, made: Plan, show: str, file: str | None) -> None:
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
