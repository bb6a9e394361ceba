# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the templates of the role firewall print."""

from __future__ import annotations

DOCUMENTATION = r"""
name: firewall_layout
short_description: Work out what the templates of the role firewall print
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
description:
  - Checks the services and their clients, all problems at once, and merges addresses and networks.
  - Names the file of each service by whom it lets in.
positional: services
options:
  services:
    description: The role's C(firewall_services).
    type: list
    elements: dict
    required: true
  clients:
    description: The role's C(firewall_clients).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Work out the rules
  ansible.builtin.set_fact:
    layout: "{{ firewall_services | cubeops.cubejs.firewall_layout(clients={'redis': ['192.0.2.0/24']}) }}"
"""

RETURN = r"""
_value:
  description:
    - C(services), packed (P(cubeops.cubejs.unpacked#filter)), of each its C(name), C(ports), C(ipv4) and C(ipv6), and
      the name of its C(file).
    - C(former), patterns of files that are to go.
  type: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from ansible_collections.cubeops.cubejs.plugins.module_utils.firewall import FirewallError, layout


def firewall_layout(
    services: Sequence[Mapping[str, Any]] | str, clients: Mapping[str, Sequence[str] | None] | None = None
) -> dict[str, Any]:
    """Return what the role's templates print."""
    try:
        found = layout(packing.unpack(services), clients or {})
    except FirewallError as exc:
        raise AnsibleFilterError(f"firewall_layout: these settings are refused:\n{exc}") from exc
    former = [each["former"] for each in found if each["former"]]
    return {"services": packing.pack_many(found), "former": former}


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"firewall_layout": firewall_layout}
