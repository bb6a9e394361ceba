# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A set of files shown to the programs that will read it, before it is put in place."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import ManagedFilesError, WantedFile
from ansible_collections.cubeops.cubejs.plugins.module_utils.masks import mask, secrets_in

VALIDATION_SECONDS = 60


@dataclass(frozen=True)
class Validation:
    """A command that must accept the set before it is put in place; skipped until `requires` exists."""

    command: str
    requires: str | None = None


def validate(
    steps: Sequence[Validation],
    files: Sequence[WantedFile],
    root: str | None,
    foreign: Sequence[str],
    workspace: Path | None = None,
) -> list[dict[str, object]]:
    """Run every command that can run over a private copy of the set, and return what became of each.

    A command may name `{staged}`, a directory that holds the set (without a root: at its absolute paths), and with a
    root `{view}`, which looks like the directory around the root with the new set in the old one's place. `foreign` are
    the files that others put below the root and that stay there. The copy is made in `workspace`, a path of the
    caller's, so that it can remove what a killed run left there; without one it is made among the temporary files.
    """
    outcomes: list[dict[str, object]] = []
    due = [step for step in steps if step.requires is None or os.path.exists(step.requires)]
    outcomes += [
        {"command": step.command, "skipped": f"{step.requires} does not exist yet"} for step in steps if step not in due
    ]
    if not due:
        return outcomes
    private = workspace or Path(tempfile.mkdtemp(prefix="cubeops-"))
    private.mkdir(mode=0o700, exist_ok=workspace is None)
    try:
        places = _mirror(private, files, root, foreign)
        hidden = {
            piece for file in files if file.secret for piece in secrets_in(file.content.decode("utf-8", "replace"))
        }
        for step in due:
            _run(step, places, hidden)
            outcomes.append({"command": step.command, "rc": 0})
    finally:
        shutil.rmtree(private)
    return outcomes


def _mirror(private: Path, files: Sequence[WantedFile], root: str | None, foreign: Sequence[str]) -> dict[str, str]:
    staged = private / "staged"
    staged.mkdir()
    for file in files:
        path = staged / file.dest.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.link is None:
            path.write_bytes(file.content)
            path.chmod(file.mode)
        else:
            path.symlink_to(file.link)
    if root is None:
        return {"staged": str(staged)}
    for dest in foreign:
        path = staged / dest
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(Path(root) / dest, path, follow_symlinks=False)
    return {"staged": str(staged), "view": str(_view(private / "view", Path(root), staged))}


def _view(view: Path, root: Path, staged: Path) -> Path:
    view.mkdir()
    for entry in root.parent.iterdir() if root.parent.is_dir() else ():
        if entry.name != root.name:
            (view / entry.name).symlink_to(entry)
    (view / root.name).symlink_to(staged)
    return view


def _run(step: Validation, places: Mapping[str, str], hidden: set[str]) -> None:
    try:
        command = [word.format_map(places) for word in shlex.split(step.command)]
    except (KeyError, ValueError, IndexError) as exc:
        known = ", ".join(f"{{{name}}}" for name in places)
        raise ManagedFilesError(f"validate: {step.command!r} is not understood ({exc}); it may name {known}") from exc
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=VALIDATION_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ManagedFilesError(f"validate: {step.command!r} cannot be run: {exc}. Nothing was changed") from exc
    if done.returncode != 0:
        said = mask(done.stdout.strip(), hidden)
        raise ManagedFilesError(
            f"The new files are refused by `{step.command}` (status {done.returncode}); "
            f"those in place are unchanged:\n{said}"
        )
