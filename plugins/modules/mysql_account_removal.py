#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Let MySQL's users log in from some hosts no longer."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_account_removal
short_description: Let MySQL's users log in from some hosts no longer
version_added: 0.1.0
description:
  - Drops accounts by user and host, all of them in one call. The same users' accounts of other hosts stay.
author: The cubeops.cubejs contributors (@cubeops)
requirements:
  - PyMySQL on the host
options:
  accounts:
    description: Accounts that go. Those that are not there are gone already.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      host:
        description: The host that it logs in from, as the account has it.
        type: str
        required: true
  socket:
    description: Unix socket of the server.
    type: path
    default: /run/mysqld/mysqld.sock
  login_defaults_file:
    description: Option file on the host with the login of an administrator; without one root logs in by the socket.
    type: path
attributes:
  check_mode:
    description: Says which accounts would go.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Shut out a host that has left
  cubeops.cubejs.mysql_account_removal:
    accounts:
      - {name: cube_acme, host: 10.0.0.8}
"""

RETURN = r"""
removed:
  description: Accounts that were removed (in check mode, would be).
  returned: success
  type: list
  elements: str
  sample: [cube_acme@10.0.0.8]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import account_removal
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_lock import HostLockError, only_run
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import MysqlServerError, SocketSession

ACCOUNT_SPEC = {"name": {"type": "str", "required": True}, "host": {"type": "str", "required": True}}
ARGUMENT_SPEC = {
    "accounts": {"type": "list", "elements": "dict", "required": True, "options": ACCOUNT_SPEC},
    "socket": {"type": "path", "default": "/run/mysqld/mysqld.sock"},
    "login_defaults_file": {"type": "path"},
}


def main() -> None:
    """Remove, and say which."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given, apply = module.params, not module.check_mode
    accounts = [account_removal.Account(each["name"], each["host"]) for each in given["accounts"]]
    try:
        with only_run(apply=apply):
            session = SocketSession(given["socket"], given["login_defaults_file"])
            removed = account_removal.remove(accounts, session, apply=apply)
            session.close()
    except (HostLockError, MysqlServerError, OSError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=bool(removed), removed=removed)


if __name__ == "__main__":
    main()
