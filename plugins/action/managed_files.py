# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Render a set of files on the controller and have it kept on the host, in one call."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import ManagedFilesError
from ansible_collections.cubeops.cubejs.plugins.module_utils.managed_files import ARGUMENT_SPEC, check, pack
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.file_sets import build
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.rendering import Renderer, RenderingError


class ActionModule(ActionBase):
    """The controller's half of managed_files."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        _, arguments = self.validate_argument_spec(ARGUMENT_SPEC)
        renderer = Renderer(self._templar, self._loader, variables, lambda name: self._find_needle("templates", name))
        try:
            file_set = build(arguments, renderer.render)
            check(file_set)
        except (ManagedFilesError, RenderingError) as exc:
            raise AnsibleActionFail(str(exc)) from exc
        return self._execute_module(
            module_name="cubeops.cubejs.managed_files",
            module_args={"name": file_set.name, "payload": pack(file_set)},
            task_vars=variables,
        )
