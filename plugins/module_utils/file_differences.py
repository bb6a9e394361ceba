# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What changes in a set of files, as people may see it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.file_layouts import Entrance
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import Ownership, WantedFile, read_text
from ansible_collections.cubeops.cubejs.plugins.module_utils.masks import masked_pair


def differences(
    changed: Sequence[WantedFile], removed: Sequence[str], place: Callable[[str], Path], owners: Ownership
) -> list[dict[str, str]]:
    """Return what the changed files were and become, secret ones masked; a removed one may have been secret.

    `place` says where a file of the set is found.
    """
    rows = []
    for file in changed:
        path = place(file.dest)
        before, after = read_text(path), file.link or file.content.decode("utf-8", "replace")
        old, new = _attributes(path, owners), f"{file.mode:04o} {file.owner}:{file.group}"
        if before == after:
            before, after = f"{old}\n", f"{new}\n"
        elif file.secret:
            before, after = masked_pair(before, after)
        rows.append(_diff_row(f"{path} ({old})", f"{path} ({new})", before, after))
    for dest in removed:
        path = place(dest)
        rows.append(_diff_row(str(path), f"{path} (removed)", "present\n", "absent\n"))
    return rows


def entrance_difference(path: Path, entrance: Entrance) -> dict[str, str]:
    """Return what a link around the root was and becomes."""
    before = "absent"
    if path.is_symlink():
        before = f"a link to {path.readlink()}"
    elif path.exists():
        before = "a file"
    kept = f", what was there is kept as {entrance.original}" if entrance.original else ""
    return _diff_row(str(path), str(path), f"{before}\n", f"a link to {entrance.link}{kept}\n")


def _diff_row(before_header: str, after_header: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": before_header, "after_header": after_header, "before": before, "after": after}


def _attributes(path: Path, owners: Ownership) -> str:
    try:
        found = os.lstat(path)
    except OSError:
        return "absent"
    user, group = owners.names(found)
    return f"{stat.S_IMODE(found.st_mode):04o} {user}:{group}"
