# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an account may do, by the lines of SHOW GRANTS: on which schemas, and beyond them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_accounts import AccountError, parse_grant, target

EVERYTHING = "*.*"
ALL = "ALL PRIVILEGES"

_SCHEMA = re.compile(r"`((?:[^`]|``)+)`\.\*")
# One character, or an escaped one.
_PART = re.compile(r"\\?.", re.DOTALL)


@dataclass(frozen=True)
class Grants:
    """Privileges by place, as the server writes places. not_understood: lines of which nothing is known."""

    places: dict[str, frozenset[str]] = field(default_factory=dict)
    not_understood: tuple[str, ...] = ()

    def on(self, schema: str) -> frozenset[str]:
        """Return the privileges on all tables of a schema."""
        return frozenset(one for place, held in self.places.items() if covers(place, schema) for one in held)

    def lacks(self, schema: str, needed: Iterable[str]) -> tuple[str, ...]:
        """Return those of the privileges that are not held on a schema."""
        held = self.on(schema)
        return () if ALL in held else tuple(one for one in needed if one not in held)

    def beyond(self, schemas: Iterable[str]) -> tuple[str, ...]:
        """Return the places, with what is held there, that are neither these schemas by themselves nor a role."""
        own = {target(schema) for schema in schemas}
        return tuple(
            f"{', '.join(sorted(held))} on {place}"
            for place, held in self.places.items()
            if place and held and place not in own
        )


def parse(lines: Iterable[str]) -> Grants:
    """Return what the lines of SHOW GRANTS give; roles stand under the empty place."""
    places: dict[str, frozenset[str]] = {}
    strange = []
    for line in lines:
        try:
            place, privileges = parse_grant(line)
        except AccountError:
            strange.append(line.partition(" TO ")[0])
            continue
        if privileges:
            places[place] = places.get(place, frozenset()) | privileges
    return Grants(places, tuple(strange))


def covers(place: str, schema: str) -> bool:
    """Say whether a place of a grant holds all tables of a schema; `_` and `%` are wildcards unless escaped."""
    if place == EVERYTHING:
        return True
    match = _SCHEMA.fullmatch(place)
    return match is not None and _like(_PART.findall(match[1].replace("``", "`")), schema)


def _like(pattern: Sequence[str], text: str) -> bool:
    """Say whether a text is like a pattern of LIKE; at most pattern times text steps, whatever stands in them."""
    at = here = 0
    star, resume = -1, 0
    while here < len(text):
        part = pattern[at] if at < len(pattern) else ""
        if part == "%":
            star, resume = at, here
            at += 1
        elif part and (part == "_" or part[-1] == text[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            at, resume = star + 1, resume + 1
            here = resume
        else:
            return False
    return all(part == "%" for part in pattern[at:])
