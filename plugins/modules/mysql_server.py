#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring a MySQL or MariaDB server up to date while it runs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mysql_server
short_description: Bring a MySQL or MariaDB server up to date while it runs
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
description:
  - Compares the running server with its settings, schemas and accounts, and changes what differs, in one call
    however many accounts there are.
  - Settings that can change live are changed live. The server is restarted only for what cannot, and only when it was
    started before its configuration last changed.
  - Other schemas and accounts are left alone.
  - Accounts use C(mysql_native_password), which is all that Cube's driver knows, and have exactly the privileges
    listed.
  - Each account is proved by a login, where its clients are on this host.
requirements:
  - PyMySQL
options:
  service:
    description: Unit of the server.
    type: str
    required: true
  socket:
    description: Unix socket of the server.
    type: path
    required: true
  login_defaults_file:
    description:
      - File on the host with a C([client]) group, for a server whose root has a password. Root logs in by the socket
        alone when unset.
    type: path
  config_file:
    description: File with the settings, in which they are for the next start.
    type: path
    required: true
  port:
    description: Port on which the accounts are tried.
    type: int
    default: 3306
  settings:
    description: Settings as they are in O(config_file).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the setting.
        type: str
        required: true
      value:
        description: Value of the setting.
        type: str
        required: true
  databases:
    description: Schemas that must exist.
    type: list
    elements: str
    default: []
  users:
    description: Users, with one account for each of their hosts.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      hosts:
        description: Addresses from which the user's clients connect.
        type: list
        elements: str
        default: [127.0.0.1]
      password:
        description: Password of the user.
        type: str
        required: true
      privileges:
        description: Privileges by schema; the user gets these and no others.
        type: dict
        default: {}
  pending:
    description: In check mode, whether the settings' file would have changed by now. Has no meaning otherwise.
    type: bool
    default: false
attributes:
  check_mode:
    description: Says what would be changed, restarts included.
    support: full
  diff_mode:
    description: Shows settings, and what happens to accounts without their secrets.
    support: full
"""

EXAMPLES = r"""
- name: Bring the server up to date
  cubeops.cubejs.mysql_server:
    service: mariadb.service
    socket: /run/mysqld/mysqld.sock
    config_file: /etc/mysql/mariadb.conf.d/60-cubejs.cnf
    settings:
      - {name: max_connections, value: "151"}
    databases: [cube_acme]
    users:
      - name: cube_acme
        hosts: [127.0.0.1]
        password: "{{ vault_acme_storage_password }}"
        privileges: {cube_acme: [SELECT, INSERT, CREATE, DROP, INDEX]}
"""

RETURN = r"""
version:
  description: Version of the running server; empty when none runs yet.
  returned: success
  type: str
settings:
  description: Variables that were changed, with their values before and after.
  returned: success
  type: dict
restarted:
  description: What the server was restarted for; empty when it was not.
  returned: success
  type: list
  elements: str
databases:
  description: Schemas that were created.
  returned: success
  type: list
  elements: str
accounts:
  description: What was done to which account.
  returned: success
  type: dict
unit:
  description: What was done to the unit.
  returned: success
  type: list
  elements: str
proved:
  description: Accounts that were logged in with.
  returned: success
  type: list
  elements: str
untried:
  description: Accounts of clients on other hosts, which cannot be tried from here.
  returned: success
  type: list
  elements: str
notes:
  description: What somebody should look at.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_lock import HostLockError, only_run
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_accounts import AccountError, parse
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import MysqlServerError, SocketSession
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_server import Server, bring_up_to_date
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_state import Wanted
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Systemd, SystemdError
from ansible_collections.cubeops.cubejs.plugins.module_utils.units import UnitsError

SETTING_SPEC = {"name": {"type": "str", "required": True}, "value": {"type": "str", "required": True}}
USER_SPEC = {
    "name": {"type": "str", "required": True},
    "hosts": {"type": "list", "elements": "str", "default": ["127.0.0.1"]},
    "password": {"type": "str", "required": True, "no_log": True},
    "privileges": {"type": "dict", "default": {}},
}
ARGUMENT_SPEC = {
    "service": {"type": "str", "required": True},
    "socket": {"type": "path", "required": True},
    "login_defaults_file": {"type": "path"},
    "config_file": {"type": "path", "required": True},
    "port": {"type": "int", "default": 3306},
    "settings": {"type": "list", "elements": "dict", "default": [], "options": SETTING_SPEC},
    "databases": {"type": "list", "elements": "str", "default": []},
    "users": {"type": "list", "elements": "dict", "default": [], "options": USER_SPEC},
    "pending": {"type": "bool", "default": False},
}


def main() -> None:
    """Bring the server up to date and say what that took."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    try:
        wanted = Wanted(
            settings=tuple((row["name"], row["value"]) for row in given["settings"]),
            databases=tuple(given["databases"]),
            accounts=tuple(parse(given["users"])),
        )
        server = Server(
            Systemd(),
            lambda: SocketSession(given["socket"], given["login_defaults_file"]),
            service=given["service"],
            config_file=given["config_file"],
            port=given["port"],
        )
        with only_run(apply=not module.check_mode):
            report = bring_up_to_date(wanted, server, apply=not module.check_mode, pending=given["pending"])
    except (AccountError, HostLockError, MysqlServerError, SystemdError, UnitsError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(
        changed=report.changed, diff=report.diff(), **report.details(), invocation=packing.told(module.params)
    )


if __name__ == "__main__":
    main()
