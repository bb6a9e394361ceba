# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tenants from one file each in a folder on the controller: `acme.yml` holds the definition of tenant acme."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.trust import trust_as_template

DIRECTORY = "cubejs_tenants_dir"
SUFFIXES = (".yml", ".yaml", ".json")
# What Ansible's own reader of YAML has to see: tags of its own, and files that ansible-vault encrypted as a whole.
_MARKS = ("!", "$ANSIBLE_VAULT")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Found:
    """Definitions as they are written, templates and all, and what is wrong with their files."""

    definitions: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class TenantFiles:
    """Reads folders of tenants, each once."""

    loader: Any
    _read: dict[Path, Found] = field(default_factory=dict)

    def of(self, directory: Any, base: Any) -> Found:
        """Return the tenants of a folder, in the order of their names; a relative path starts in base."""
        if not isinstance(directory, str) or not directory:
            return Found()
        folder = Path(str(base or "")) / Path(directory).expanduser()
        if folder not in self._read:
            self._read[folder] = self._folder(folder)
        return self._read[folder]

    def _folder(self, folder: Path) -> Found:
        found = Found()
        try:
            paths = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.name[0] != ".")
        except OSError as exc:
            remedy = "Correct the path; a relative one starts in the inventory's folder"
            found.findings.append(Finding("path-exists", DIRECTORY, f"{folder}: {exc.strerror}", remedy))
            return found
        for path in paths:
            found.findings += self._add(path, found.definitions)
        return found

    def _add(self, path: Path, definitions: list[dict[str, Any]]) -> Iterator[Finding]:
        """Add a file's tenant; yield what is wrong with the file, without a word of what it holds."""
        subject = f"{DIRECTORY}/{path.name}"
        try:
            content = self._content(path)
        except (OSError, UnicodeDecodeError, AnsibleError, yaml.YAMLError) as exc:
            yield Finding("tenant-file", subject, f"it cannot be read{_place(exc)}", "Write YAML, as in cubejs_tenants")
            return
        if not isinstance(content, Mapping):
            message = "it holds no dictionary"
            yield Finding("tenant-file", subject, message, "Write the keys of one tenant, as in cubejs_tenants")
            return
        name = content.get("name", path.stem)
        if name != path.stem:
            message = f"its name is {name!r}" if isinstance(name, str) else "its name is no text"
            yield Finding("tenant-file", subject, message, f"Call the file {name}.yml, or leave the name out")
        definitions.append({"name": path.stem, **content})

    def _content(self, path: Path) -> Any:
        text = path.read_bytes().decode("utf-8")
        if any(mark in text for mark in _MARKS):
            return self._by_ansible(path)
        # An eighth of the time; the plan's findings name the tenant, so that lines need not be known.
        return _trusted(yaml.load(text, _Loader))  # noqa: S506 a safe loader, in C

    def _by_ansible(self, path: Path) -> Any:
        try:
            return self.loader.load_from_file(str(path), trusted_as_template=True)
        except TypeError:  # before 2.19
            return self.loader.load_from_file(str(path))


def _trusted(value: Any) -> Any:
    """Return a value whose strings are templates, as those of an inventory are."""
    if isinstance(value, str):
        return trust_as_template(value) if "{" in value else value
    if isinstance(value, dict):
        return {key: _trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    return value


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1})" if mark else ""
