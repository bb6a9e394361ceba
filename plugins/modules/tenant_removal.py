#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Export what a host has of a tenant, and take it away."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: tenant_removal
short_description: Export what a host has of a tenant, and take it away
version_added: 0.1.0
description:
  - Stops and disables the tenant's processes, keeps an export, and removes its releases, its sockets, its system user,
    its own Redis instance with its data or its keys in a shared one, its MySQL schema and that schema's user. Nothing
    else is touched.
  - The export is whole before anything that it holds is removed. It has the project, the settings with secrets masked,
    and the schema as SQL, and only root may read it.
  - Files that M(cubeops.cubejs.managed_files) keeps are taken away by that module, with O(ignore:forget), before.
  - A removal that was killed is completed by the next.
author: The cubeops.cubejs contributors (@cubeops)
requirements:
  - PyMySQL on the host, and C(mariadb-dump) or C(mysqldump) for an export, where there are schemas
options:
  tenant:
    description: Name of the tenant.
    type: str
    required: true
  cubejs:
    description: Whether its processes, releases and system user go.
    type: bool
    default: false
  redis:
    description: Whether its own Redis instance goes.
    type: bool
    default: false
  schemas:
    description: Schemas that go.
    type: list
    elements: str
    default: []
  users:
    description: Users of MySQL that go, from whichever host they log in.
    type: list
    elements: str
    default: []
  flush:
    description: The tenant's index of the Redis instance that tenants share on this host; its keys go.
    type: dict
    suboptions:
      port:
        description: Port of the instance.
        type: int
        required: true
      index:
        description: The index.
        type: int
        required: true
      password:
        description: Password of the instance.
        type: str
        required: true
      tls:
        description: Whether it speaks TLS.
        type: bool
        default: false
  socket:
    description: Unix socket of the MySQL server.
    type: path
    default: /run/mysqld/mysqld.sock
  login_defaults_file:
    description: File on the host with a C([client]) group, for a server whose root has a password.
    type: path
  export:
    description: Folder for the export. Nothing is exported without one.
    type: path
attributes:
  check_mode:
    description: Says what would be removed and exported.
    support: full
  diff_mode:
    description: What is removed is told in RV(removed).
    support: none
seealso:
  - module: cubeops.cubejs.managed_files
"""

EXAMPLES = r"""
- name: Take a tenant away
  cubeops.cubejs.tenant_removal:
    tenant: acme
    cubejs: true
    redis: true
    schemas: [cube_acme]
    users: [cube_acme]
    export: /var/backups/cubejs/acme
"""

RETURN = r"""
removed:
  description: What was removed (in check mode, would be).
  returned: success
  type: list
  elements: str
  sample: [unit cubejs-api@acme-1.service, /opt/cubejs/tenants/acme, user cube-acme, schema cube_acme]
exported:
  description: Files that were kept (in check mode, would be).
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import removal
from ansible_collections.cubeops.cubejs.plugins.module_utils.environment import EnvironmentFileError
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_lock import HostLockError, only_run
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import MysqlServerError, SocketSession
from ansible_collections.cubeops.cubejs.plugins.module_utils.names import is_tenant_name
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import RespError
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import SystemdError
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenant_export import Dumper, ExportError

FLUSH_SPEC = {
    "port": {"type": "int", "required": True},
    "index": {"type": "int", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "tls": {"type": "bool", "default": False},
}
ARGUMENT_SPEC = {
    "tenant": {"type": "str", "required": True},
    "cubejs": {"type": "bool", "default": False},
    "redis": {"type": "bool", "default": False},
    "schemas": {"type": "list", "elements": "str", "default": []},
    "users": {"type": "list", "elements": "str", "default": []},
    "flush": {"type": "dict", "options": FLUSH_SPEC},
    "socket": {"type": "path", "default": "/run/mysqld/mysqld.sock"},
    "login_defaults_file": {"type": "path"},
    "export": {"type": "path"},
}


def main() -> None:
    """Remove, and say what."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    if not is_tenant_name(given["tenant"]):
        module.fail_json(msg=f"tenant: {given['tenant']!r} is no name of a tenant")
    wanted = removal.Wanted(
        given["tenant"],
        cubejs=given["cubejs"],
        redis=given["redis"],
        schemas=tuple(given["schemas"]),
        users=tuple(given["users"]),
        export=given["export"] or "",
        flush=removal.Flush(**given["flush"]) if given["flush"] else None,
    )
    login = (given["socket"], given["login_defaults_file"])
    host = removal.Host(lambda: SocketSession(*login), Dumper(*login))
    try:
        with only_run(apply=not module.check_mode):
            outcome = removal.remove(wanted, host, apply=not module.check_mode)
    except (
        removal.RemovalError,
        EnvironmentFileError,
        ExportError,
        HostLockError,
        MysqlServerError,
        RespError,
        SystemdError,
        OSError,
    ) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=bool(outcome.removed), removed=outcome.removed, exported=outcome.exported)


if __name__ == "__main__":
    main()
