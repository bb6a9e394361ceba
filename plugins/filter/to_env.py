# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The text of a systemd EnvironmentFile."""

from __future__ import annotations

DOCUMENTATION = r"""
name: to_env
short_description: Write variables as a systemd EnvironmentFile
version_added: 0.1.0
description:
  - Returns a line C(NAME="value") for each variable, sorted by name and quoted so that systemd reads back the very
    value.
  - Refuses names that systemd would drop, and values with a line break or another control character, which such a file
    cannot carry. The message names the variable, never its value.
author: The cubeops.cubejs contributors (@cubeops)
options:
  _input:
    description: Name to value, a text or a whole number.
    type: dict
    required: true
"""

EXAMPLES = r"""
content: "{{ {'PORT': 4000, 'NODE_ENV': 'production'} | cubeops.cubejs.to_env }}"
"""

RETURN = r"""
_value:
  description: The file's text.
  type: str
"""

from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.module_utils import environment


def to_env(values: Mapping[str, Any]) -> str:
    """Return the text of an EnvironmentFile."""
    try:
        return environment.to_file(values)
    except environment.EnvironmentFileError as exc:
        raise AnsibleFilterError(f"to_env: {exc}") from exc


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name -> function."""
        return {"to_env": to_env}
