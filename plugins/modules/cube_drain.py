#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Let the requests of a host's Cube.js instances end, then stop them for good."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cube_drain
short_description: Let the requests of a host's Cube.js instances end, then stop them for good
version_added: 0.1.0
description:
  - Waits until nobody is connected to the instances, then stops every Cube.js process of the host and disables it, so
    that the next boot does not bring it back.
  - The proxies must have been told before to pass no more requests on.
  - Files, packages and users stay, and are told.
author: The cubeops.cubejs contributors (@cubeops)
options:
  ports:
    description: TCP ports on which the instances listen.
    type: list
    elements: int
    default: []
  drain_seconds:
    description: How long requests may take to end. When some do not, nothing is stopped.
    type: float
    default: 130
attributes:
  check_mode:
    description: Says what would be stopped, without waiting.
    support: full
  diff_mode:
    description: There are only processes to compare.
    support: none
"""

EXAMPLES = r"""
- name: Let the requests end, and stop the instances
  cubeops.cubejs.cube_drain:
    ports: [21010]
"""

RETURN = r"""
actions:
  description: Unit, then what was (in check mode, would be) done with it.
  returned: success
  type: dict
  sample: {cubejs-api@acme-1.service: [disable, stop]}
standing:
  description: What of the deployment still stands on the host.
  returned: success
  type: list
  elements: str
  sample: [/opt/cubejs]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import draining
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_lock import HostLockError, only_run
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import SystemdError

ARGUMENT_SPEC = {
    "ports": {"type": "list", "elements": "int", "default": []},
    "drain_seconds": {"type": "float", "default": 130},
}


def main() -> None:
    """Drain, and say what was stopped."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given, apply = module.params, not module.check_mode
    try:
        with only_run(apply=apply):
            found = draining.drain(given["ports"], given["drain_seconds"], draining.Host(), apply=apply)
    except (draining.DrainError, HostLockError, SystemdError, OSError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=bool(found.actions), actions=found.actions, standing=found.standing)


if __name__ == "__main__":
    main()
