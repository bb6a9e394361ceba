# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of a configuration file compared with the variables of a running MySQL or MariaDB server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

UNITS: Mapping[str, int] = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
TRUE = ("ON", "TRUE", "YES", "1")
FALSE = ("OFF", "FALSE", "NO", "0")

_NUMBER = re.compile(r"^(\d+)([KMGT]?)$", re.IGNORECASE)


@dataclass(frozen=True)
class Difference:
    """A variable that is not what the configuration says; both values as the server writes them."""

    variable: str
    running: str
    wanted: str


@dataclass(frozen=True)
class Comparison:
    """What differs, and which settings are no variables, so that only a restart makes sure of them."""

    differences: tuple[Difference, ...]
    unseen: tuple[str, ...]


def compare(settings: Iterable[tuple[str, str]], running: Mapping[str, str]) -> Comparison:
    """Compare settings (name, value) with the running server's variables."""
    differences, unseen = [], []
    for name, value in settings:
        found = _variable(name, value, running)
        if found is None:
            # `loose_` says that a server without the setting is none the worse.
            unseen += [] if _plain(name).startswith("loose_") else [name]
            continue
        variable, wanted = found
        if not same(running[variable], wanted):
            differences.append(Difference(variable, running[variable], wanted))
    return Comparison(tuple(differences), tuple(unseen))


def same(one: str, other: str) -> bool:
    """Return whether two ways of writing a value mean the same: sizes, switches, sets in any order."""
    return _meaning(one) == _meaning(other)


def is_lower(one: str, other: str) -> bool:
    """Return whether both are sizes, and the first is the smaller."""
    sizes = _size(one), _size(other)
    return sizes[0] is not None and sizes[1] is not None and sizes[0] < sizes[1]


def settable(wanted: str) -> int | str:
    """Return a value as SET GLOBAL takes it: sizes as numbers."""
    size = _size(wanted)
    return wanted if size is None else size


def _variable(name: str, value: str, running: Mapping[str, str]) -> tuple[str, str] | None:
    """Return which variable a setting decides on, and the value it gets; None when there is no such variable."""
    plain = _plain(name)
    plain = plain[len("loose_") :] if plain.startswith("loose_") else plain
    value = value.strip('"')
    if plain in running:
        return plain, value
    opposite = plain[len("skip_") :]
    if plain.startswith("skip_") and opposite in running:
        return opposite, "OFF" if value.upper() in ("", *TRUE) else "ON"
    return None


def _plain(name: str) -> str:
    return name.replace("-", "_").lower()


def _meaning(value: str) -> object:
    upper = value.strip().upper()
    if upper in TRUE:
        return 1
    if upper in FALSE:
        return 0
    size = _size(upper)
    if size is not None:
        return size
    try:
        return float(upper)
    except ValueError:
        return frozenset(part.strip() for part in upper.split(","))


def _size(value: str) -> int | None:
    match = _NUMBER.match(value.strip())
    return int(match[1]) * UNITS[match[2].upper()] if match else None
