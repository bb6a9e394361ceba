# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a certificate authority's directory: 0600 in 0700, replaced by rename, under a lock of the directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils import pki
from ansible_collections.cubeops.cubejs.plugins.module_utils.pki import Pair, PkiError

# What a mode gives to others than the owner.
OTHERS = 0o077
LEAVES = "leaves"


def read_pair(certificate_path: Path, key_path: Path) -> tuple[Pair | None, list[str]]:
    """Return the pair in these files, or every reason why it cannot be read."""
    problems = []
    key, certificates = None, []
    try:
        certificates = pki.load_certificates(certificate_path.read_bytes())
    except (OSError, PkiError) as exc:
        problems.append(f"{certificate_path}: {_words(exc)}")
    try:
        key = pki.load_key(key_path.read_bytes())
    except (OSError, PkiError) as exc:
        problems.append(f"{key_path}: {_words(exc)}")
    if key is None or not certificates:
        return None, problems
    return Pair(key, certificates[0], tuple(certificates[1:])), []


def _words(exc: Exception) -> str:
    return (exc.strerror or str(exc)) if isinstance(exc, OSError) else str(exc)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Make the directory where it is not there, and keep others from changing it meanwhile; raises PkiError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_open_directory(directory)
        (directory / LEAVES).mkdir(mode=0o700, exist_ok=True)
        with open(directory / ".lock", "w", encoding="ascii") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not (directory / ".gitignore").exists():
                write(directory / ".gitignore", b"*\n")
            yield
    except OSError as exc:
        raise PkiError(f"the CA directory {directory} cannot be used: {exc}") from exc


def refuse_open_directory(directory: Path) -> None:
    """Raise PkiError where others than its owner may open the directory."""
    if directory.stat().st_mode & OTHERS:
        raise PkiError(f"{directory} holds a CA's key and is open to others than its owner: chmod 700 {directory}")


def write(path: Path, content: bytes) -> None:
    """Put a 0600 file in place by rename, on disk before it is visible."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        # The kernel's own time of a file is some milliseconds coarse.
        os.utime(temporary, ns=(time.time_ns(),) * 2)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise
