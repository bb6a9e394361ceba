# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tenants from one file each."""

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_files
short_description: Tenants from one file each
version_added: 0.1.0
description:
  - Returns the definitions of the tenants in a folder on the controller, one for each file that ends in C(.yml),
    C(.yaml) or C(.json), in the order of their names. Files and values may be encrypted with ansible-vault.
  - C(acme.yml) holds what would be an item of C(cubejs_tenants); C(name) may be left out, since the file has it.
author: The cubeops.cubejs contributors (@cubeops)
options:
  _terms:
    description: The folder; a relative path starts in the inventory's folder. Without one there is no tenant.
    type: list
    elements: path
"""

EXAMPLES = r"""
tenants: "{{ query('cubeops.cubejs.tenant_files', 'tenants') }}"
"""

RETURN = r"""
_list:
  description: The definitions.
  type: list
  elements: dict
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.tenant_files import TenantFiles


class LookupModule(LookupBase):
    """The lookup as Ansible finds it."""

    def run(
        self, terms: Iterable[Any], variables: Mapping[str, Any] | None = None, **_options: Any
    ) -> list[dict[str, Any]]:
        """Return the definitions in the folders; fail with what is wrong with their files."""
        files = TenantFiles(self._loader)
        base = (variables or {}).get("inventory_dir")
        found = [files.of(None if term is None else str(term), base) for term in terms]
        findings = [finding.text() for each in found for finding in each.findings]
        if findings:
            raise AnsibleLookupError("; ".join(findings))
        definitions = [definition for each in found for definition in each.definitions]
        templated: list[dict[str, Any]] = self._templar.template(definitions)
        return templated
