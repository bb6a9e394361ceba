# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a managed_files task asks for, turned into the set of files that is sent to the host."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.file_layouts import Entrance
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_validation import Validation
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import ManagedFilesError, WantedFile
from ansible_collections.cubeops.cubejs.plugins.module_utils.managed_files import FileSet
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.rendering import Row

SOURCES = ("template", "content", "link")
PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
MODE = re.compile(r"^0?[0-7]{3}$")

Render = Callable[[str, Sequence[Row]], Sequence[str]]
Lists = Mapping[str, Sequence[Any]]


def build(arguments: Mapping[str, Any], render: Render) -> list[FileSet]:
    """Return the wanted sets, in their order; `render` renders a template for many rows at once."""
    sets = [_set(each, render, arguments["items"]) for each in (arguments, *arguments["also"])]
    names = [each.name for each in sets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ManagedFilesError(f"also: {', '.join(twice)} is written twice: give each set a name of its own")
    return sets


def _set(arguments: Mapping[str, Any], render: Render, lists: Lists) -> FileSet:
    files: list[WantedFile] = []
    problems: list[str] = []
    for entry in arguments["files"]:
        found, problem = _attempt(entry, render, lists)
        files += found
        problems += problem
    if problems:
        raise ManagedFilesError("; ".join(problems))
    checks = tuple(Validation(**step) for step in arguments["validate"])
    entrances = tuple(Entrance(**entrance) for entrance in arguments.get("entrances", ()))
    keep, forget = arguments.get("keep_unlisted", False), tuple(arguments.get("forget", ()))
    return FileSet(arguments["name"], tuple(files), arguments["root"], checks, entrances, keep, forget)


def _attempt(entry: Mapping[str, Any], render: Render, lists: Lists) -> tuple[list[WantedFile], list[str]]:
    try:
        return _expand(entry, render, lists), []
    except ManagedFilesError as exc:
        return [], [str(exc)]


def _expand(entry: Mapping[str, Any], render: Render, lists: Lists) -> list[WantedFile]:
    """Return the files of one entry: one, or one for each of its items."""
    dest = entry["dest"]
    given = [source for source in SOURCES if entry[source] is not None]
    if len(given) != 1:
        raise ManagedFilesError(
            f"{dest}: write exactly one of {', '.join(SOURCES)} (found: {', '.join(given) or 'none'})"
        )
    items = _items(entry, lists)
    rows = [Row(dest)] if items is None else [Row(fill(dest, item, dest), item) for item in items]
    source = given[0]
    if source == "template":
        texts = render(entry["template"], rows)
    elif items is None:
        texts = [entry[source]]
    else:
        texts = [fill(entry[source], row.item, f"{source} of {row.dest}") for row in rows]
    return [_file(entry, row.dest, text) for row, text in zip(rows, texts)]


def _items(entry: Mapping[str, Any], lists: Lists) -> Sequence[Any] | None:
    """Return an entry's items: as they are given, or those of a list by its name; of them those with `only`."""
    found = entry["for_each"]
    if isinstance(found, str):
        if found not in lists:
            known = ", ".join(sorted(lists)) or "nothing"
            raise ManagedFilesError(f"{entry['dest']}: for_each: there is no {found!r} in items, which has {known}")
        found = lists[found]
    if found is not None and not isinstance(found, (list, tuple)):
        raise ManagedFilesError(f"{entry['dest']}: for_each: write a list, or the name of one in items")
    return found if found is None or entry["only"] is None else [item for item in found if item[entry["only"]]]


def _file(entry: Mapping[str, Any], dest: str, text: str) -> WantedFile:
    mode = entry["mode"] or ("0600" if entry["secret"] else "0644")
    if not MODE.match(mode):
        raise ManagedFilesError(f"{dest}: mode {mode} is not understood; write octal digits in quotes, as in '0640'")
    is_link = entry["link"] is not None
    return WantedFile(
        dest=dest,
        content=b"" if is_link else text.encode("utf-8", "surrogateescape"),
        link=text if is_link else None,
        mode=int(mode, 8),
        owner=entry["owner"],
        group=entry["group"],
        secret=entry["secret"],
    )


def fill(pattern: str, item: Any, where: str) -> str:
    """Return the pattern with `{key}` filled from the item; braces around anything but a name stay as they are."""

    def value(match: re.Match[str]) -> str:
        key = match.group(1)
        if not isinstance(item, Mapping):
            raise ManagedFilesError(f"{where}: the item is no dictionary, so that it has no {key!r}")
        if key not in item:
            raise ManagedFilesError(f"{where}: the item has no {key!r}; it has {', '.join(sorted(map(str, item)))}")
        return str(item[key])

    return PLACEHOLDER.sub(value, pattern)
