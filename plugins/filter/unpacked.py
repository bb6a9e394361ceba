# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A packed list as the list."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unpacked
short_description: A packed list as the list
version_added: 0.1.0
description:
  - Lists of what there is one of for each tenant come from the plan as one text, since Ansible takes as long for each
    value in a list as for a whole text. The plugins of this collection take either; a template takes the list.
author: The cubeops.cubejs contributors (@cubeops)
options:
  _input:
    description: What may be packed. Anything else is returned as it is.
    type: raw
    required: true
seealso:
  - plugin: cubeops.cubejs.revealed
    plugin_type: lookup
"""

EXAMPLES = r"""
names: "{{ redis_instances | cubeops.cubejs.unpacked | map(attribute='name') }}"
"""

RETURN = r"""
_value:
  description: The list.
  type: raw
"""

from typing import Any, Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import packing


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name -> function."""
        return {"unpacked": packing.unpack}
