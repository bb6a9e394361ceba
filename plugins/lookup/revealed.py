# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a plan has, with secrets in place of the references to them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: revealed
short_description: What a plan has, with secrets in place of references
version_added: 0.1.0
description:
  - Returns a copy of a value out of C(cubejs_plan), which M(cubeops.cubejs.plan) made, in which every dictionary with
    the one key C(__secret__), whose value is C(<tenant>/<purpose>/<rotation>), is replaced by the secret that the
    tenant's definition gives, or else by the one derived from C(cubejs_master_secret).
  - Of the tenants' definitions, in C(cubejs_tenants) and C(cubejs_tenants_dir), only those are looked at that give a
    secret.
  - Use it where the secret is written, in tasks that do not log it, and keep its result out of facts.
author: The cubeops.cubejs contributors (@cubeops)
options:
  _terms:
    description: Data from a plan, packed (P(cubeops.cubejs.unpacked#filter)) or not.
    type: list
    elements: raw
    required: true
"""

EXAMPLES = r"""
redis_instances: "{{ lookup('cubeops.cubejs.revealed', cubejs_plan.hosts[inventory_hostname].redis.redis_instances) }}"
"""

RETURN = r"""
_raw:
  description: The same data with secrets. A list of dictionaries is packed.
  type: list
  elements: raw
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing, secrets
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.vaults import vault


class LookupModule(LookupBase):
    """The lookup as Ansible finds it."""

    def run(self, terms: Sequence[Any], variables: Mapping[str, Any] | None = None, **_options: Any) -> list[Any]:
        """Return the data."""
        known = vault(self._loader, self._templar, variables or {})
        try:
            return [packing.pack_many(known.reveal(packing.unpack(term))) for term in terms]
        except secrets.SecretError as exc:
            raise AnsibleLookupError(f"revealed: {exc}") from exc
