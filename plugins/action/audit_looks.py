# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Work out what each host of an audit is asked besides itself; documented in plugins/modules/audit_looks.py."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.looks import Served, plan_looks, served
from ansible_collections.cubeops.cubejs.plugins.plugin_utils import planning

ARGUMENT_SPEC: dict[str, Any] = {"proxies": {"type": "list", "elements": "dict", "default": []}}
KEY_BYTES = 32


class ActionModule(ActionBase):
    """The task as Ansible runs it: no host is contacted."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return a new key for fingerprints, and host -> proxies and ports."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        variables = task_vars or {}
        observers = list(variables["ansible_play_hosts_all"])
        how: dict[tuple[str, str], Served] = {}
        if planning.is_planned(variables):
            planned = planning.make(self._loader, variables, by_groups=True)
            fleet = planned.plan.fleet
            how = served(planned.plan.data, planned.inventory, planning.ca_directory())
        else:
            fleet = Fleet(addresses=_addresses(variables, observers))
        looks = plan_looks(fleet, observers, served=how, proxies=arguments["proxies"])
        return {
            **result,
            "changed": False,
            "fingerprint_key": secrets.token_hex(KEY_BYTES),
            "looks": {
                host: {"proxies": [_with_authority(asked) for asked in look.proxies], "reach": look.reach}
                for host, look in looks.items()
            },
            "_ansible_no_log": True,
        }


def _addresses(variables: dict[str, Any], hosts: list[str]) -> dict[str, str]:
    hostvars = variables["hostvars"]
    found = ((host, hostvars.raw_get(host).get("ansible_host")) for host in hosts)
    # What would have to be templated is left to the name.
    return {host: address for host, address in found if isinstance(address, str) and "{{" not in address}


def _with_authority(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked with the text of its authority, where this controller has it."""
    path = asked.pop("ca", "")
    if path and Path(path).is_file():
        return {**asked, "ca_certificates": Path(path).read_text(encoding="utf-8")}
    return asked
