# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A product's share of a host's memory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: memory_share
short_description: A product's share of a host's memory
version_added: 0.1.0
description:
  - Returns the bytes that the plan gives to a product on a host, or else, where the inventory does not say how much
    memory the host has, the product's share of the memory that was found there.
  - The share depends on the host and on which products live there, not on the number of tenants.
author: The cubeops.cubejs contributors (@cubeops)
positional: product, planned
options:
  _input:
    description: The host's memory in bytes; none where it is not known, or the host was not looked at yet.
    type: int
    required: true
  product:
    description: The product.
    type: str
    choices: [cubejs, mysql, redis]
    required: true
  planned:
    description: The host's part of the plan, C(cubejs_plan.hosts[inventory_hostname]).
    type: dict
    required: true
"""

EXAMPLES = r"""
redis_memory_bytes: >-
  {{ ansible_facts.cubeops_host.memory_bytes
  | cubeops.cubejs.memory_share('redis', cubejs_plan.hosts[inventory_hostname]) }}
"""

RETURN = r"""
_value:
  description: Bytes; none where neither the plan nor the host says.
  type: int
"""

from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.module_utils import memory


def memory_share(memory_bytes: int | None, product: str, planned: Mapping[str, Any]) -> int | None:
    """Return the product's bytes, None where the host's are not known."""
    try:
        found = None if memory_bytes is None else int(memory_bytes)
        return memory.planned_share(found, str(product), planned)
    except KeyError as exc:
        raise AnsibleFilterError(f"memory_share: {exc} is not planned for this host") from exc


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name -> function."""
        return {"memory_share": memory_share}
