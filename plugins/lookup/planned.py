# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A role's variable, as the plan has it for the host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: planned
short_description: A role's variable, as the plan has it for the host
version_added: 0.1.0
description:
  - Returns a variable of a role out of C(cubejs_plan), which M(cubeops.cubejs.plan) made, for the host of the task.
    Secrets stand in place of the references to them.
  - What P(cubeops.cubejs.reveal#filter) does with tenants that a template passes to it, in a tenth of the time.
author: The cubeops.cubejs contributors (@cubeops)
options:
  _terms:
    description: The role, and its variable.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
redis_instances: "{{ lookup('cubeops.cubejs.planned', 'redis', 'redis_instances') }}"
"""

RETURN = r"""
_raw:
  description: The value, alone.
  type: list
  elements: raw
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.vaults import vault


class LookupModule(LookupBase):
    """The lookup as Ansible finds it."""

    def run(self, terms: Sequence[Any], variables: Mapping[str, Any] | None = None, **_options: Any) -> list[Any]:
        """Return the variable."""
        known = variables or {}
        role, name = map(str, terms)
        try:
            value = known["cubejs_plan"]["hosts"][known["inventory_hostname"]][role][name]
            return [vault(self._loader, self._templar, known).reveal(value)]
        except KeyError as exc:
            raise AnsibleLookupError(f"planned: {role}, {name}: the plan has no {exc} for this host") from exc
        except secrets.SecretError as exc:
            raise AnsibleLookupError(f"planned: {exc}") from exc
