# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Judge a fleet by the production checklist, on the controller; documented in plugins/modules/checklist.py."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.cubeops.cubejs.plugins.module_utils import auditing, explaining, outcome
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import console
from ansible_collections.cubeops.cubejs.plugins.plugin_utils import checklist_run, report_files

ARGUMENT_SPEC: dict[str, Any] = {
    "judge": {"type": "str", "choices": list(auditing.MODES), "default": auditing.HOSTS},
    "hosts": {"type": "list", "elements": "str"},
    "registered": {"type": "str", "default": "cubejs_seen"},
    "observations": {"type": "dict"},
    "fingerprint_key": {"type": "str", "no_log": True},
    "only": {"type": "list", "elements": "str", "default": []},
    "skip": {"type": "list", "elements": "str", "default": []},
    "waivers": {"type": "path"},
    "baseline": {"type": "path"},
    "new_only": {"type": "bool", "default": False},
    "fail_on": {"type": "str", "choices": list(outcome.THRESHOLDS), "default": "error"},
    "formats": {"type": "list", "elements": "str", "default": []},
    "directory": {"type": "path"},
    "name": {"type": "str", "default": "cubejs-checklist"},
    "mode": {"type": "str", "default": "0600"},
    "console": {"type": "bool", "default": True},
    "explain": {"type": "str"},
}


class ActionModule(ActionBase):
    """The task as Ansible runs it: no host is contacted."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Judge, write reports, and fail unless the outcome is ok."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        try:
            if arguments["explain"] is not None:
                self._display.display(explaining.explain(arguments["explain"]))
                return {**result, "changed": False}
            formats, mode = checklist_run.output(arguments)
            with checklist_run.without_collector():
                ran = checklist_run.run(self._loader, task_vars or {}, arguments, datetime.now(timezone.utc))
                if arguments["console"]:
                    self._display.display(console.render(ran.report))
                written = {}
                if formats and not self._task.check_mode:
                    written = report_files.write(ran.report, formats, arguments["directory"], arguments["name"], mode)
        except checklist_run.PROBLEMS as exc:
            raise AnsibleActionFail(str(exc)) from exc
        return {**result, **ran.result(), "reports": written}
