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
description:
  - Enables and starts any number of units in one call, and restarts or reloads those that were started before one of
    their files last changed.
  - Nothing depends on a notification, so a run that was killed after it wrote a file and before it restarted the
    service is completed by the next run.
  - Lets systemd read its unit files again when it has to.
  - Where O(answers) are given, also asks the services over HTTP, in the same call.
  - A unit that does not stay up, and a reload that is not taken up, fail with the last lines of the unit's journal.
options:
  units:
    description: The wanted units.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the unit, with its suffix.
        type: str
        required: true
      files:
        description:
          - What the unit reads when it starts or reloads. Of symbolic links both the link and its target count.
          - A changed file below one of systemd's own unit directories always asks for a restart.
        type: list
        elements: str
        default: []
      on_change:
        description:
          - What is done when a file is newer than what runs. V(reload) is for services that replace their workers.
        type: str
        choices: [restart, reload]
        default: restart
      reload_signal:
        description:
          - Signal to the main process that has it read its configuration, in place of the unit's own command to reload.
          - For a service that goes on with its old configuration when the new one is of no use, and whose own command
            reads all of it once more beforehand, as Nginx' does. It is believed when new workers run.
        type: str
        choices: ["", HUP]
        default: ""
      enabled:
        description: Whether the unit starts at boot.
        type: bool
        default: true
      intact:
        description:
          - A command that fails when what the unit once set up is gone, which systemd cannot see. The unit is then
            restarted or reloaded. It must change nothing; it is run in check mode, too.
        type: list
        elements: str
        default: []
      state:
        description: Whether the unit runs.
        type: str
        choices: [started, stopped]
        default: started
  pending:
    description: In check mode, whether the units' files would have changed by now. Has no meaning otherwise.
    type: bool
    default: false
  reload_seconds:
    description: How long a reload may take until new workers run.
    type: float
    default: 10.0
  answers:
    description: What this host must answer to HTTP requests once the units are in their state. Not asked in check mode.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: Port on 127.0.0.1.
        type: int
        required: true
      path:
        description: Path that is asked for.
        type: str
        default: /
      headers:
        description: Headers of the request.
        type: dict
        default: {}
      status:
        description: Status of the answer.
        type: int
        required: true
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
from ansible_collections.cubeops.cubejs.plugins.module_utils.answers import Answer, AnswerError, wait_for
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_lock import HostLockError, only_run
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Systemd, SystemdError
from ansible_collections.cubeops.cubejs.plugins.module_utils.units import Unit, UnitsError, converge

UNIT_SPEC = {
    "name": {"type": "str", "required": True},
    "files": {"type": "list", "elements": "str", "default": []},
    "on_change": {"type": "str", "choices": ["restart", "reload"], "default": "restart"},
    "reload_signal": {"type": "str", "choices": ["", "HUP"], "default": ""},
    "enabled": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
    "intact": {"type": "list", "elements": "str", "default": []},
}
ANSWER_SPEC = {
    "port": {"type": "int", "required": True},
    "path": {"type": "str", "default": "/"},
    "headers": {"type": "dict", "default": {}},
    "status": {"type": "int", "required": True},
}
ARGUMENT_SPEC = {
    "units": {"type": "list", "elements": "dict", "required": True, "options": UNIT_SPEC},
    "pending": {"type": "bool", "default": False},
    "reload_seconds": {"type": "float", "default": 10.0},
    "answers": {"type": "list", "elements": "dict", "default": [], "options": ANSWER_SPEC},
    "answer_seconds": {"type": "float", "default": 5.0},
}


def main() -> None:
    """Bring the units to their wanted state."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    lists = ("files", "intact")
    units = [Unit(**{**unit, **{name: tuple(unit[name]) for name in lists}}) for unit in module.params["units"]]
    try:
        with only_run(apply=not module.check_mode):
            outcome = converge(
                units,
                Systemd(),
                apply=not module.check_mode,
                pending=module.params["pending"],
                reload_seconds=module.params["reload_seconds"],
            )
            if not module.check_mode:
                wait_for([Answer(**answer) for answer in module.params["answers"]], module.params["answer_seconds"])
    except (AnswerError, HostLockError, SystemdError, UnitsError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=outcome.changed, actions=outcome.actions, daemon_reloaded=outcome.daemon_reloaded)


if __name__ == "__main__":
    main()
