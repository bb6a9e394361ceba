#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Assert that each deployment has one Redis, and no two the same keyspace."""

from __future__ import annotations

DOCUMENTATION = r"""
module: assert_shared_redis
short_description: Assert that each deployment has one Redis, and no two the same keyspace
version_added: 0.1.0
description:
  - Judges, with each process's own settings, that it reaches its Redis and may do there what Cube.js does; that all
    processes of a deployment reach the very same server and database, and no two deployments one keyspace.
  - Fails with everything that is wrong, each with its remedy, and where it cannot be known.
extends_documentation_fragment:
  - cubeops.cubejs.asserting
  - cubeops.cubejs.looking
"""

EXAMPLES = r"""
- name: Assert that processes share their Redis, and nobody else's
  cubeops.cubejs.assert_shared_redis:
  become: true

- name: The same, on a host that runs a part of the processes only
  cubeops.cubejs.assert_shared_redis:
    whole: false
  become: true
"""

RETURN = r"""
outcome:
  description: V(ok), V(findings) or V(could-not-look).
  returned: unless options are wrong
  type: str
  sample: findings
exit_status:
  description: 0, 20 or 21, in the order of RV(outcome).
  returned: unless options are wrong
  type: int
  sample: 20
counts:
  description: How many findings count as C(failed) and as C(unknown) at O(fail_on), and how many there are.
  returned: unless options are wrong
  type: dict
  sample: {failed: 1, unknown: 0, findings: 24}
findings:
  description: What failed or is unknown, whatever its severity.
  returned: unless options are wrong
  type: list
  elements: dict
  sample:
    - rule: redis-same-for-tenant
      severity: critical
      status: fail
      subject: redis
      message: its processes use 2 different databases of Redis
      remedy: Give all of them the same URL
      tenant: acme
      host: cube1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import asserting

TOPIC = asserting.SHARED_REDIS


def main() -> None:
    """Look at the host, and judge it."""
    module = AnsibleModule(argument_spec=asserting.argument_spec(TOPIC), supports_check_mode=True)
    try:
        result = asserting.look_and_judge(TOPIC, module.params)
    except asserting.AssertingError as exc:
        module.fail_json(msg=str(exc))
    if result["failed"]:
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
