#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep units running with the files on disk."""

from __future__ import annotations

DOCUMENTATION = r"""
module: units
short_description: Keep systemd units running with the files that are on disk
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
extends_documentation_fragment: [cubeops.cubejs.running]
description:
  - Enables and starts any number of units in one call, and restarts or reloads those that were started before one of
    their files last changed.
  - Nothing depends on a notification, so a run that was killed after it wrote a file and before it restarted the
    service is completed by the next run.
  - Lets systemd read its unit files again when it has to.
  - Where O(answers) are given, also asks the services over HTTP, in the same call.
  - A unit that does not stay up, and a reload that is not taken up, fail with the last lines of the unit's journal.
options:
  pending:
    description: In check mode, whether the units' files would have changed by now. Has no meaning otherwise.
    type: bool
    default: false
  told:
    description:
      - Units that have been told since their files changed to read them, as M(cubeops.cubejs.managed_files) does. They
        are waited for, and told no second time.
    type: list
    elements: str
    default: []
  reload_seconds:
    description: How long a reload may take until new workers run.
    type: float
    default: 10.0
  answer_seconds:
    description: How long O(answers) are waited for.
    type: float
    default: 5.0
attributes:
  check_mode:
    description: Says what would be done, and does nothing.
    support: full
  diff_mode:
    description: There are no files to compare; RV(actions) says what is done.
    support: none
"""

EXAMPLES = r"""
- name: Keep Nginx running with its configuration
  cubeops.cubejs.units:
    units:
      - name: nginx.service
        on_change: reload
        files: [/etc/nginx/nginx.conf, /etc/nginx/cubejs]
    answers:
      - {port: 80, headers: {Host: cube.acme.example}, status: 308}
    pending: "{{ nginx_files is changed }}"
"""

RETURN = r"""
actions:
  description: What was done (in check mode, would be done) to each unit, in order.
  returned: always
  type: dict
  sample: {"nginx.service": ["enable", "reload"]}
daemon_reloaded:
  description: Whether systemd was told to read its unit files again.
  returned: always
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import answers, units
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_lock import HostLockError, only_run
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Systemd, SystemdError

ARGUMENT_SPEC = {
    "units": {"type": "list", "elements": "dict", "default": [], "options": units.SPEC},
    "pending": {"type": "bool", "default": False},
    "told": {"type": "list", "elements": "str", "default": []},
    "reload_seconds": {"type": "float", "default": 10.0},
    "answers": {"type": "list", "elements": "dict", "default": [], "options": answers.SPEC},
    "answer_seconds": {"type": "float", "default": 5.0},
}


def main() -> None:
    """Bring the units to their wanted state."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        with only_run(apply=not module.check_mode):
            outcome = units.converge(
                [units.from_option(unit) for unit in module.params["units"]],
                Systemd(),
                apply=not module.check_mode,
                pending=module.params["pending"],
                told=module.params["told"],
                reload_seconds=module.params["reload_seconds"],
            )
            if not module.check_mode:
                wanted = [answers.Answer(**answer) for answer in module.params["answers"]]
                answers.wait_for(wanted, module.params["answer_seconds"])
    except (answers.AnswerError, HostLockError, SystemdError, units.UnitsError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=outcome.changed, actions=outcome.actions, daemon_reloaded=outcome.daemon_reloaded)


if __name__ == "__main__":
    main()
