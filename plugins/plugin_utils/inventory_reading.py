# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory as an action plugin sees it, read into plain data: groups, and the hosts' variables, templated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ansible.errors import AnsibleError
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.schema import element_path
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.tenant_files import DIRECTORY, TenantFiles
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.variable_names import held

TENANTS = "cubejs_tenants"
_TOO_DEEP = 50
_MARKS = re.compile(r"\{[{%#]")
_OMITTED = object()


@dataclass(frozen=True)
class HostReader:
    """Reads variables of hosts from within one host's task.

    A host's own variables come from the inventory. What only the play or the role gives is known
    for the task's own host alone, and stands in for the others where they have nothing.
    The tenants of the folder `cubejs_tenants_dir` are added to the list `cubejs_tenants`.
    """

    loader: Any
    task_vars: Mapping[str, Any]

    def read(
        self, hosts: Iterable[str], names: Set[str], prefix: str
    ) -> tuple[dict[str, dict[str, Any]], list[Finding]]:
        """Return host -> name -> value, and what could not be templated.

        Of variables that start with the prefix and are not among the names, only the name is
        returned (value None), since nothing but a misspelt name is looked for there.
        """
        values: dict[str, dict[str, Any]] = {}
        problems: list[Finding] = []
        for host in hosts:
            variables = self._variables(host)
            templar = Templar(loader=self.loader, variables=variables)
            values[host] = dict.fromkeys(name for name in variables if name.startswith(prefix))
            for name in names & variables.keys():
                values[host][name] = _template(templar, variables[name], name, problems)
            if values[host].get(DIRECTORY) is not None:
                base = _template(templar, variables.get("inventory_dir"), "inventory_dir", problems)
                found = self._files.of(values[host][DIRECTORY], base)
                problems += [finding for finding in found.findings if finding not in problems]
                values[host][TENANTS] = _with(values[host].get(TENANTS), found.definitions, templar, problems)
        return values, problems

    def other_hosts(self) -> list[str]:
        """Return the other hosts of the play."""
        own = self.task_vars["inventory_hostname"]
        return [host for host in self.task_vars.get("ansible_play_hosts_all", ()) if host != own]

    def _variables(self, host: str) -> dict[str, Any]:
        if host == self.task_vars["inventory_hostname"]:
            return dict(self.task_vars)
        # HostVars.raw_get returns the variables as they are, the mapping access templates every one of them.
        own = self.task_vars["hostvars"].raw_get(host)
        return {**self._of_the_play, **own}

    @cached_property
    def _files(self) -> TenantFiles:
        return TenantFiles(self.loader)

    @cached_property
    def _of_the_play(self) -> dict[str, Any]:
        mine = self.task_vars["hostvars"].raw_get(self.task_vars["inventory_hostname"])
        return {name: value for name, value in self.task_vars.items() if name not in mine}


def _with(tenants: Any, more: Sequence[Any], templar: Templar, problems: list[Finding]) -> Any:
    """Return a list of tenants with those of files added, templated; what is no list is told to be none."""
    if not isinstance(tenants, list):
        tenants = [] if tenants is None else [tenants]
    paths = (element_path(TENANTS, index, item) for index, item in enumerate(more, len(tenants)))
    return [*tenants, *(_template(templar, item, path, problems) for item, path in zip(more, paths))]


def _template(templar: Templar, value: Any, path: str, problems: list[Finding]) -> Any:
    """Return a value templated; where that fails, as much of it as can be, and a problem for each part that cannot."""
    found = _templated(templar, value, path, problems, 0)
    return None if found is _OMITTED else found


def _templated(templar: Templar, value: Any, path: str, problems: list[Finding], depth: int) -> Any:
    """Return a value templated, `_OMITTED` where a template says so.

    Only texts that can be templates are handed to Ansible, which takes as long for each value of a definition: 300
    definitions of fifteen values in 0.25 s instead of 0.38 s, and that for every host.
    """
    if depth > _TOO_DEEP:
        problems.append(Finding("variable-defined", path, "it is nested too deep, or contains itself", "Write it out"))
        return None
    value = held(templar, value)
    if _is_omitted(templar, value):
        return _OMITTED
    if isinstance(value, Mapping):
        items = {
            plain(str(key)): _templated(templar, item, f"{path}.{key}", problems, depth + 1)
            for key, item in value.items()
        }
        return {key: item for key, item in items.items() if item is not _OMITTED}
    if isinstance(value, list):
        paths = (element_path(path, index, item) for index, item in enumerate(value))
        found = [_templated(templar, item, where, problems, depth + 1) for where, item in zip(paths, value)]
        return [item for item in found if item is not _OMITTED]
    if value is None or isinstance(value, (int, float)) or (isinstance(value, str) and not _MARKS.search(value)):
        return plain(value)
    try:
        # In a list, which is empty where the template says `omit`.
        rendered = next(iter(plain(templar.template([value]))), _OMITTED)
        return _OMITTED if _is_omitted(templar, rendered) else rendered
    except AnsibleError as exc:
        reason = " ".join(str(exc.message).split())
        problems.append(Finding("variable-defined", path, reason, "Define what it refers to"))
        return None


def _is_omitted(templar: Templar, value: Any) -> bool:
    """Say whether a value is the text that ansible-core before 2.19 puts in place of what is omitted."""
    return isinstance(value, str) and value == templar.available_variables.get("omit")


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value without Ansible's tags, lazy containers and vault objects: only what JSON knows."""
    if depth > _TOO_DEEP:
        raise AnsibleError("a variable is nested too deep, or contains itself")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return value + 0
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(item, depth + 1) for key, item in value.items()}
    # A vault-encrypted text of ansible-core before 2.19 is a sequence of its ciphertext, and decrypts as a text.
    if isinstance(value, (Sequence, set, frozenset)) and not hasattr(value, "_ciphertext"):
        return [plain(item, depth + 1) for item in value]
    return str.__str__(str(value))
