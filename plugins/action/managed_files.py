# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Render sets of files on the controller and have them kept on the host, in one call."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import ManagedFilesError
from ansible_collections.cubeops.cubejs.plugins.module_utils.managed_files import ARGUMENT_SPEC, check, pack
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.file_sets import build
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.rendering import Renderer, RenderingError


class ActionModule(ActionBase):
    """The controller's half of managed_files."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Render the files, and let the module of the same name keep them."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        self._task.args = packing.unpack_within(self._task.args)
        _unused, arguments = self.validate_argument_spec(ARGUMENT_SPEC)
        renderer = Renderer(self._templar, self._loader, variables, self._find_template)
        try:
            file_sets = build(arguments, renderer.render)
            for file_set in file_sets:
                check(file_set)
        except ManagedFilesError as exc:
            raise AnsibleActionFail(str(exc)) from exc
        result: dict[str, Any] = self._execute_module(
            module_name="cubeops.cubejs.managed_files",
            module_args={
                **{option: arguments[option] for option in ("name", "units", "answers")},
                "payload": [pack(file_set) for file_set in file_sets],
            },
            task_vars=variables,
        )
        return result

    def _find_template(self, name: str) -> str:
        try:
            found: str = self._find_needle("templates", name)
        except AnsibleError as exc:
            raise RenderingError(f"{name} cannot be found: {exc}") from exc
        return found
