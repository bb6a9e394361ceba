#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Assert that Cube.js runs in production mode."""

from __future__ import annotations

DOCUMENTATION = r"""
module: assert_production_mode
short_description: Assert that Cube.js runs in production mode
version_added: 0.1.0
description:
  - Judges, of every Cube.js process of a host, that it is in production mode in every layer, NODE_ENV and
    CUBEJS_DEV_MODE as its unit, environment files and C(.env) set them, its root page, the routes of the
    Playground, and that requests without a token, with a bad one and with an unsigned one are refused; and that its
    secret is set and strong.
  - Fails with everything that is wrong, each with its remedy, and where it cannot be known.
extends_documentation_fragment:
  - cubeops.cubejs.asserting
  - cubeops.cubejs.looking
"""

EXAMPLES = r"""
- name: Assert production mode
  cubeops.cubejs.assert_production_mode:
  become: true

- name: Only tell, and keep what was found
  cubeops.cubejs.assert_production_mode:
    fail_on: never
  become: true
  register: found
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
    - rule: node-env-production
      severity: critical
      status: fail
      subject: cubejs-api@acme-1.service
      message: NODE_ENV is development
      remedy: Set NODE_ENV=production
      tenant: acme
      host: cube1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import asserting

TOPIC = asserting.PRODUCTION_MODE


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
