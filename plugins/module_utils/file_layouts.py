# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a set of files lives on disk, how it is staged and how it is put in place.

`RootedSet` switches the whole set with one rename; `LooseFiles` replaces files that stand in directories of others.
Both only ever show a reader an old file or a new one, whole.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import (
    ManagedFilesError,
    Ownership,
    WantedFile,
    make_directories,
    refuse_unsafe_parents,
    sync_directory,
    write,
)

STAGING = ".staging-"
SET_NAME = re.compile(r"^[0-9a-f]{16}(\.\d+)?$")


@dataclass(frozen=True)
class Entrance:
    """A symbolic link around a root by which programs find the set; `dest` is relative to the directory of the root.

    What stood there before is kept once, under the name `original` beside it.
    """

    dest: str
    link: str
    original: str | None = None


class RootedSet:
    """A set that lives in one versioned directory; its root is a symbolic link to it."""

    def __init__(
        self,
        root: Path,
        files: Sequence[WantedFile],
        known: set[str],
        digest: str,
        ownership: Ownership,
        entrances: Sequence[Entrance] = (),
    ) -> None:
        self.root = root
        self._entrances = entrances
        self.store = root.parent / f".{root.name}.d"
        self._files = files
        self._known = known
        self._digest = digest
        self._ownership = ownership
        self._staged = self.store
        for path in (root, *(root.parent / entrance.dest for entrance in entrances)):
            refuse_unsafe_parents(path)
        self.current = self._current()

    def _current(self) -> Path | None:
        """Return the directory that the root shows, and refuse a root that someone else made."""
        if not os.path.lexists(self.root):
            return None
        target = str(self.root.readlink()) if self.root.is_symlink() else ""
        parent, _unused, name = target.rpartition("/")
        if parent != self.store.name or not SET_NAME.match(name):
            raise ManagedFilesError(f"{self.root} was made by something else: move it away, and it is made anew")
        return self.store / name

    def path(self, dest: str) -> Path:
        """Return where readers find a file of the set."""
        return self.root / dest

    def unwanted(self) -> list[str]:
        """Return the files of the set that this name wrote earlier and that are no longer wanted."""
        return [dest for dest in self._unlisted() if dest in self._known]

    def foreign(self) -> list[str]:
        """Return the files in the set that someone else put there: they are kept."""
        return [dest for dest in self._unlisted() if dest not in self._known]

    def closed(self) -> list[Entrance]:
        """Return the entrances that do not lead into the set yet."""
        return [entrance for entrance in self._entrances if not self._is_open(entrance)]

    def _is_open(self, entrance: Entrance) -> bool:
        path = self.root.parent / entrance.dest
        return path.is_symlink() and str(path.readlink()) == entrance.link

    def open_entrances(self) -> None:
        """Put the missing entrances in place, each by one rename; the set is shown by now."""
        for entrance in self.closed():
            path = self.root.parent / entrance.dest
            make_directories(path.parent)
            if entrance.original and os.path.lexists(path) and not os.path.lexists(path.with_name(entrance.original)):
                os.link(path, path.with_name(entrance.original), follow_symlinks=False)
            staged = self.store / (STAGING + secrets.token_hex(4))
            staged.symlink_to(entrance.link)
            staged.replace(path)
            sync_directory(path.parent)

    def clean(self) -> None:
        """Remove what a killed run left: staged sets, and sets that are no longer shown."""
        if not self.store.is_dir():
            return
        for entry in self.store.iterdir():
            if entry.name.startswith(STAGING) or (SET_NAME.match(entry.name) and entry != self.current):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    def stage(self, changed: set[str]) -> None:
        """Build the whole new set where nothing reads it; unchanged files are the same inodes."""
        directory = self._staged = self.store / (STAGING + secrets.token_hex(4))
        make_directories(directory)
        current = self.current
        if current is not None:
            kept = [*self.foreign(), *(file.dest for file in self._files if file.dest not in changed)]
            for parent in {Path(dest).parent for dest in kept}:
                make_directories(directory / parent)
            for dest in kept:
                os.link(f"{current}/{dest}", f"{directory}/{dest}", follow_symlinks=False)
        for file in self._files:
            if file.dest in changed:
                make_directories((directory / file.dest).parent)
                write(directory / file.dest, file, self._ownership)
        for folder, _folders, _names in os.walk(directory):
            sync_directory(Path(folder))

    def put_in_place(self) -> None:
        """Show the staged set instead of the current one, by one rename."""
        target = self._free_name()
        self._staged.rename(target)
        link = self.store / (STAGING + secrets.token_hex(4))
        link.symlink_to(f"{self.store.name}/{target.name}")
        sync_directory(self.store)
        link.replace(self.root)
        sync_directory(self.root.parent)
        self.current = target
        self.clean()

    def _free_name(self) -> Path:
        target, counter = self.store / self._digest[:16], 0
        while os.path.lexists(target):
            counter += 1
            target = self.store / f"{self._digest[:16]}.{counter}"
        return target

    def _unlisted(self) -> list[str]:
        """Return what the current set holds besides the wanted files, by its path relative to the root."""
        if self.current is None:
            return []
        wanted = {file.dest for file in self._files}
        found = []
        for folder, directories, names in os.walk(self.current):
            links = [name for name in directories if (Path(folder) / name).is_symlink()]
            below = folder[len(str(self.current)) + 1 :]
            found += [f"{below}/{name}" if below else name for name in (*names, *links)]
        return sorted(dest for dest in found if dest not in wanted)


class LooseFiles:
    """Files in directories that belong to others, each replaced by one rename."""

    def __init__(self, files: Sequence[WantedFile], known: set[str], ownership: Ownership) -> None:
        self._files = files
        self._known = known
        self._ownership = ownership
        self._staged: dict[str, Path] = {}
        for file in files:
            refuse_unsafe_parents(Path(file.dest))
            if Path(file.dest).is_dir() and not Path(file.dest).is_symlink():
                raise ManagedFilesError(f"{file.dest} is a directory: move it away, and the file is written")

    def path(self, dest: str) -> Path:
        """Return where readers find a file of the set."""
        return Path(dest)

    def unwanted(self) -> list[str]:
        """Return the files that this name wrote earlier, that are still there and no longer wanted."""
        wanted = {file.dest for file in self._files}
        return sorted(dest for dest in self._known - wanted if os.path.lexists(dest))

    def foreign(self) -> list[str]:
        """Return nothing: what else lies in the directories of others is none of ours."""
        return []

    def closed(self) -> list[Entrance]:
        """Return nothing: programs find the files where they are."""
        return []

    def open_entrances(self) -> None:
        """Do nothing: there are none."""

    def clean(self) -> None:
        """Remove the staged files that a killed run left beside their destinations."""
        prefixes: dict[Path, list[str]] = {}
        for path in map(Path, {file.dest for file in self._files} | self._known):
            prefixes.setdefault(path.parent, []).append(f".{path.name}{STAGING}")
        for folder, starts in prefixes.items():
            for entry in folder.iterdir() if folder.is_dir() else ():
                if entry.name.startswith(tuple(starts)):
                    entry.unlink()

    def stage(self, changed: set[str]) -> None:
        """Write the changed files beside their destinations, where nothing reads them."""
        for file in self._files:
            if file.dest in changed:
                path = Path(file.dest)
                make_directories(path.parent)
                self._staged[file.dest] = path.with_name(f".{path.name}{STAGING}{secrets.token_hex(4)}")
                write(self._staged[file.dest], file, self._ownership)

    def put_in_place(self) -> None:
        """Replace the changed files and remove the unwanted ones."""
        unwanted = self.unwanted()
        for dest, staged in self._staged.items():
            staged.replace(dest)
        for dest in unwanted:
            refuse_unsafe_parents(Path(dest))
            Path(dest).unlink()
        for folder in {Path(dest).parent for dest in [*self._staged, *unwanted]}:
            sync_directory(folder)
