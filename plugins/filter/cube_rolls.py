# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What bringing deployments up to date needs of them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cube_rolls
short_description: What bringing deployments up to date needs of them
version_added: 0.1.0
description:
  - Returns the deployments of one wave, or all of them, with what M(cubeops.cubejs.cube_instances) reads of each. Their
    settings are left out, which are a hundred values each.
  - Takes a packed list, and returns one (P(cubeops.cubejs.unpacked#filter)); an empty one as it is.
author: The cubeops.cubejs contributors (@cubeops)
positional: waves, wave
options:
  _input:
    description: The host's deployments, as the plan has them.
    type: list
    elements: dict
    required: true
  waves:
    description: Waves of all hosts, in their order. The last has what is in no other.
    type: list
    elements: int
    default: []
  wave:
    description: One of the waves; all when unset.
    type: int
"""

EXAMPLES = r"""
deployments: "{{ cubejs_deployments | cubeops.cubejs.cube_rolls([0, 1], 0) }}"
"""

RETURN = r"""
_value:
  description: The deployments, packed.
  type: raw
"""

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import cube_units, packing


def cube_rolls(
    deployments: Iterable[Mapping[str, Any]] | str, waves: Iterable[int] = (), wave: int | None = None
) -> Any:
    """Return what is needed of the deployments."""
    given = packing.unpack(deployments)
    return packing.pack_many(cube_units.rolls(given, list(map(int, waves)), None if wave is None else int(wave)))


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name -> function."""
        return {"cube_rolls": cube_rolls}
