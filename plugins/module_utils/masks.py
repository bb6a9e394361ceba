# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets kept out of what people see: diffs of secret files and output of programs that read them."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "<masked>"
CHANGED_MASK = "<masked, changed>"
# Shorter pieces (`on`, `yes`, a port) are in every output and would hide all of it.
SHORTEST_SECRET = 6

_ASSIGNMENT = re.compile(r"^(?P<key>[A-Za-z_][A-Za-z0-9_]*)=")
_SEPARATORS = re.compile(r"[\s=:;,\"'`]+")


def masked_pair(before: str, after: str) -> tuple[str, str]:
    """Return both sides of a secret file's diff without its secrets.

    A file of assignments shows its keys and which of them change; of any other file only how many lines change, since
    nothing tells which of its words may be shown.
    """
    if all(map(_is_assignments, (before, after))):
        return _masked_assignments(before, after)
    old, new = before.splitlines(), after.splitlines()
    masked_new = [MASK if index < len(old) and line == old[index] else CHANGED_MASK for index, line in enumerate(new)]
    return _join([MASK] * len(old)), _join(masked_new)


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return the text with every occurrence of the secrets replaced."""
    for secret in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def secrets_in(text: str) -> set[str]:
    """Return what a secret file's text may give away: its lines, the values assigned in it, and its longer words."""
    found: set[str] = set()
    for line in text.splitlines():
        stripped = line.strip()
        found.update({stripped, stripped.partition("=")[2].strip("\"'"), *_SEPARATORS.split(stripped)})
    return {piece for piece in found if len(piece) >= SHORTEST_SECRET}


def _is_assignments(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return all(_ASSIGNMENT.match(line) for line in lines)


def _masked_assignments(before: str, after: str) -> tuple[str, str]:
    old = _assignments(before)
    masked_new = []
    for key, value in _assignments(after).items():
        masked_new.append(f"{key}={MASK if old.get(key) == value else CHANGED_MASK}")
    return _join([f"{key}={MASK}" for key in old]), _join(masked_new)


def _assignments(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        match = _ASSIGNMENT.match(line)
        if match:
            found[match.group("key")] = line[match.end() :]
    return found


def _join(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
