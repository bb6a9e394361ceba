# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The environment of one process: its deployment's settings and its own, under the names that its version reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import memory, settings, settings_table

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"')
# A tab is text to systemd.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class EnvironmentFileError(ValueError):
    """A variable that an environment file cannot carry; the message names it, never its value."""


def of_instance(deployment: Mapping[str, Any], instance: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> text of everything in an instance's environment file.

    The deployment's secrets must have been revealed; SettingError otherwise. The tenant's own
    variables come last and never replace one of ours: the plan refuses those.
    """
    values = {**deployment["settings"], **instance["settings"]}
    if instance.get("heap_mb"):
        values["node_options"] = f"--max-old-space-size={instance['heap_mb']}"
    own = {str(name): str(value) for name, value in (deployment.get("environment") or {}).items()}
    return {**own, **settings.resolve(settings_table.TABLE, values, deployment["version"])}


def with_memory(deployment: Mapping[str, Any], share: int) -> dict[str, Any]:
    """Return the deployment with memory and heap for the instances that the plan left open.

    share: bytes of the host's memory that are for Cube.js. The plan does not know it where the
    inventory does not say how much memory a host has.
    """
    return {**deployment, "instances": [_with_memory(instance, share) for instance in deployment["instances"]]}


def _with_memory(instance: Mapping[str, Any], share: int) -> dict[str, Any]:
    # Not copied deeply: Ansible's values carry the variables of the host, and a copy of those takes most of a second.
    limit = memory.process_limit(instance["kind"], share, instance["memory_bytes"])
    return {**instance, "memory_bytes": limit.memory_bytes, "heap_mb": instance["heap_mb"] or limit.heap_mb}


def to_file(values: Mapping[str, Any]) -> str:
    r"""Return the text of a systemd EnvironmentFile: sorted, every value in double quotes.

    systemd takes what is between double quotes as it is, but for a backslash before one of
    `"`, `\`, `` ` `` and `$`. It has no escape for a line break within a line, so that none is
    let through; names are checked too, since systemd drops a bad one with a log line only.
    """
    lines = []
    for name in sorted(values):
        value = values[name]
        if not NAME.fullmatch(name):
            raise EnvironmentFileError(f"{name!r} is no name of a variable: letters, digits and _ only")
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise EnvironmentFileError(f"{name}: a {type(value).__name__} is no text; write it as one, in quotes")
        text = str(value)
        if _CONTROL.search(text):
            raise EnvironmentFileError(f"{name}: a line break or control character cannot stand in an environment file")
        escaped = re.sub(r'(["\\`$])', r"\\\1", text)
        lines.append(f'{name}="{escaped}"')
    return "".join(f"{line}\n" for line in lines)


def from_file(text: str) -> dict[str, str]:
    """Return the variables of a file that `to_file` wrote; comments and empty lines are skipped."""
    found = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(line)
        if match is None:
            raise EnvironmentFileError(f'line {number} is no NAME="value"')
        found[match[1]] = re.sub(r'\\(["\\`$])', r"\1", match[2])
    return found
