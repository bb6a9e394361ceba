# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the role cubejs writes down for its deployments."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cube_layout
short_description: Units, users and memory of deployments
version_added: 0.1.0
description:
  - Returns the rows from which the role C(cubejs) writes unit files, their drop-ins and users.
  - Takes packed lists, and packs those that it returns (P(cubeops.cubejs.unpacked#filter)).
author: The cubeops.cubejs contributors (@cubeops)
positional: memory_bytes, proxy_group
options:
  _input:
    description: The host's deployments, as the plan has them.
    type: list
    elements: dict
    required: true
  memory_bytes:
    description: Memory for all Cube.js processes of the host; none when it is not known.
    type: int
    required: true
  proxy_group:
    description: Group that may open the Unix sockets of API instances.
    type: str
    required: true
  systemd_version:
    description: The host's version of systemd.
    type: int
    required: true
"""

EXAMPLES = r"""
layout: "{{ cubejs_deployments | cubeops.cubejs.cube_layout(2147483648, 'www-data', 252) }}"
"""

RETURN = r"""
_value:
  description: A dictionary of C(kinds), C(drop_ins) and C(users), each packed.
  type: dict
"""

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import cube_units, packing


def cube_layout(
    deployments: Iterable[Mapping[str, Any]] | str,
    memory_bytes: int | None,
    proxy_group: str,
    systemd_version: int,
) -> dict[str, Any]:
    """Return the layout."""
    share = None if memory_bytes is None else int(memory_bytes)
    given = packing.unpack(deployments)
    return packing.pack_lists(cube_units.layout(given, share, str(proxy_group), int(systemd_version)))


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name -> function."""
        return {"cube_layout": cube_layout}
