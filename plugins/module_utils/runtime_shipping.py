# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A runtime as one archive: packed where npm built it, unpacked on other hosts with the same files and modes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import archives
from ansible_collections.cubeops.cubejs.plugins.module_utils.projects import LOCK, PACKAGE
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_places import RUNTIME_FILE

_PART_BYTES = 1 << 20


class ShippingError(Exception):
    """A runtime that cannot be packed or unpacked; the message names it, says why and what to do."""


@dataclass(frozen=True)
class Shipped:
    """An archive that was sent to a host. sha256: of the whole file, as the controller knows it."""

    path: Path
    sha256: str

    @classmethod
    def all_of(cls, data: Mapping[str, Mapping[str, Any]]) -> dict[str, Shipped]:
        """Return digest -> archive from a module's option."""
        return {digest: cls(Path(each["path"]), each["sha256"]) for digest, each in data.items()}


def sha256(path: Path) -> str:
    """Return the digest of a file, read in parts."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while part := stream.read(_PART_BYTES):
            found.update(part)
    return found.hexdigest()


def pack(store: Store, digest: str, archive: Path) -> dict[str, Any]:
    """Write a runtime's archive, readable by all as its files are; return `sha256` (None without the runtime), `bytes`.

    Raises ShippingError where the disk has no room for it.
    """
    folder = store.runtime(digest)
    if not (folder / RUNTIME_FILE).is_file():
        return {"sha256": None, "bytes": 0}
    needed, free = _tree_bytes(folder), shutil.disk_usage(archive.parent).free
    # Compressed it is a fifth of that; what is compressed already stays as large.
    if needed > free:
        raise ShippingError(
            f"runtime {digest} has {needed / 1e6:.0f} MB, "
            f"and the disk of {archive.parent} has {free / 1e6:.0f} MB left: make room for its archive"
        )
    archives.pack_folder(archive, folder, digest)
    archive.chmod(0o644)
    return {"sha256": sha256(archive), "bytes": archive.stat().st_size}


def unpack(shipped: Shipped, digest: str, manifest: Path, folder: Path) -> Path:
    """Unpack a runtime's archive into a new folder; return where the runtime lies in it.

    manifest: folder with the package.json and package-lock.json that it must have been installed from. Raises
    ShippingError, or ArchiveError, for an archive that is not what was packed.
    """
    if sha256(shipped.path) != shipped.sha256:
        raise ShippingError(f"the archive of runtime {digest} was damaged on its way: run again")
    archives.unpack(shipped.path, folder)
    runtime = folder / digest
    differs = any(_content(runtime / name) != _content(manifest / name) for name in (PACKAGE, LOCK))
    if differs or not (runtime / RUNTIME_FILE).is_file():
        raise ShippingError(
            f"the archive that the controller has of runtime {digest} holds another: "
            "remove it from cubeops/runtimes in the controller's cache, and run again"
        )
    return runtime


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _tree_bytes(folder: Path) -> int:
    return sum(
        os.lstat(os.path.join(here, name)).st_size  # noqa: PTH118 - of tens of thousands of files
        for here, _folders, names in os.walk(folder)
        for name in names
    )
