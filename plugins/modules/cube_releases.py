#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cube_releases
short_description: Bring releases of Cube.js projects to a host
version_added: 0.1.0
description:
  - Makes sure that a host has, for every deployment, its release (the project, the packages it runs with, the
    environment of each instance) below C(/opt/cubejs). A release is named by the digest of what it is made of.
  - One call says what is missing. Only that is shipped, and only packages that are missing are installed, with
    C(npm ci) from a lockfile, through M(community.general.npm). Releases with the same lockfile share one installation.
  - Of several hosts in a play one installs; the others are told which (RV(elsewhere)), and are shipped the archive that
    M(cubeops.cubejs.cube_runtime_archives) takes there.
  - Nothing is switched or started; M(cubeops.cubejs.cube_instances) does that.
  - Everything is made aside and renamed into place, so that a run that was killed can simply be run again.
  - "Left out of a project: C(node_modules), the history of version control, C(.npmrc), and C(.env) with C(.env.*),
    which Cube.js would read beside the environment that the inventory describes."
author: The cubeops.cubejs contributors (@cubeops)
requirements:
  - systemd-sysusers on the host, for users that do not exist yet
options:
  deployments:
    description:
      - What runs on this host, as the plan has it. References to secrets in it are replaced by what the variables
        C(cubejs_tenants), C(cubejs_tenants_dir) and C(cubejs_master_secret) say.
    type: list
    elements: dict
    required: true
  memory_bytes:
    description: Memory for all Cube.js processes of the host; instances whose heap the plan left open get a part of it.
    type: int
  node:
    description: Path of Node.js on the host.
    type: path
    default: /usr/bin/node
  platform:
    description: What the host is, as M(cubeops.cubejs.host_info) says, C(os) and C(architecture).
    type: dict
    required: true
  npm:
    description: Path of npm on the host; unset, O(npm_archive) is used.
    type: path
  npm_archive:
    description: Path on the controller of npm's own package archive. It is unpacked on the host when it is needed.
    type: path
  npm_registry:
    description: URL of the npm registry.
    type: str
  ca_bundle:
    description:
      - Path on the controller of the CA bundle that npm trusts. It is put at C(/opt/cubejs/ca-bundle.crt) before npm
        runs; let the variable C(npm_config_cafile) of the task's environment name it.
    type: path
  shipped:
    description: Folder on the controller with a C(package.json) and C(package-lock.json) for each version of Cube.js.
    type: path
    required: true
  index:
    description: Path on the controller of the C(index.js) that starts versions without a start command.
    type: path
    required: true
  checkouts:
    description: Folder on the controller with a checkout for each tenant whose project comes from git.
    type: path
    required: true
  begin:
    description:
      - Only begin to install packages that are missing, and do not wait. Needs C(async) and C(poll=0) on the task.
      - The next call without it waits for what was begun, and takes it over. What failed it installs again.
    type: bool
    default: false
  runtime_archives:
    description: Folder on the controller with archives of packages, each built by some host and shipped to others.
    type: path
    required: true
  alone:
    description: Leave no packages to other hosts; what the controller has no archive of is installed here.
    type: bool
    default: false
attributes:
  check_mode:
    description: Says what would be built and shipped.
    support: full
  diff_mode:
    description: There are only digests to compare.
    support: none
seealso:
  - module: cubeops.cubejs.cube_instances
  - module: community.general.npm
"""

EXAMPLES = r"""
- name: Bring the releases to the host
  cubeops.cubejs.cube_releases:
    deployments: "{{ cubejs_deployments }}"
    platform: "{{ ansible_facts.cubeops_host }}"
    npm: /usr/bin/npm
    shipped: "{{ role_path }}/files/runtimes"
    index: "{{ role_path }}/files/index.js"
    checkouts: "{{ ansible_env.HOME }}/.cache/cubeops/projects"
    runtime_archives: "{{ ansible_env.HOME }}/.cache/cubeops/runtimes"
  register: releases
"""

RETURN = r"""
releases:
  description:
    - Tenant, then its release and the digest of each of its instances, packed for M(cubeops.cubejs.cube_instances); the
      filter P(cubeops.cubejs.unpacked#filter) returns the dictionary.
  returned: success
  type: str
  sample: 'cubeops.cubejs.packed:{"acme":{"release":"3f1c9a64d0b7e812","instances":{"acme-1":"9c1e4f7720ab35d6"}}}'
plan:
  description: What was (in check mode, would be) missing on the host.
  returned: success
  type: dict
  sample:
    users: [cube-acme]
    npm: []
    runtimes: [5b0d8f9e1c2a3746]
    releases: [[acme, 3f1c9a64d0b7e812]]
elsewhere:
  description:
    - Hosts that have packages which this one lacks, or are installing them. Those are not here after this call; take
      their archives and call again.
  returned: success
  type: list
  elements: dict
  sample:
    - {host: web1, runtimes: [5b0d8f9e1c2a3746]}
excluded:
  description: Tenant, then files of its project that were left out.
  returned: success
  type: dict
"""
