"""Prints what a host's state is, so that two of them can be compared: files, links, processes, accounts of MySQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOTS = ("/opt/cubejs/tenants", "/etc/cubejs", "/etc/nginx", "/etc/systemd/system", "/etc/sysusers.d", "/etc/mysql")
FOLDERS = ("/var/lib/cubejs-redis", "/run/cubejs", "/opt/cubejs/runtimes")
SETS = ("/etc/nginx/cubejs", "/etc/cubejs/redis")
UNITS = ("cubejs-*", "nginx.service", "mariadb.service")


def said(*command: str) -> list[str]:
    """Return the lines that a command prints."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()


def files() -> dict[str, list[object]]:
    """Return path -> inode, time of modification and target of every file, following no link but Nginx' own."""
    found: dict[str, list[object]] = {}
    for root in ROOTS:
        for folder, folders, names in os.walk(os.path.realpath(root)):
            for name in folders + names:
                path = Path(folder, name)
                info = path.lstat()
                target = os.readlink(path) if path.is_symlink() else ""  # noqa: PTH115  as it is written
                # A directory changes whenever something else is put into it.
                found[str(path)] = [target] if path.is_dir() else [info.st_ino, info.st_mtime_ns, target]
            folders[:] = [name for name in folders if name != "node_modules"]
    for folder in FOLDERS:
        found.update({str(path): [] for path in Path(folder).iterdir()})
    # A set is a directory of another name after each change; its unchanged files are the same ones.
    for root in SETS:
        current = os.path.realpath(root)
        found = {path.replace(current, root): state for path, state in found.items() if path != root}
    return found


def processes() -> dict[str, list[str]]:
    """Return unit -> its state, since when, its main process, and whether it is enabled."""
    shown = said(
        "systemctl", "show", "--property=Id,ActiveState,ActiveEnterTimestampMonotonic,MainPID,UnitFileState", *UNITS
    )
    found: dict[str, list[str]] = {}
    for block in "\n".join(shown).split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if values:
            found[f"unit {values.pop('Id')}"] = sorted(f"{name}={value}" for name, value in values.items())
    return found


def accounts() -> dict[str, list[str]]:
    """Return account or schema -> what it is."""
    rows = said("mariadb", "-NBe", "SELECT CONCAT('account ', User, '@', Host), Priv FROM mysql.global_priv")
    grants = said(
        "mariadb", "-NBe", "SELECT CONCAT('grant ', User, ' on ', Db), Select_priv, Insert_priv FROM mysql.db"
    )
    schemas = [f"schema {name}\t" for name in said("mariadb", "-NBe", "SHOW DATABASES")]
    return {line.split("\t")[0]: line.split("\t")[1:] for line in (*rows, *grants, *schemas)}


def users() -> dict[str, list[str]]:
    """Return the system users of tenants."""
    lines = Path("/etc/passwd").read_text().splitlines()
    return {f"user {line.split(':')[0]}": line.split(":")[2:4] for line in lines if line.startswith("cube-")}


json.dump({**files(), **processes(), **accounts(), **users()}, sys.stdout)
