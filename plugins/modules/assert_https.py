#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Assert that Cube.js is served over HTTPS, and in no other way."""

from __future__ import annotations

DOCUMENTATION = r"""
module: assert_https
short_description: Assert that Cube.js is served over HTTPS, and in no other way
version_added: 0.1.0
description:
  - Judges Nginx' configuration on a host, the proxies of O(proxies) as a browser sees them (redirect, versions of
    TLS, certificate, WebSockets, and what Cube.js gives away through them), and that the ports of O(reach) are
    closed to this host.
  - Whether strangers reach a process that listens on a network's address can be seen from another host only. Run the
    module there, too, with O(reach), and give O(whole=false) where the processes are.
  - Fails with everything that is wrong, each with its remedy, and where it cannot be known.
extends_documentation_fragment:
  - cubeops.cubejs.asserting
  - cubeops.cubejs.looking
  - cubeops.cubejs.looking.outside
"""

EXAMPLES = r"""
- name: Assert that the proxy on this host is right, and leave to others whether they get round it
  cubeops.cubejs.assert_https:
    proxies:
      - {server_name: cube.acme.example, address: 127.0.0.1}
    whole: false
  become: true

- name: From another host, assert that there is no way around the proxy
  cubeops.cubejs.assert_https:
    proxies:
      - {server_name: cube.acme.example, address: 192.0.2.20, ca_path: /etc/ssl/own-ca.crt}
    reach:
      - {host: 192.0.2.10, port: 4000}
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
    - rule: certificate-expiry
      severity: error
      status: fail
      subject: cube.acme.example
      message: the certificate ends in 3 days
      remedy: Renew it
      tenant: acme
      host: cube1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import asserting

TOPIC = asserting.HTTPS


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
