# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The environment that Cube.js reads, by version: how rows are resolved into variables.

The rows themselves stand in settings_table.py. Each has two ranges: the versions that read the
variable (which is what an audit judges), and the versions for which it is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions

NEVER = "never"


class SettingError(ValueError):
    """A value that cannot become an environment variable; the message says why."""


# A row is itself only: compared and hashed by identity, since tables are keys of a cache.
@dataclass(frozen=True, eq=False)
class Setting:
    """One environment variable of Cube.js.

    name: the setting; synonyms (old and new variable of one setting) share it.
    target: the environment variable.
    doc: what it does, with the trap that is known of it.
    type: str, int, bool or csv (a list, joined by commas).
    read: the versions that read the variable ("" is all).
    write: the versions for which it is written; NEVER leaves it to a tenant's `environment`.
    precedence: which synonym wins where several are read; 1 wins.
    secret: the value never appears in output.
    true_only: written for true and left out for false, for versions in which any text means true.
    refused: why nobody may set it; "" where it is allowed.
    """

    name: str
    target: str
    doc: str
    type: str = "str"
    read: str = ""
    write: str = ""
    precedence: int = 1
    secret: bool = False
    true_only: bool = False
    refused: str = ""

    def is_read_by(self, version: str) -> bool:
        """Say whether this version of Cube looks at the variable."""
        return versions.within(version, self.read)

    def is_written_for(self, version: str) -> bool:
        """Say whether the variable is set for this version."""
        return self.write != NEVER and versions.within(version, self.write)

    def render(self, value: object) -> str | None:
        """Return the variable's text, None where it is left out; raise SettingError for a wrong type."""
        if value is None or (self.true_only and value is False):
            return None
        if self.type == "bool" and isinstance(value, bool):
            return "true" if value else "false"
        if self.type == "int" and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if self.type == "csv" and isinstance(value, (list, tuple)):
            return ",".join(str(part) for part in value) or None
        if self.type == "str" and isinstance(value, (str, int)) and not isinstance(value, bool):
            return str(value)
        # A reference to a secret that was not revealed arrives here as a dictionary.
        raise SettingError(f"{self.name}: a {type(value).__name__} cannot become {self.target} ({self.type})")


def resolve(rows: Iterable[Setting], values: Mapping[str, object], version: str) -> dict[str, str]:
    """Return variable -> text for the values that are set (not None) and that this version reads.

    Raises SettingError for a name that no row has and for a value of a wrong type.
    """
    rows = tuple(rows)
    strangers = set(values) - {row.name for row in rows}
    if strangers:
        raise SettingError(f"no such setting: {', '.join(sorted(strangers))}")
    texts = {
        row.target: row.render(values[row.name]) for row in rows if row.name in values and row.is_written_for(version)
    }
    return {target: text for target, text in texts.items() if text is not None}


@cache
def _carried(rows: tuple[Setting, ...], version: str) -> frozenset[str]:
    return frozenset(row.name for row in rows if row.is_written_for(version))


def unread(rows: tuple[Setting, ...], values: Mapping[str, object], version: str) -> tuple[str, ...]:
    """Return the names of settings that are set but that no variable carries in this version."""
    carried = _carried(rows, version)
    return tuple(sorted(name for name, value in values.items() if value is not None and name not in carried))


def read_by(rows: tuple[Setting, ...], values: Mapping[str, object], version: str) -> dict[str, object]:
    """Return the settings that are set and that a variable carries in this version, sorted by name."""
    carried = _carried(rows, version)
    return {name: value for name, value in sorted(values.items()) if value is not None and name in carried}


def winner(rows: Sequence[Setting], name: str, version: str, present: Iterable[str]) -> Setting | None:
    """Return the row of a setting that this version obeys among the variables present; None if none is."""
    found = present if isinstance(present, (Mapping, Set)) else set(present)
    return next((row for row in _synonyms(tuple(rows), name, version) if row.target in found), None)


@cache
def _synonyms(rows: tuple[Setting, ...], name: str, version: str) -> tuple[Setting, ...]:
    """Return the rows of a setting that a version reads, the one that wins first."""
    return tuple(sorted((row for row in rows if row.name == name and row.is_read_by(version)), key=_precedence))


def _precedence(row: Setting) -> int:
    return row.precedence


def by_target(rows: Sequence[Setting], target: str) -> tuple[Setting, ...]:
    """Return the rows of one environment variable; one may have several, by version."""
    return tuple(row for row in rows if row.target == target)
