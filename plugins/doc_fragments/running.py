# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Units that are to run, and what they are to answer, in the documentation of the modules that take them."""

from __future__ import annotations


class ModuleDocFragment:
    """How a unit is described, and an answer."""

    DOCUMENTATION = r"""
options:
  units:
    description: The wanted units.
    type: list
    elements: dict
    default: []
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
"""
