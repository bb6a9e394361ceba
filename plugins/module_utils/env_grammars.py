# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of environment variables, whoever wrote them, as the program that reads them does: systemd, or dotenv.

Neither ever refuses a file: what cannot be read is skipped, and so it is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions

# systemd drops names that are none with a line in its log (env_name_is_valid).
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WHITESPACE = " \t\n\r"
_UNQUOTED = '"\\`$'
# dotenv 8 (lib/main.js); the parser of @cubejs-backend/dotenv 9 is the same but for values over several lines.
_KEY_VALUE = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=\s*(.*)", re.DOTALL)
_NEWLINES = re.compile(r"\r\n|\n|\r")
# The server's package depends on @cubejs-backend/dotenv 9, and asks for line breaks within quotes, in 0.27.53.
DOTENV_MULTILINE = ">=0.27"


def systemd_file(text: str) -> dict[str, str]:
    """Return the variables of an EnvironmentFile=; of several lines with one name the last counts."""
    return {name: value for name, value in _Systemd(text).pairs() if _NAME.fullmatch(name)}


class _Systemd:
    """systemd's own state machine (parse_env_file_internal): quotes may begin and end anywhere in a value."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._key = ""
        self._value: list[str] = []
        self._kept = 0  # how much of the value stays when blanks at its end go
        self._state: Callable[[str], None] = self._before_key
        self._done: list[tuple[str, str]] = []

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield name and value of each assignment."""
        for character in self._text.replace("\r\n", "\n"):
            self._state(character)
        if self._state not in (self._before_key, self._in_key, self._in_comment, self._after_comment_escape):
            self._push()
        return iter(self._done)

    def _push(self) -> None:
        self._done.append((self._key.rstrip(_WHITESPACE), "".join(self._value[: self._kept])))
        self._state = self._before_key

    def _keep(self, character: str) -> None:
        self._value.append(character)
        self._kept = len(self._value)

    def _before_key(self, character: str) -> None:
        if character in "#;":
            self._state = self._in_comment
        elif character not in _WHITESPACE:
            self._key, self._value, self._kept = character, [], 0
            self._state = self._in_key

    def _in_key(self, character: str) -> None:
        if character == "\n":
            self._state = self._before_key
        elif character == "=":
            self._state = self._before_value
        else:
            self._key += character

    def _before_value(self, character: str) -> None:
        if character == "\n":
            self._push()
        elif character == "'":
            self._state = self._in_single
        elif character == '"':
            self._state = self._in_double
        elif character == "\\":
            self._state = self._after_escape
        elif character not in _WHITESPACE:
            self._keep(character)
            self._state = self._in_value

    def _in_value(self, character: str) -> None:
        if character == "\n":
            self._push()
        elif character == "\\":
            self._kept = len(self._value)
            self._state = self._after_escape
        elif character in _WHITESPACE:
            self._value.append(character)
        else:
            self._keep(character)

    def _after_escape(self, character: str) -> None:
        self._state = self._in_value
        if character != "\n":
            self._keep(character)

    def _in_single(self, character: str) -> None:
        if character == "'":
            self._state = self._before_value
        else:
            self._keep(character)

    def _in_double(self, character: str) -> None:
        if character == '"':
            self._state = self._before_value
        elif character == "\\":
            self._state = self._after_double_escape
        else:
            self._keep(character)

    def _after_double_escape(self, character: str) -> None:
        self._state = self._in_double
        if character in _UNQUOTED:
            self._keep(character)
        elif character != "\n":
            self._keep("\\")
            self._keep(character)

    def _in_comment(self, character: str) -> None:
        if character == "\\":
            self._state = self._after_comment_escape
        elif character == "\n":
            self._state = self._before_key

    def _after_comment_escape(self, _character: str) -> None:
        self._state = self._in_comment


def dotenv_file(text: str, version: str | None) -> dict[str, str]:
    """Return the variables of a .env as the dotenv of this version of Cube reads it; None is a current one.

    It knows no comment behind a value, and takes quotes away only where nothing, not even a blank, follows them.
    """
    multiline = version is None or versions.within(version, DOTENV_MULTILINE)
    found = {}
    lines = iter(_NEWLINES.split(text))
    for line in lines:
        match = _KEY_VALUE.match(line)
        if match is not None:
            found[match[1]] = _dotenv_value(match[2], lines if multiline else None)
    return found


def _dotenv_value(value: str, following: Iterator[str] | None) -> str:
    quote = value[:1]
    # A lone quote is its own end there, and stays.
    if quote not in ('"', "'") or len(value) == 1:
        return value.strip()
    if value.endswith(quote):
        inner = value[1:-1]
        return inner.replace("\\n", "\n") if quote == '"' else inner
    if following is None:
        return value.strip()
    parts = [value[1:]]
    for line in following:
        if line.endswith(quote):
            parts.append(line[:-1])
            break
        parts.append(line)
    return "\n".join(parts)
