# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The record of tenants that are gone, beside the inventory: a line each, `<number> <name> <day>`."""

from __future__ import annotations

import re

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding

VARIABLE = "cubejs_retired_file"
# Of a suffix that Ansible does not take for an inventory, where the whole folder is one.
FILE = "cubejs_retired.txt"
_LINE = re.compile(r"(\d+)\s+([a-z][a-z0-9]*)(\s.*)?")


def numbers(text: str) -> tuple[tuple[int, ...], tuple[Finding, ...]]:
    """Return the numbers on record, and what is wrong with its lines; empty ones and those with a # are comments."""
    found: list[int] = []
    problems = []
    for at, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            message = f"line {at}: {stripped!r} is no number and name"
            problems.append(Finding("value-type", VARIABLE, message, "Write, for example, 4 acme 2026-11-28"))
            continue
        found.append(int(match[1]))
    return tuple(found), tuple(problems)


def line(number: int, tenant: str, day: str) -> str:
    """Return the line of a tenant that is gone."""
    return f"{number} {tenant} {day}"
