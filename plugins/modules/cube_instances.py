#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Bring Cube.js instances up to date, one at a time."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cube_instances
short_description: Bring Cube.js instances up to date, one at a time
version_added: 0.1.0
description:
  - Starts the instances that do not run and restarts those that were started with another release or another unit than
    what is on disk. A restart does not depend on a notification, so that a run that was killed can be run again.
  - A new release of a tenant whose instances run is first tried in a process of its own. When it is not healthy,
    nothing is switched to it and what runs goes on.
  - The instances of a tenant are restarted one at a time, the refresh worker first, and each must be healthy before the
    next. The first that is not ends the roll, with the end of its journal, secrets masked.
  - "Healthy is, from Cube.js 0.24.12 on: Redis and MySQL let in who has the instance's own settings, C(/readyz)
    answers, and seconds later the process is still the same. Before, the root page in place of C(/readyz). After a
    start the project's schema must compile, too (C(/v1/meta) with a token)."
  - C(/readyz) is never asked while Redis cannot be reached, since that would kill the process.
  - Instances of suspended tenants are stopped and disabled; all else of them stays.
  - Instances of the same tenants that are not listed are stopped and forgotten. Releases beyond O(releases_kept), and
    packages that no release needs, are removed, but none that a running process was started from.
author: The cubeops.cubejs contributors (@cubeops)
requirements:
  - PyMySQL on the host, for tenants with MySQL
options:
  deployments:
    description: The tenants and their instances on this host, as the plan has them.
    type: list
    elements: dict
    required: true
  releases:
    description: Tenant, then its release and instances, as M(cubeops.cubejs.cube_releases) returns them.
    type: dict
    required: true
  state:
    description:
      - V(current) brings the instances up to date, and fails when one that was up to date is not healthy.
      - V(healthy) changes nothing and fails when an instance is not healthy.
    type: str
    choices: [current, healthy]
    default: current
  pending:
    description: Paths of unit files that were changed by a task before, for check mode, where they are not on disk yet.
    type: list
    elements: path
    default: []
  others:
    description: Tenants that are meant to be on this host besides. RV(unlisted) tells of any other.
    type: list
    elements: str
    default: []
  releases_kept:
    description: Releases kept for each tenant besides the current one.
    type: int
    default: 3
  start_seconds:
    description: How long an instance may take until it answers.
    type: int
    default: 120
attributes:
  check_mode:
    description: Says which instances would be started, restarted or stopped.
    support: full
  diff_mode:
    description: There are only processes to compare.
    support: none
seealso:
  - module: cubeops.cubejs.cube_releases
"""

EXAMPLES = r"""
- name: Bring the instances up to date, one at a time
  cubeops.cubejs.cube_instances:
    deployments: "{{ cubejs_deployments }}"
    releases: "{{ releases.releases }}"
"""

RETURN = r"""
actions:
  description: Unit, then what was (in check mode, would be) done with it.
  returned: success
  type: dict
  sample: {cubejs-api@acme-1.service: [restart]}
switched:
  description: Tenant, then the release that it was switched to.
  returned: success
  type: dict
  sample: {acme: 3f1c9a64d0b7e812}
removed_releases:
  description: Releases that were removed.
  returned: success
  type: list
  elements: str
removed_runtimes:
  description: Installed packages that were removed, by digest.
  returned: success
  type: list
  elements: str
unlisted:
  description: Tenants that are on this host and that nobody listed. They are left alone.
  returned: success
  type: list
  elements: str
notes:
  description: What the health gate could not judge, and why.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from ansible_collections.cubeops.cubejs.plugins.module_utils.environment import EnvironmentFileError
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_lock import HostLockError, only_run
from ansible_collections.cubeops.cubejs.plugins.module_utils.instance_updates import Outcome, check, converge
from ansible_collections.cubeops.cubejs.plugins.module_utils.instances import Deployment
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_staging import StagingError
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.rolling import RollError, Tools
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Systemd, SystemdError

ARGUMENT_SPEC = {
    "deployments": {"type": "list", "elements": "dict", "required": True},
    "releases": {"type": "dict", "required": True},
    "state": {"type": "str", "choices": ["current", "healthy"], "default": "current"},
    "pending": {"type": "list", "elements": "path", "default": []},
    "others": {"type": "list", "elements": "str", "default": []},
    "releases_kept": {"type": "int", "default": 3},
    "start_seconds": {"type": "int", "default": 120},
}


def main() -> None:
    """Bring the instances up to date, or ask them."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    deployments = [Deployment.of(each, given["releases"].get(each["tenant"], {})) for each in given["deployments"]]
    tools = Tools(Systemd(), Store(), start_seconds=given["start_seconds"])
    try:
        if given["state"] == "healthy":
            check(deployments, tools)
            outcome = Outcome()
        else:
            apply = not module.check_mode
            with only_run(apply=apply):
                outcome = converge(
                    deployments, tools, apply=apply, kept=given["releases_kept"], pending=given["pending"]
                )
            outcome.tell_unlisted(tools.store.tenants(), [each.tenant for each in deployments], given["others"])
    except (RollError, StagingError, HostLockError, SystemdError, EnvironmentFileError, OSError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=outcome.changed, **vars(outcome), invocation=packing.told(module.params))


if __name__ == "__main__":
    main()
