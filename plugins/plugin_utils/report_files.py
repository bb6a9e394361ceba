# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reports written to files on the controller: each whole or not at all, for its owner alone unless told otherwise."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.registry import Format

DIRECTORY_MODE = 0o700
COLLECTION = Path(__file__).resolve().parents[2]


class ReportFileError(Exception):
    """A report that cannot be written; the message names the file and why."""


def write(report: Report, formats: Iterable[Format], directory: str, name: str, mode: int) -> dict[str, str]:
    """Return format -> path, after writing each report.

    A directory that is not there is made for its owner alone. Raises ReportFileError.
    """
    folder = Path(directory)
    written = {}
    for each in formats:
        path = folder / f"{name}{each.suffix}"
        try:
            folder.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
            _replace(path, each.render(report), mode)
        except OSError as exc:
            raise ReportFileError(f"the {each.name} report cannot be written to {path}: {exc.strerror}") from exc
        written[each.name] = str(path)
    return written


def collection_version() -> str:
    """Return the version of this collection, installed or in its checkout; "" where neither says."""
    manifest, galaxy = COLLECTION / "MANIFEST.json", COLLECTION / "galaxy.yml"
    if manifest.exists():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    return str(yaml.safe_load(galaxy.read_text(encoding="utf-8"))["version"]) if galaxy.exists() else ""


def _replace(path: Path, text: str, mode: int) -> None:
    """Put a file in a path's place at once, so that nobody reads half of it (a textfile collector does any time)."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as opened:
            opened.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
