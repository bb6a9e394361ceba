#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Describe the host for all roles."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Look at a host once, for all roles of this collection
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
description:
  - Sets the fact C(ansible_facts.cubeops_host), so that no role needs gathered facts or a package manager's call to
    learn that there is nothing to do.
options:
  package_pattern:
    description: Regular expression; installed packages whose name matches from its beginning are reported.
    type: str
    default: "^(redis|valkey|mariadb|mysql|nginx|nodejs|npm|python3-|libnode|logrotate|openssl)"
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
"""

EXAMPLES = r"""
- name: Look at the host once
  cubeops.cubejs.host_info:
  when: ansible_facts.cubeops_host is not defined
"""

RETURN = r"""
ansible_facts:
  description: Facts that are set.
  returned: always
  type: dict
  contains:
    cubeops_host:
      description:
        - Operating system, C(architecture) and C(package_architecture), C(memory_bytes) (the smaller of RAM and the
          container's limit), C(cpus), whether it is a C(container), whether it has C(ipv6), C(systemd_version),
          C(packages) (name and version), C(node) (path and version, or null) and the C(runtimes) that Cube.js has
          there (digests).
      type: dict
      sample:
        os: {id: debian, version_id: "12", codename: bookworm, family: Debian}
        architecture: x86_64
        package_architecture: amd64
        memory_bytes: 4294967296
        cpus: 2
        container: false
        ipv6: true
        systemd_version: 252
        packages: {nginx: 1.22.1-9}
        node: {path: /usr/bin/node, version: 18.19.0}
        runtimes: [5b0d8f9e1c2a3746]
"""

import re

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils.host import PACKAGE_PATTERN, describe

ARGUMENT_SPEC = {"package_pattern": {"type": "str", "default": PACKAGE_PATTERN}}


def main() -> None:
    """Describe the host."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        host = describe(module.params["package_pattern"])
    except (OSError, re.error) as exc:
        module.fail_json(msg=f"This host cannot be described: {exc}")
    module.exit_json(changed=False, ansible_facts={"cubeops_host": host})


if __name__ == "__main__":
    main()
