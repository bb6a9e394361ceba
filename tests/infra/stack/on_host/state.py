"""Prints what a host's state is: files of ours with owner, mode and content, links, units, the storage's accounts."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

ROOTS = ("/opt/cubejs", "/etc/cubejs", "/etc/nginx", "/etc/mysql", "/etc/systemd/system", "/var/lib/cubeops")
UNITS = ("cubejs*", "nginx*", "mariadb*")
ACCOUNTS = "SELECT CONCAT(user, '@', host), authentication_string FROM mysql.user"


def said(*command: str) -> list[str]:
    """Return the lines that a command prints."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()


def asked(sql: str) -> list[str]:
    """Return the rows of a query."""
    return sorted(said("mariadb", "-NBe", sql))


def file_state(path: Path) -> list[str]:
    """Return a file's mode, owner, and target or digest."""
    info = path.lstat()
    state = [stat.filemode(info.st_mode), "root" if info.st_uid == 0 else "another"]
    if stat.S_ISLNK(info.st_mode):
        state.append(os.readlink(path))  # noqa: PTH115  as it is written
    elif stat.S_ISREG(info.st_mode):
        state.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return state


def files() -> dict[str, list[str]]:
    """Return the state of every file; of installed packages only that they are there."""
    found = {}
    for root in ROOTS:
        for folder, folders, names in os.walk(root):
            for name in folders + names:
                path = Path(folder, name)
                found[str(path)] = file_state(path)
            folders[:] = [name for name in folders if name != "node_modules"]
    return found


def units() -> dict[str, list[str]]:
    """Return what units there are, whether they run, and whether they are enabled."""
    running = (line.split() for line in said("systemctl", "list-units", "--all", "--plain", "--no-legend", *UNITS))
    enabled = (line.split() for line in said("systemctl", "list-unit-files", "--plain", "--no-legend", *UNITS))
    return {
        **{f"unit {words[0]}": words[2:4] for words in running},
        **{f"unit file {words[0]}": words[1:2] for words in enabled},
    }


def main() -> None:
    """Print all of it."""
    storage = {
        "accounts": asked(ACCOUNTS),
        "grants": asked("SELECT * FROM mysql.db"),
        "table grants": asked("SELECT * FROM mysql.tables_priv"),
        "schemas": asked("SHOW DATABASES"),
    }
    json.dump({**files(), **units(), **storage}, sys.stdout)


main()
