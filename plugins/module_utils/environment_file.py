# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Environment files as systemd's EnvironmentFile= reads them: written, and read back."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Within double quotes systemd takes a backslash before one of these away, and leaves every other one alone.
ESCAPED = re.compile(r"([\"\\`$])")
UNESCAPED = re.compile(r"\\([\"\\`$])")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
ASSIGNMENT = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"')


class EnvironmentFileError(ValueError):
    """A variable that the file cannot carry, or a line that is none; the message never holds a value."""


def render(environment: Mapping[str, str]) -> str:
    """Return the text of the file: one quoted assignment a line, sorted by name.

    Raises EnvironmentFileError for a name that the shell and systemd would not take, and for line breaks and other
    control characters: whoever reads the file by lines (a person, grep, an audit) would see variables that are none.
    """
    lines = []
    for name, value in sorted(environment.items()):
        if not NAME.fullmatch(name):
            raise EnvironmentFileError(f"{name!r} is no name of a variable: write letters, digits and _")
        if CONTROL.search(value):
            raise EnvironmentFileError(f"{name} holds a line break or another control character: remove it")
        lines.append('{}="{}"\n'.format(name, ESCAPED.sub(r"\\\1", value)))
    return "".join(lines)


def parse(text: str) -> dict[str, str]:
    """Return the variables of a file that `render` wrote; comments and empty lines are skipped."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = ASSIGNMENT.fullmatch(line.strip())
        if match is None:
            raise EnvironmentFileError(f'line {number} is no NAME="value"')
        found[match[1]] = UNESCAPED.sub(r"\1", match[2])
    return found
