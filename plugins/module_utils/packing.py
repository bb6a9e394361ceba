# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lists of what there is one of for each tenant, as one text on their way through Ansible.

Ansible takes about 10 us for each value of a list or dictionary whenever a task or a template passes it on, looked at
or not (measured with ansible-core 2.19); a text it passes on as it is. What the plan has for 300 tenants is 38,000
values and passed on a dozen times (docs/decisions/0086-many-values-travel-as-one-text.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MARK = "cubeops.cubejs.packed:"
# Within JSON these pairs only stand in texts. ansible-core before 2.19 would take them for a template's.
_TEMPLATES = tuple((f"{{{character}", f"\\u007b{character}") for character in "{%#")


def pack(value: Any) -> str:
    """Return a value as a text that `unpack` makes the value of again. It hides nothing: JSON behind a mark."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # `{{{` holds the pair twice, one letter apart.
    while any(pair in text for pair, _escaped in _TEMPLATES):
        for pair, escaped in _TEMPLATES:
            text = text.replace(pair, escaped)
    return MARK + text


def unpack(value: Any) -> Any:
    """Return what was packed; anything else as it is."""
    return json.loads(value[len(MARK) :]) if isinstance(value, str) and value.startswith(MARK) else value


def unpack_within(value: Any) -> Any:
    """Return a task's arguments with everything in them unpacked."""
    if isinstance(value, str):
        return unpack(value)
    if isinstance(value, Mapping):
        return {key: unpack_within(item) for key, item in value.items()}
    return [unpack_within(item) for item in value] if isinstance(value, (list, tuple)) else value


def told(arguments: Mapping[str, Any], most: int = 20) -> dict[str, Any]:
    """Return what a module says it was called with: of lists and dictionaries with more than `most` items the number.

    Ansible looks for each secret that a module was given in each text of its result: the square of the tenants' number.
    """
    return {"module_args": {key: _counted(value, most) for key, value in arguments.items()}}


def _counted(value: Any, most: int) -> Any:
    return f"{len(value)} of them" if isinstance(value, (list, dict)) and len(value) > most else value


def pack_lists(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping in which each list of dictionaries is packed."""
    return {key: pack_many(item) for key, item in value.items()}


def pack_many(value: Any) -> Any:
    """Return a list of dictionaries packed, which grows with the number of tenants; anything else as it is.

    An empty list is left: templates ask whether there is anything in it.
    """
    return pack(value) if isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping) else value
