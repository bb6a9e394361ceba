#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keep releases of Cube.js projects on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cube_release_store
short_description: Keep releases of Cube.js projects on a host
version_added: 0.1.0
description:
  - The host's half of M(cubeops.cubejs.cube_releases), which calls it. It is of no use alone.
author: The cubeops.cubejs contributors (@cubeops)
requirements:
  - systemd-sysusers, for users that do not exist yet
options:
  phase:
    description:
      - V(look) says what is there. V(stage) makes users and releases, and lays out what packages are installed from.
        V(adopt) puts packages in place that npm has installed, or that were shipped. V(pack) writes archives of
        packages for other hosts.
    type: str
    choices: [look, stage, adopt, pack]
    required: true
  users:
    description: Tenant, then its system user.
    type: dict
    default: {}
  node:
    description: Path of Node.js.
    type: path
    default: /usr/bin/node
  archive:
    description: Path of the archive that was shipped; of the archive to write with V(pack).
    type: path
  shipped:
    description: Runtime, then C(path) and C(sha256) of the archive of it that was shipped.
    type: dict
    default: {}
  job:
    description: What to make of it, with the files that hold secrets.
    type: str
  runtimes:
    description: Digests of the runtimes to put in place; the one to pack.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Nothing is made.
    support: full
  diff_mode:
    description: There are only digests to compare.
    support: none
seealso:
  - module: cubeops.cubejs.cube_releases
"""

EXAMPLES = r"""
- name: Look what is there
  cubeops.cubejs.cube_release_store:
    phase: look
    users: {acme: cube-acme}
"""

RETURN = r"""
found:
  description: What is there.
  returned: O(phase=look)
  type: dict
  sample:
    node: 20.19.2
    current: [{tenant: acme, user: cube-acme, id: 3f1c9a64d0b7e812, project: 9b2f, runtime: 5b0d, files: {}}]
    staged: []
    runtimes: [5b0d]
    begun: []
    npm: []
    users: [cube-acme]
left:
  description: Digests of the runtimes that npm has yet to install.
  returned: O(phase=stage)
  type: list
  elements: str
sha256:
  description: Digest of the archive that was written; null where the host has no such runtime.
  returned: O(phase=pack)
  type: str
bytes:
  description: Size of that archive.
  returned: O(phase=pack)
  type: int
"""

import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import runtime_shipping
from ansible_collections.cubeops.cubejs.plugins.module_utils.archives import ArchiveError
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_lock import HostLockError, only_run
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_staging import Staging, StagingError
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import unpack_job
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import SystemdError

ARGUMENT_SPEC = {
    "phase": {"type": "str", "choices": ["look", "stage", "adopt", "pack"], "required": True},
    "users": {"type": "dict", "default": {}},
    "node": {"type": "path", "default": "/usr/bin/node"},
    "archive": {"type": "path"},
    "shipped": {"type": "dict", "default": {}},
    "job": {"type": "str", "no_log": True},
    "runtimes": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    """Run one phase."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    os.umask(0o022)
    parameters = module.params
    store = Store()
    try:
        if parameters["phase"] == "look":
            module.exit_json(changed=False, found=store.look(parameters["users"], parameters["node"]).as_dict())
        if module.check_mode:
            module.exit_json(changed=True)
        with only_run():
            if parameters["phase"] == "stage":
                job = unpack_job(parameters["job"])
                shipped = runtime_shipping.Shipped.all_of(parameters["shipped"])
                left = Staging(store).stage(job.plan, job.wanted, job.files, Path(parameters["archive"]), shipped)
                module.exit_json(changed=True, left=left)
            elif parameters["phase"] == "pack":
                packed = runtime_shipping.pack(store, parameters["runtimes"][0], Path(parameters["archive"]))
                module.exit_json(changed=False, **packed)
            else:
                Staging(store).adopt(parameters["runtimes"])
    except (StagingError, ArchiveError, runtime_shipping.ShippingError, HostLockError, SystemdError, OSError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
