# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values checked against a role's argument_specs: all findings at once, secrets masked, a misspelt key's nearest name.

Ansible's own check of a role's arguments prints values that fail, one role at a time, and on a role's
host. This one reads the same specification before any host is touched.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import MASK, Finding

Options = Mapping[str, Mapping[str, Any]]

_TRUE = frozenset(("yes", "on", "true", "1", "y", "t"))
_FALSE = frozenset(("no", "off", "false", "0", "n", "f"))
_EXPECTED = {
    "str": "a text",
    "path": "a path",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a dictionary",
}
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
UNSET = object()


@dataclass
class Checker:
    """Collects the findings of one pass over a specification."""

    findings: list[Finding] = field(default_factory=list)

    def options(self, options: Options, values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
        """Return the values with defaults filled in; what was wrong is left out and found."""
        for key in values:
            if key not in options:
                self._unknown(_join(path, str(key)), str(key), options)
        checked: dict[str, Any] = {}
        for key, option in options.items():
            given = values.get(key)
            # Most keys of most tenants: a third of the time of a plan of 300.
            if given is None and option.get("default") is None and not option.get("required"):
                checked[key] = None
                continue
            value = self.value(option, given, _join(path, key))
            if value is not UNSET:
                checked[key] = value
        return checked

    def value(self, option: Mapping[str, Any], value: Any, path: str) -> Any:
        """Return one value, converted and with defaults filled in; UNSET where it is missing or wrong."""
        if value is None:
            if option.get("required"):
                self._found("value-required", path, "it is not set", f"Set it: {_summary(option)}")
                return UNSET
            value = option.get("default")
            if value is None:
                return None
        kind = str(option.get("type", "str"))
        converted = _convert(kind, value)
        if converted is UNSET:
            shown = MASK if option.get("no_log") else f"{value!r} is a {type(value).__name__}"
            self._found("value-type", path, f"{shown}, not {_EXPECTED[kind]}", _type_remedy(kind, value, option))
            return self._fallback(option, path)
        choices = option.get("choices")
        if choices and converted not in choices:
            shown = MASK if option.get("no_log") else repr(converted)
            allowed = ", ".join(map(str, choices))
            self._found("value-choice", path, f"{shown} is not allowed", f"Use one of {allowed}")
            return self._fallback(option, path)
        return self._nested(option, converted, path)

    def _nested(self, option: Mapping[str, Any], value: Any, path: str) -> Any:
        options = option.get("options")
        if isinstance(value, dict) and options:
            return self.options(options, value, path)
        if isinstance(value, list) and option.get("elements"):
            element = {"type": option["elements"], "options": options, "no_log": option.get("no_log")}
            items = (self.value(element, item, element_path(path, index, item)) for index, item in enumerate(value))
            return [item for item in items if item is not UNSET and item is not None]
        return value

    def _fallback(self, option: Mapping[str, Any], path: str) -> Any:
        default = option.get("default")
        return UNSET if default is None else self._nested(option, default, path)

    def _unknown(self, path: str, key: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = nearest(key, names)
        remedy = f"Did you mean {near}?" if near else f"Known keys: {', '.join(names)}"
        self._found("unknown-key", path, "there is no such key", remedy)

    def _found(self, rule: str, path: str, message: str, remedy: str) -> None:
        self.findings.append(Finding(rule, path, message, remedy))


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name that a misspelt one is nearest to; None when none is near."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)), None)


def element_path(path: str, index: int, item: Any) -> str:
    """Return the path of a list's element: by its name where it has one, else by its place (from 0)."""
    name = item.get("name") if isinstance(item, Mapping) else None
    return f"{path}[{name if isinstance(name, str) and name else index}]"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _convert(kind: str, value: Any) -> Any:
    """Return the value as its type, or UNSET; texts that Ansible would convert (from -e) are converted."""
    text = value.strip().lower() if isinstance(value, str) else None
    if kind == "bool":
        if isinstance(value, bool):
            return value
        return True if text in _TRUE else False if text in _FALSE else UNSET
    if isinstance(value, bool):
        return value if kind == "raw" else UNSET
    if kind == "int":
        if text is not None and _WHOLE_NUMBER.fullmatch(text):
            return int(text)
        return value if isinstance(value, int) else UNSET
    if kind in ("str", "path"):
        return value if isinstance(value, str) else UNSET
    if kind == "float":
        return float(value) if isinstance(value, (int, float)) else UNSET
    if kind == "list":
        return list(value) if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else UNSET
    if kind == "dict":
        return dict(value) if isinstance(value, Mapping) else UNSET
    return value


def _summary(option: Mapping[str, Any]) -> str:
    description = option.get("description", "")
    first = description if isinstance(description, str) else str(next(iter(description), ""))
    return " ".join(first.split()).partition(". ")[0].rstrip(".")


def _type_remedy(kind: str, value: Any, option: Mapping[str, Any]) -> str:
    if kind in ("str", "path") and isinstance(value, (int, float, bool)):
        return "Put it in quotes"
    if kind == "list" and isinstance(value, str) and not option.get("no_log"):
        return f"Write a list: [{value}]"
    return f"Write {_EXPECTED[kind]}: {_summary(option)}"
