# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An action for modules that take what there is one of for each tenant."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action.normal import ActionModule as Normal
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing


class Unpacking(Normal):  # type: ignore[misc]  # the base class of Ansible is untyped
    """What runs a module that has no action of its own, but that packed arguments are unpacked for it."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module of the task."""
        self._task.args = packing.unpack_within(self._task.args)
        result: dict[str, Any] = super().run(tmp, task_vars)
        return result
