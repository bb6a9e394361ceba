#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: plan
short_description: Work out what every host runs, and refuse what cannot work
version_added: 0.1.0
description:
  - Turns the inventory (the groups C(cubejs_redis), C(cubejs_mysql), C(cubejs_api), C(cubejs_refresh_worker) and
    C(cubejs_nginx), and the variable C(cubejs_tenants)) into the variables of every role on every host.
  - Refuses it with all findings at once, each naming the variable, its value (masked if it is secret) and the remedy.
  - No host is contacted, and the whole inventory is looked at whatever C(--limit) leaves, so that one task does for a
    play (C(run_once)), also while hosts are unreachable.
  - The result holds no secret. In place of each stands a reference, which the lookup
    P(cubeops.cubejs.revealed#lookup) replaces where the secret is used.
  - Register the result as C(cubejs_plan), which is where the roles look for it. It is not a fact, so that a fact cache
    does not keep the plan of an earlier run.
author: The cubeops.cubejs contributors (@cubeops)
requirements:
  - PyYAML on the controller, which comes with Ansible
options:
  placement:
    description:
      - C(groups) asks for hosts in the groups. C(auto) does without them when the inventory has none, and then makes
        the plan of the task's own host, which runs every process of the tenants.
    type: str
    choices: [auto, groups]
    default: auto
  show:
    description:
      - Shows the plan's figures, also of a plan that is refused. V(table) is for people, with instances, ports, the
        connections that pools may open and those that servers allow, and memory; V(json) is the same for programs.
    type: str
    choices: [nothing, table, json]
    default: nothing
  file:
    description: Path on the controller of a file to which the figures are written as JSON, in check mode too.
    type: path
  limited:
    description:
      - Whether C(-e tenant=NAME) limits the result to one tenant, or to several with commas between them. The whole
        inventory is judged all the same. What else is planned on a host is named in its roles' variables, so that they
        leave it alone.
      - Only extra variables count, since an inventory may have a variable of that name that means another thing.
    type: bool
    default: false
  removal:
    description:
      - Whether to work out what the playbook C(tenant_remove) takes away on each host, not the roles' variables.
        C(-e tenant=NAME) names the tenant, C(-e confirm=NAME) confirms it, and C(-e host=HOST) is for one host only.
    type: bool
    default: false
  leaving:
    description:
      - Whether to work out what the playbook C(host_remove) drains, and the plan of all other hosts. C(-e host=HOST)
        names the host, C(-e confirm=HOST) confirms it. Refused for a host of data, of Sentinels, of clients' proxies,
        and of any tenant's last processes.
    type: bool
    default: false
attributes:
  check_mode:
    description: Nothing is changed but O(file).
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
seealso:
  - plugin: cubeops.cubejs.revealed
    plugin_type: lookup
  - plugin: cubeops.cubejs.unpacked
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Work out the plan and refuse what cannot work
  cubeops.cubejs.plan:
  run_once: true
  register: cubejs_plan

- name: Size hosts before there is one
  cubeops.cubejs.plan:
    show: table
    file: plan.json
  run_once: true

- name: Apply it to Redis
  ansible.builtin.import_role:
    name: cubeops.cubejs.redis
  vars:
    redis_instances: >-
      {{ lookup('cubeops.cubejs.revealed', cubejs_plan.hosts[inventory_hostname].redis.redis_instances) }}
"""

RETURN = r"""
hosts:
  description:
    - Host, then role, then role variable. Lists of dictionaries are packed, each one text for all tenants; the filter
      P(cubeops.cubejs.unpacked#filter) returns the list, and the plugins of this collection take either.
  returned: success
  type: dict
  sample:
    cube1:
      products: [cubejs, mysql, redis]
      redis:
        redis_ca_directory: /home/me/.local/share/cubeops/ca
        redis_instances: 'cubeops.cubejs.packed:[{"name":"acme","port":20001,"bind":["127.0.0.1"]}]'
guarded:
  description: Hosts on which anything listens beyond loopback that is not for everybody, so that they have a firewall.
  returned: success
  type: list
  elements: str
  sample: [cube1, cube2]
stated:
  description: References of the secrets that tenants' definitions give, packed; all others are derived.
  returned: success
  type: str
  sample: 'cubeops.cubejs.packed:["acme/database_password/0"]'
leaving:
  description: The host that leaves, the ports it is drained of, its accounts in MySQL, and what is left to do then.
  returned: with O(leaving)
  type: dict
  sample: {host: cube4, ports: [21010], drain_seconds: 130}
findings:
  description: What the rules found and did not refuse.
  returned: success
  type: list
  elements: dict
  sample:
    - rule: redis-pool-size
      severity: warning
      status: fail
      subject: cubejs_tenants[acme].redis.pool_max
      message: 12 is fewer than the 30 that 10 queries in flight need
      remedy: Use 30, or lower max_in_flight
      tenant: acme
      host: ""
"""
