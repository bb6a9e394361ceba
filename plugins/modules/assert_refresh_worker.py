#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Assert that exactly one process refreshes pre-aggregations."""

from __future__ import annotations

DOCUMENTATION = r"""
module: assert_refresh_worker
short_description: Assert that exactly one process refreshes pre-aggregations
version_added: 0.1.0
description:
  - Judges that each deployment of a host has one running refresh worker, whose flag its version reads as yes; that
    API instances do not refresh, whatever their flags seem to say; and that the worker lives and builds.
  - Fails with everything that is wrong, each with its remedy, and where it cannot be known.
extends_documentation_fragment:
  - cubeops.cubejs.asserting
  - cubeops.cubejs.looking
"""

EXAMPLES = r"""
- name: Assert that there is one refresh worker
  cubeops.cubejs.assert_refresh_worker:
  become: true

- name: On a host that has API instances only, assert that these do not refresh
  cubeops.cubejs.assert_refresh_worker:
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
    - rule: one-refresh-worker
      severity: error
      status: fail
      subject: acme
      message: no running process refreshes
      remedy: Start one with CUBEJS_REFRESH_WORKER=true
      tenant: acme
      host: cube1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import asserting

TOPIC = asserting.REFRESH_WORKER


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
