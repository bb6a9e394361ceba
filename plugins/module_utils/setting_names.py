# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which variables a version of Cube.js reads, told by their names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ansible_collections.cubeops.cubejs.plugins.module_utils import schema
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Problem
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings import Setting, by_target
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

# Short names differ by a letter without being a slip (CUBEJS_DB_..., one set for each driver).
_DRIVERS_OWN = "CUBEJS_DB_"
_MISSPELT_CUTOFF = 0.9
# Nobody's slip is as long; a hostile name could be a megabyte, and comparing costs its square.
_LONGEST = 80

ROWS: Mapping[str, tuple[Setting, ...]] = {row.target: by_target(TABLE, row.target) for row in TABLE}


def is_read(name: str, version: str) -> bool:
    """Return whether a version reads a variable of the table."""
    return any(row.is_read_by(version) for row in ROWS.get(name, ()))


def problem(name: str, version: str) -> Problem | None:
    """Return why a variable that is set does nothing in a version: it is not read there, or misspelt; else None."""
    return None if len(name) > _LONGEST else _problem(name, version)


@lru_cache(maxsize=4096)
def _problem(name: str, version: str) -> Problem | None:
    rows = ROWS.get(name, ())
    if rows:
        if is_read(name, version):
            return None
        return Problem(
            f"Cube {version} does not read it (read: {rows[0].read})", "Remove it, or use a version that reads it"
        )
    if not name.startswith("CUBEJS_") or name.startswith(_DRIVERS_OWN):
        return None
    near = schema.nearest(name, list(ROWS), _MISSPELT_CUTOFF)
    return Problem("Cube is not known to read it", f"Did you mean {near}?") if near else None
