# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The values behind a plan's references, from within a task or a template: of each tenant only what is asked for.

Ansible takes 10 us for each value of a list that a template passes on, whatever is done with it. So the definitions of
hundreds of tenants are not passed on, but looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import definitions, packing, secrets
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.tenant_files import DIRECTORY, TenantFiles
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.variable_names import held

# What the role cubejs calls its plan where no playbook has made one.
PLANS = ("cubejs_plan", "__cubejs_plan")


@dataclass(frozen=True)
class Definition(Mapping[str, Any]):
    """A tenant's definition, of which only the values that are asked for are templated."""

    templar: Any
    written: Mapping[str, Any] = field(repr=False)

    def __getitem__(self, key: str) -> Any:
        value = held(self.templar, self.written[key])
        return Definition(self.templar, value) if isinstance(value, Mapping) else self.templar.template(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.written)

    def __len__(self) -> int:
        return len(self.written)


@dataclass(frozen=True)
class Definitions(Mapping[str, Mapping[str, Any]]):
    """Tenants by name, from the list and the folder, each templated when it is asked for."""

    loader: Any
    templar: Any
    variables: Mapping[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        written = self._by_name[name]
        return Definition(self.templar, written if isinstance(written, Mapping) else self.templar.template(written))

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @cached_property
    def _by_name(self) -> dict[str, Any]:
        listed = self._value(definitions.TENANTS) or []
        directory, base = self._value(DIRECTORY), self._value("inventory_dir")
        files = TenantFiles(self.loader).of(directory, base).definitions
        return {self._name(each): each for each in (*listed, *files)}

    def _value(self, name: str) -> Any:
        """Return a variable; of a list that is written out, its items as they are written."""
        value = self.variables.get(name)
        return value if isinstance(value, list) else self.templar.template(value)

    def _name(self, definition: Any) -> str:
        written = definition if isinstance(definition, Mapping) else self.templar.template(definition)
        return str(self.templar.template(written.get("name")))


def plan_of(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the plan of this run; empty when there is none."""
    return next((variables[name] for name in PLANS if "hosts" in variables.get(name, ())), {})


def vault(loader: Any, templar: Any, variables: Mapping[str, Any]) -> secrets.Vault:
    """Return the vault of a host's variables, and of its plan where there is one."""
    master = templar.template(variables.get(definitions.MASTER))
    plan = plan_of(variables)
    stated = frozenset(packing.unpack(plan["stated"])) if "stated" in plan else None
    return secrets.Vault(Definitions(loader, templar, variables), None if master is None else str(master), stated)
