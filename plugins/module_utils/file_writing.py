# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One file on disk: compared with what is wanted, and written whole, durably and where nobody else can lead it."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path


class ManagedFilesError(Exception):
    """The set cannot be put in place; the message says which file, why, and what to do."""


@dataclass(frozen=True)
class WantedFile:
    """A file, or with `link` a symbolic link. `dest` is relative to the set's root, or absolute without one."""

    dest: str
    content: bytes = b""
    link: str | None = None
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    secret: bool = False


class Ownership:
    """Users and groups of this host, each looked up once."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], tuple[int, int]] = {}

    def ids(self, file: WantedFile) -> tuple[int, int] | None:
        """Return the ids of owner and group, or None when one of them does not exist (yet)."""
        key = (file.owner, file.group)
        if key not in self._ids:
            try:
                uid = int(file.owner) if file.owner.isdecimal() else pwd.getpwnam(file.owner).pw_uid
                gid = int(file.group) if file.group.isdecimal() else grp.getgrnam(file.group).gr_gid
            except KeyError:
                return None
            self._ids[key] = (uid, gid)
        return self._ids[key]

    def of(self, found: os.stat_result) -> tuple[int, int]:
        """Return the ids that a file has."""
        return found.st_uid, found.st_gid

    def names(self, found: os.stat_result) -> tuple[str, str]:
        """Return the names of a file's owner and group, or their numbers where they have none."""
        uid, gid = self.of(found)
        try:
            user = pwd.getpwuid(uid).pw_name
        except KeyError:
            user = str(uid)
        try:
            group = grp.getgrgid(gid).gr_name
        except KeyError:
            group = str(gid)
        return user, group

    def chown(self, path: Path, ids: tuple[int, int]) -> None:
        """Give the file to owner and group."""
        os.chown(path, ids[0], ids[1], follow_symlinks=False)


def differs(path: Path, file: WantedFile, ownership: Ownership) -> bool:
    """Return whether what is on disk is not the wanted file: content, kind, mode, owner or group."""
    try:
        found = os.lstat(path)
        if file.link is not None:
            return not stat.S_ISLNK(found.st_mode) or path.readlink() != Path(file.link)
        return (
            not stat.S_ISREG(found.st_mode)
            or stat.S_IMODE(found.st_mode) != file.mode
            or ownership.of(found) != ownership.ids(file)
            or found.st_size != len(file.content)
            or path.read_bytes() != file.content
        )
    except (FileNotFoundError, NotADirectoryError):
        return True


def read_text(path: Path) -> str:
    """Return what a file holds (a link: where it points), or nothing where there is none."""
    try:
        return str(path.readlink()) if path.is_symlink() else path.read_text(errors="replace")
    except OSError:
        return ""


def write(path: Path, file: WantedFile, ownership: Ownership) -> None:
    """Write a new file (or link) durably, and never through an existing link."""
    if file.link is not None:
        path.symlink_to(file.link)
        return
    ids = ownership.ids(file)
    if ids is None:
        raise ManagedFilesError(f"{file.dest}: user {file.owner} or group {file.group} does not exist on this host")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(file.content)
        ownership.chown(path, ids)
        os.fchmod(stream.fileno(), file.mode)
        stream.flush()
        os.fsync(stream.fileno())


def refuse_unsafe_parents(path: Path) -> None:
    """Refuse a path that someone other than root (or who runs this) could turn into another one."""
    trusted = {0, os.geteuid()}
    for parent in reversed(path.parents):
        try:
            found = os.lstat(parent)
        except FileNotFoundError:
            return
        if not stat.S_ISLNK(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            raise ManagedFilesError(f"{path}: {parent} is not a directory")
        writable_by_all = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
        if found.st_uid not in trusted or (stat.S_ISDIR(found.st_mode) and writable_by_all):
            raise ManagedFilesError(
                f"{path} is not written: {parent} can be changed by others than root, who could lead the file elsewhere"
            )


def sync_directory(path: Path) -> None:
    """Make renames and new names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directories(path: Path) -> list[Path]:
    """Create the directory and its missing parents (0755) and return those that were created, outermost first."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for directory in reversed(missing):
        directory.mkdir(mode=0o755)
        directory.chmod(0o755)
    return list(reversed(missing))
