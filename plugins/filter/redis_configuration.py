# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The configuration of Redis instances, for templates and modules."""

from __future__ import annotations

DOCUMENTATION = r"""
name: redis_configuration
short_description: Work out the configuration of Redis instances
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
description:
  - Checks the instances, all problems at once, and fills in defaults.
  - Returns C(files), of each its C(name), C(tls), C(certificate), and C(configuration) and C(secrets), the lines of its
    configuration as texts; C(instances) for M(cubeops.cubejs.redis_instances), and C(certificates) for
    M(cubeops.cubejs.certificates). Each is packed (P(cubeops.cubejs.unpacked#filter)), an empty one a list.
positional: instances
options:
  instances:
    description: The role's C(redis_instances).
    type: list
    elements: dict
    required: true
  memory_bytes:
    description: Redis' share of the host's memory. Derived from O(host_memory_bytes) when unset.
    type: int
  host_memory_bytes:
    description: Memory of the host.
    type: int
  open_files:
    description: How many files the process of an instance may open.
    type: int
    required: true
  host_name:
    description: Name of the host, which tells its certificates from those of others.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Work out the configuration
  ansible.builtin.set_fact:
    configured: "{{ redis_instances | cubeops.cubejs.redis_configuration(open_files=65536, host_name='redis1') }}"
"""

RETURN = r"""
_value:
  description: The three lists, in the order of the instances.
  type: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_settings import RedisSettingsError, limits, resolve


def redis_configuration(
    instances: Sequence[Mapping[str, Any]] | str,
    *,
    open_files: int,
    host_name: str,
    memory_bytes: int | None = None,
    host_memory_bytes: int | None = None,
) -> dict[str, Any]:
    """Return the instances with their configuration; documented above."""
    try:
        # ansible-core before 2.19 makes a text of a templated number, as does -e in every version.
        memory = None if memory_bytes is None else int(memory_bytes)
        found = resolve(packing.unpack(instances), limits(memory, host_memory_bytes, int(open_files)), host_name)
    except RedisSettingsError as exc:
        raise AnsibleFilterError(f"redis_configuration: these settings are refused:\n{exc}") from exc
    return packing.pack_lists(found)


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Any]:
        """Return name and function."""
        return {"redis_configuration": redis_configuration}
