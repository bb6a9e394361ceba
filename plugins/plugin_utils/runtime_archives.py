# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Archives of runtimes in the controller's cache, and which host of a run builds one that nobody has."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_shipping import Shipped, sha256

# Of each about 30 MB. A fleet has one for each pair of lockfile and platform; the others are of earlier versions.
KEPT = 8


@dataclass(frozen=True)
class Cache:
    """A folder of archives: <runtime>.<SHA-256 of the file>.tgz."""

    folder: Path

    def find(self, digest: str) -> Shipped | None:
        """Return a runtime's archive; one that is not what was kept is removed."""
        for path in sorted(self.folder.glob(f"{digest}.*.tgz")):
            found = Shipped(path, path.name.split(".")[1])
            if sha256(path) == found.sha256:
                path.touch()
                return found
            path.unlink(missing_ok=True)
        return None

    def keep(self, digest: str, staged: Path, digest_of_file: str) -> Shipped:
        """Put an archive in its place by one rename, and remove those that were not used for the longest time."""
        kept = Shipped(self.folder / f"{digest}.{digest_of_file}.tgz", digest_of_file)
        staged.replace(kept.path)
        by_use = sorted(self.folder.glob("*.tgz"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in by_use[KEPT:]:
            path.unlink(missing_ok=True)
        return kept


@dataclass(frozen=True)
class Claims:
    """Which host builds what in this run, told by marks in a folder that ends with the run.

    host: this one. active: the hosts that still take part; what one of the others claimed is free again.
    """

    folder: Path
    host: str
    active: Collection[str]

    def claim(self, digest: str) -> str:
        """Return the host that builds a runtime: the first that asked."""
        for number in itertools.count():
            mark = self.folder / f"cubejs-runtime-{digest}-{number}"
            with contextlib.suppress(FileExistsError):
                mark.symlink_to(self.host)
            owner = str(mark.readlink())
            if owner == self.host or owner in self.active:
                return owner
        raise AssertionError("there is always another number")
