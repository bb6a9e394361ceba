#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Assert that Redis has connections enough for its clients."""

from __future__ import annotations

DOCUMENTATION = r"""
module: assert_redis_pool
short_description: Assert that Redis has connections enough for its clients
version_added: 0.1.0
description:
  - Judges the pools of a host's Cube.js processes against what their queries need, and their sum, with what other
    clients have open, against the connections that their Redis really allows; connections in use, refused and
    waited for in vain as well.
  - Fails with everything that is wrong, each with its remedy, and where it cannot be known.
extends_documentation_fragment:
  - cubeops.cubejs.asserting
  - cubeops.cubejs.looking
"""

EXAMPLES = r"""
- name: Assert that the pools are large enough
  cubeops.cubejs.assert_redis_pool:
  become: true

- name: Fail on warnings, too
  cubeops.cubejs.assert_redis_pool:
    fail_on: warning
    journal_hours: 1
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
    - rule: redis-pool-size
      severity: error
      status: fail
      subject: cubejs-api@acme-1.service
      message: CUBEJS_REDIS_POOL_MAX is 1, which deadlocks
      remedy: Use 30
      tenant: acme
      host: cube1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import asserting

TOPIC = asserting.REDIS_POOL


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
