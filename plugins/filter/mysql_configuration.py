# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Work out the configuration of a MySQL or MariaDB server."""

from __future__ import annotations

DOCUMENTATION = r"""
name: mysql_configuration
short_description: Work out the configuration of a MySQL or MariaDB server
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
description:
  - Checks the variables of the mysql role against the host, all problems at once, and returns the server's settings,
    each with its C(name), C(value) and C(reason).
  - Takes packed lists among the variables (P(cubeops.cubejs.unpacked#filter)).
  - Refuses a host that has the other distribution's server, and a server that Cube cannot log in to.
positional: variables
options:
  variables:
    description: The role's variables, by their names.
    type: dict
    required: true
  host:
    description: The host as M(cubeops.cubejs.host_info) describes it.
    type: dict
    required: true
  candidate:
    description: Version that the package manager would install, where it is known.
    type: str
"""

EXAMPLES = r"""
- name: Show the settings
  ansible.builtin.debug:
    msg: "{{ variables | cubeops.cubejs.mysql_configuration(ansible_facts.cubeops_host) }}"
"""

RETURN = r"""
_value:
  description: The settings, in the order in which they are written.
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_role import configuration
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_settings import MysqlSettingsError


def mysql_configuration(
    variables: Mapping[str, Any], host: Mapping[str, Any], candidate: str | None = None
) -> list[dict[str, str]]:
    """Return the server's settings; documented above."""
    try:
        return [vars(setting) for setting in configuration(packing.unpack_within(variables), host, candidate)]
    except MysqlSettingsError as exc:
        raise AnsibleFilterError(f"mysql_configuration: this cannot work:\n{exc}") from exc


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by its name."""
        return {"mysql_configuration": mysql_configuration}
