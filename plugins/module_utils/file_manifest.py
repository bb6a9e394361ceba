# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which files were written under which name, so that no other is ever removed; and one run at a time for each name."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import (
    ManagedFilesError,
    make_directories,
    sync_directory,
)

LOCK_SECONDS = 30.0


@contextlib.contextmanager
def lock(manifests: Path, name: str) -> Iterator[None]:
    """Let one run at a time keep a set; the kernel gives the lock back however a run ends."""
    make_directories(manifests)
    with open(manifests / f"{name}.lock", "w") as stream:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ManagedFilesError(
                        f"another run is writing the files of {name}: wait for it, then run again"
                    ) from None
                time.sleep(0.1)
        yield


def clean(manifests: Path, volatile: Path, name: str) -> Path:
    """Remove what a killed run left, and return the path at which the set may be shown to validators."""
    _staged(manifests, name).unlink(missing_ok=True)
    workspace = volatile / f"cubeops-{name}.validation"
    shutil.rmtree(workspace, ignore_errors=True)
    return workspace


def _staged(manifests: Path, name: str) -> Path:
    return manifests / f"{name}.new"


def read(manifests: Path, name: str, root: str | None) -> set[str]:
    """Return the files that were written under a name; raises ManagedFilesError when those were below another root."""
    path = manifests / f"{name}.json"
    try:
        document = json.loads(path.read_text())
        earlier, known = document["root"], set(document["files"])
    except FileNotFoundError:
        return set()
    except (ValueError, KeyError, TypeError) as exc:
        raise ManagedFilesError(
            f"{path} is not what was written there ({exc}): remove it; no file is removed then"
        ) from exc
    if earlier != root:
        raise ManagedFilesError(f"{name} keeps files under {earlier}, not {root}: use another name for these")
    return known


def write(manifests: Path, name: str, root: str | None, files: set[str]) -> None:
    """Record the files that are written under a name, durably; nothing is touched where that is recorded already."""
    text = json.dumps({"root": root, "files": sorted(files)}, indent=1) + "\n"
    path = manifests / f"{name}.json"
    if path.exists() and path.read_text() == text:
        return
    staged = _staged(manifests, name)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    staged.replace(path)
    sync_directory(manifests)
