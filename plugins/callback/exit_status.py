# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Let ansible-playbook end with the outcome's status."""

from __future__ import annotations

DOCUMENTATION = r"""
name: exit_status
type: aggregate
short_description: End ansible-playbook with the outcome of the checklist
version_added: 0.1.0
description:
  - Lets C(ansible-playbook) end with 20 where the production checklist found something, and with 21 where it could not
    look, instead of the 2 that it ends with for whatever fails.
  - Where anything else failed as well, or a host that a play needs is unreachable, the status is Ansible's own.
requirements:
  - to be enabled, as with C(ANSIBLE_CALLBACKS_ENABLED=cubeops.cubejs.exit_status)
author: The cubeops.cubejs contributors (@cubeops)
"""

import sys
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible_collections.cubeops.cubejs.plugins.module_utils.run_status import Tally


class CallbackModule(CallbackBase):
    """The plugin as Ansible calls it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "cubeops.cubejs.exit_status"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        super().__init__(*arguments, **keys)
        self._tally = Tally()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Count a task that went well."""
        self._tally.add(result._task.resolved_action or result._task.action, result._result, failed=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Count a task that failed."""
        action = result._task.resolved_action or result._task.action
        self._tally.add(action, result._result, failed=not ignore_errors)

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002 what counts is known already
        """Have the status replaced when Ansible ends itself.

        A callback is told no status and can return none; what ends every command of Ansible is a call of sys.exit with
        it, after all has been cleaned up.
        """
        leave, tally = sys.exit, self._tally

        def leave_with(status: Any = None) -> None:
            sys.exit = leave
            leave(tally.status(status))

        sys.exit = leave_with  # type: ignore[assignment]  # returns, where the one of the library does not
