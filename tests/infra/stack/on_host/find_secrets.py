"""Prints the files that this user can read and that hold one of the secrets given on standard input, one a line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SKIPPED = {"/proc", "/sys", "/dev", "/usr", "/lib", "/boot"}


def holds(path: Path, wanted: list[bytes]) -> bool:
    """Say whether a file can be read and holds a secret."""
    try:
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    except OSError:
        return False
    return any(secret in content for secret in wanted)


def main() -> None:
    """Walk the whole host, less the distribution's and npm's own files."""
    wanted = [line.strip().encode() for line in sys.stdin if line.strip()]
    for folder, folders, files in os.walk("/"):
        here = Path(folder)
        folders[:] = [name for name in folders if str(here / name) not in SKIPPED and name != "node_modules"]
        for name in files:
            if holds(here / name, wanted):
                print(here / name)


main()
