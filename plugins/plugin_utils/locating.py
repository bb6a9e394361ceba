# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where variables of an inventory stand: the file and line that Ansible remembers, or that a search finds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Location

try:
    # From 2.19; there is no public way to it. What it has is told to people and decides nothing.
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

_PART = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")
_SUFFIXES = ("", ".yml", ".yaml", ".json", ".ini")
_FOLDERS = ("group_vars", "host_vars")
_MOST_BYTES = 4 * 1024 * 1024


class Locator:
    """Finds subjects such as `cubejs_tenants[acme].redis.pool_max` in variables as they were read.

    variables: host -> name -> the raw value, which carries its origin. sources: the inventory's files and folders.
    base: what the told paths are relative to, where they lie below it.
    """

    def __init__(
        self, variables: Iterable[Mapping[str, Any]], sources: Iterable[str | None] = (), base: str | None = None
    ) -> None:
        self._variables = tuple(variables)
        self._sources = tuple(Path(source) for source in sources if source)
        self._base = Path(base) if base else None

    def locate(self, subject: str) -> Location | None:
        """Return where a subject stands, or the nearest of what it is in; None for what is no variable."""
        parts = [name or f"[{element}" for name, element in _PART.findall(subject)]
        if not parts:
            return None
        for variables in self._variables:
            if parts[0] in variables:
                found = _nearest(variables, parts) or self._searched.get(parts[0])
                if found:
                    return Location(self._relative(found[0]), found[1])
        return None

    def _relative(self, path: str) -> str:
        if self._base and Path(path).is_relative_to(self._base):
            return str(Path(path).relative_to(self._base))
        return path

    @cached_property
    def _searched(self) -> dict[str, tuple[str, int]]:
        """Return top-level variable -> where a file first sets it; for values that Ansible has no origin of."""
        names = {name for variables in self._variables for name in variables}
        line_of = re.compile(r"^\s*[\"']?([A-Za-z_][A-Za-z0-9_]*)[\"']?\s*[:=]")
        found: dict[str, tuple[str, int]] = {}
        for path in self._files():
            for number, line in enumerate(_lines(path), 1):
                match = line_of.match(line)
                if match and match[1] in names:
                    found.setdefault(match[1], (str(path), number))
        return found

    def _files(self) -> Iterator[Path]:
        for source in self._sources:
            folder = source if source.is_dir() else source.parent
            for name in _FOLDERS:
                yield from sorted(each for each in folder.glob(f"{name}/**/*") if each.suffix in _SUFFIXES)
            yield from [source] if source.is_file() else sorted(each for each in folder.glob("*") if each.is_file())


def _lines(path: Path) -> Iterator[str]:
    try:
        if path.is_file() and path.stat().st_size <= _MOST_BYTES:
            yield from path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return


def _nearest(variables: Mapping[str, Any], parts: list[str]) -> tuple[str, int] | None:
    """Return the origin of the last part of a path that has one."""
    value: Any = variables
    found: tuple[str, int] | None = None
    for part in parts:
        key, value = _step(value, part)
        if value is None and key is None:
            break
        found = _origin(key) or _origin(value) or found
    return found


def _step(value: Any, part: str) -> tuple[Any, Any]:
    """Return a key, as it was written, and its value; or None and the element of a list."""
    if part.startswith("["):
        return None, _element(value, part[1:])
    if not isinstance(value, Mapping):
        return None, None
    return next(((key, item) for key, item in value.items() if key == part), (None, None))


def _element(value: Any, name: str) -> Any:
    if not isinstance(value, (list, tuple)):
        return None
    named = (item for item in value if isinstance(item, Mapping) and item.get("name") == name)
    by_place = value[int(name)] if name.isdecimal() and int(name) < len(value) else None
    return next(named, by_place)


def _origin(value: Any) -> tuple[str, int] | None:
    """Return file and line of a value; None where Ansible does not know them."""
    if value is None:
        return None
    tag = Origin.get_tag(value) if Origin else None
    if tag is not None:
        return (tag.path, tag.line_num or 0) if tag.path else None
    position = getattr(value, "ansible_pos", None)
    if isinstance(position, tuple) and position[:1] and position[0] and Path(str(position[0])).is_absolute():
        return str(position[0]), int(position[1] or 0)
    return None
