#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: audit_looks
short_description: Work out what each host of an audit asks besides itself
version_added: 0.1.0
description:
  - Returns, for M(cubeops.cubejs.instance_info), the proxies that each host asks as a browser would, and the ports that
    it tries to reach though it should not, both from the plan of the inventory. Each question goes to one host of the
    play, to another one than the proxy or server where there is one, and to a stranger to it for preference.
  - Without hosts in the groups of this collection, each host is tried on Cube.js' own port from another one.
  - The plan is not refused, whatever is wrong with it; M(cubeops.cubejs.checklist) tells that.
  - Runs once, on the controller. Its result is never shown, since it holds the key of the run's fingerprints.
author: The cubeops.cubejs contributors (@cubeops)
options:
  proxies:
    description: Further proxies to ask, as the option of the same name of M(cubeops.cubejs.instance_info).
    type: list
    elements: dict
    default: []
attributes:
  check_mode:
    description: Nothing is changed.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
seealso:
  - module: cubeops.cubejs.instance_info
  - module: cubeops.cubejs.checklist
"""

EXAMPLES = r"""
- name: Work out what to ask
  cubeops.cubejs.audit_looks:
  run_once: true
  register: looks

- name: See what runs, and ask it
  cubeops.cubejs.instance_info:
    fingerprint_key: "{{ looks.fingerprint_key }}"
    proxies: "{{ looks.looks[inventory_hostname].proxies }}"
    reach: "{{ looks.looks[inventory_hostname].reach }}"
  become: true
  register: cubejs_seen
"""

RETURN = r"""
fingerprint_key:
  description: A new key, the same for all hosts of the run.
  returned: success
  type: str
looks:
  description: Host, then C(proxies) and C(reach) as M(cubeops.cubejs.instance_info) takes them.
  returned: success
  type: dict
  sample:
    web1:
      proxies:
        - {server_name: cube.acme.example, address: 192.0.2.20, http_port: 80, https_port: 443}
      reach:
        - {host: 192.0.2.10, port: 10010}
"""
