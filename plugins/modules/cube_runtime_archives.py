#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cube_runtime_archives
short_description: Take installed packages of Cube.js from a host to the controller
version_added: 0.1.0
description:
  - A runtime (a C(node_modules) that C(npm ci) installed) is built on one host of the fleet.
    M(cubeops.cubejs.cube_releases) says on which; this module packs it there and keeps the archive on the controller,
    from which M(cubeops.cubejs.cube_releases) ships it to hosts of the same platform.
  - An archive that the controller has is not taken again. The eight that were used last are kept.
  - A host that does not have the runtime is no error, so that another can install it with npm.
author: The cubeops.cubejs contributors (@cubeops)
options:
  runtimes:
    description: Digests of the runtimes.
    type: list
    elements: str
    required: true
  directory:
    description: Folder on the controller that the archives are kept in. It is made for its owner alone.
    type: path
    required: true
attributes:
  check_mode:
    description: Takes nothing.
    support: full
  diff_mode:
    description: Changes no host.
    support: none
seealso:
  - module: cubeops.cubejs.cube_releases
"""

EXAMPLES = r"""
- name: Take the packages from the hosts that have them
  cubeops.cubejs.cube_runtime_archives:
    runtimes: "{{ item.runtimes }}"
    directory: "{{ ansible_env.HOME }}/.cache/cubeops/runtimes"
  loop: "{{ releases.elsewhere }}"
  delegate_to: "{{ item.host }}"
  throttle: 1
"""

RETURN = r"""
kept:
  description: Those of the runtimes that the controller has an archive of now.
  returned: success
  type: list
  elements: str
missing:
  description: Those that the host does not have.
  returned: success
  type: list
  elements: str
"""
