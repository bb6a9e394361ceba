# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replace references to secrets by the secrets."""

from __future__ import annotations

DOCUMENTATION = r"""
name: reveal
short_description: Replace references to secrets by the secrets
version_added: 0.1.0
description:
  - Returns a copy of a value in which every dictionary with the one key C(__secret__), whose value is
    C(<tenant>/<purpose>/<rotation>), is replaced by the secret that the tenant's definition gives, or else by the one
    derived from the master secret.
  - Use it where the secret is written, in tasks that do not log it, and keep its result out of facts.
author: The cubeops.cubejs contributors (@cubeops)
positional: tenants, master_secret
options:
  _input:
    description: Data from a plan.
    type: raw
    required: true
  tenants:
    description: The tenants' definitions, C(cubejs_tenants).
    type: list
    elements: dict
    required: true
  master_secret:
    description: The secret from which others are derived, C(cubejs_master_secret).
    type: str
"""

EXAMPLES = r"""
redis_instances: >-
  {{ cubejs_plan.hosts[inventory_hostname].redis.redis_instances
  | cubeops.cubejs.reveal(cubejs_tenants, cubejs_master_secret | default(none)) }}
"""

RETURN = r"""
_value:
  description: The same data with secrets in place of references.
  type: raw
"""

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets


def reveal(value: Any, tenants: Iterable[Mapping[str, Any]], master_secret: str | None = None) -> Any:
    """Return the value with secrets in place of references."""
    try:
        return secrets.Vault.of(tenants, None if master_secret is None else str(master_secret)).reveal(value)
    except secrets.SecretError as exc:
        raise AnsibleFilterError(f"reveal: {exc}") from exc


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name -> function."""
        return {"reveal": reveal}
