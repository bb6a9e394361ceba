# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is kept of a tenant that goes: its project, its settings without secrets, its pre-aggregations as SQL."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

from ansible_collections.cubeops.cubejs.plugins.module_utils import environment
from ansible_collections.cubeops.cubejs.plugins.module_utils.masks import MASK
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import ENVIRONMENT_DIRECTORY, PROJECT_DIRECTORY
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

PROGRAMS = ("mariadb-dump", "mysqldump")
Dump = Callable[[str, IO[bytes]], None]


class ExportError(Exception):
    """Something cannot be exported; nothing of it was removed."""


def export(folder: Path, schemas: Sequence[str], target: Path, dump: Dump, *, apply: bool) -> list[str]:
    """Write what is kept of a tenant into a new folder that only root may read; return the files.

    folder: the tenant's, with its releases. With `apply` false only say which files there would be.
    """
    release = folder / "current"
    files = sorted((release / ENVIRONMENT_DIRECTORY).glob("*.env")) if release.is_dir() else []
    wanted: dict[Path, Callable[[Path], None]] = {}
    if (release / PROJECT_DIRECTORY).is_dir():
        wanted[target / "project.tar.gz"] = partial(_pack, release / PROJECT_DIRECTORY)
    for file in files:
        wanted[target / file.name] = partial(_mask, file)
    for schema in schemas:
        wanted[target / f"{schema}.sql.gz"] = partial(_dump, dump, schema)
    if apply and wanted:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.chmod(0o700)
        for path, make in wanted.items():
            staged = path.with_name(f".{path.name}")
            staged.unlink(missing_ok=True)
            make(staged)
            staged.replace(path)
    return [str(path) for path in wanted]


def without_secrets(text: str) -> str:
    """Return an environment file with everything masked of which it is not known that it is no secret."""
    shown = {row.target for row in TABLE if not row.secret}
    values = environment.from_file(text)
    kept = {name: value if name in shown and "://" not in value else MASK for name, value in values.items()}
    return environment.to_file(kept)


def _open(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


def _mask(file: Path, path: Path) -> None:
    with _open(path) as stream:
        stream.write(without_secrets(file.read_text()).encode())


def _pack(folder: Path, path: Path) -> None:
    with _open(path) as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.add(folder, arcname=PROJECT_DIRECTORY)


def _dump(dump: Dump, schema: str, path: Path) -> None:
    with _open(path) as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=1) as stream:
        dump(schema, cast("IO[bytes]", stream))


@dataclass(frozen=True)
class Dumper:
    """Runs the server's own program; defaults_file: with the login of an administrator, None for root by the socket."""

    socket: str
    defaults_file: str | None = None

    def __call__(self, schema: str, stream: IO[bytes]) -> None:
        """Write a schema as SQL. Raises ExportError."""
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if program is None:
            raise ExportError(f"none of {', '.join(PROGRAMS)} is there: install it, or remove without an export")
        login = [f"--defaults-file={self.defaults_file}"] if self.defaults_file else ["--user=root"]
        command = [program, *login, f"--socket={self.socket}", "--single-transaction", "--databases", schema]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            shutil.copyfileobj(cast("IO[bytes]", process.stdout), stream)
            said = cast("IO[bytes]", process.stderr).read().decode(errors="replace")
        if process.returncode != 0:
            raise ExportError(f"{schema} cannot be exported: {said.strip()}")
