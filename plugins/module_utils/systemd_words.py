# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words as systemd writes them: how it quotes the variables in the property Environment."""

from __future__ import annotations

import re


def assignments(text: str) -> dict[str, str]:
    """Return the variables in the property Environment, which systemd quotes as a shell would.

    What has control characters in it stands in $'...'; what is not quoted as it should be is taken as it is.
    """
    found = {}
    for word in _WORD.findall(text):
        name, assigned, value = _unquoted(word).partition("=")
        if assigned:
            found[name] = value
    return found


# Pieces of a word: "..." and '...' and $'...' with their escapes, and whatever is no blank.
_WORD = re.compile(r"""(?:\$?'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\\.|[^\s"'])+""", re.DOTALL)
_PIECE = re.compile(r"""(\$?)'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|\\(.)""", re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|[0-7]{3}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "s": " "}


def _unquoted(word: str) -> str:
    def inner(match: re.Match[str]) -> str:
        dollar, single, double, escaped = match.groups()
        if double is not None:
            return re.sub(r'\\(["\\`$])', r"\1", double)
        if single is not None:
            return _ESCAPE.sub(_character, single) if dollar else single
        return escaped

    return _PIECE.sub(inner, word)


def _character(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "x" and len(code) == 3:
        return chr(int(code[1:], 16))
    return chr(int(code, 8)) if len(code) == 3 else _LETTERS.get(code, code)
