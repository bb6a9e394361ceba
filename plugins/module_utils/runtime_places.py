# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where runtimes lie on a host; apart from the store, so that looking at a host needs nothing else of it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path("/opt/cubejs")
# npm writes it last: the tree is complete.
RUNTIME_FILE = "node_modules/.package-lock.json"


def complete_runtimes(root: Path = ROOT) -> list[str]:
    """Return the digests of the runtimes that are in their place, sorted."""
    depth = len(Path(RUNTIME_FILE).parts)
    return sorted(path.parents[depth - 1].name for path in (root / "runtimes").glob(f"*/{RUNTIME_FILE}"))
