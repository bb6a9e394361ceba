# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file system tree read without trust: links never lead out of it, pipes never hang, and files have a size limit.

A tree is a host's root, what a process sees as its root (/proc/PID/root: another one in a container), or a recording.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from dataclasses import dataclass
from functools import cache

MAX_FILE_BYTES = 1024 * 1024
# As many as the kernel follows.
MAX_LINKS = 40
_NULL_DEVICE = os.makedev(1, 3)


@dataclass(frozen=True)
class FileFacts:
    """Mode (as "0640"), owner and group of a file, and when it last changed, in seconds since the epoch."""

    mode: str
    owner: str
    group: str
    changed_at: float


class Tree:
    """A tree; paths in it are absolute, and so are those returned. Everything raises OSError."""

    def __init__(self, root: str = "/") -> None:
        self.root = root.rstrip("/")
        self._directories: dict[str, str] = {"/": "/"}

    def resolve(self, path: str) -> str:
        """Return the path without links, as a process with this root sees it; the last part need not exist."""
        return self._resolve(path, MAX_LINKS)

    def _resolve(self, path: str, links: int) -> str:
        known = self._directories.get(path)
        if known is not None:
            return known
        directory, name = os.path.split(path.rstrip("/") or "/")
        parent = self._resolve(directory or "/", links)
        if name in ("", "."):
            return parent
        if name == "..":
            return os.path.dirname(parent)  # noqa: PTH120 pure: paths in the tree are no paths here
        found = f"{parent.rstrip('/')}/{name}"
        try:
            target = os.readlink(self.root + found)  # noqa: PTH115 as above
        except OSError as exc:
            if exc.errno not in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR):
                raise
            target = ""
        if target:
            if links == 0:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            found = self._resolve(target if target.startswith("/") else f"{parent}/{target}", links - 1)
        self._directories[path] = found
        return found

    def place(self, path: str) -> str:
        """Return where the file is for this process."""
        return self.root + self.resolve(path)

    def read(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """Return a regular file's content; one that is larger than the limit (bytes) is an error."""
        handle = os.open(self.place(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            found = os.fstat(handle)
            if stat.S_ISCHR(found.st_mode) and found.st_rdev == _NULL_DEVICE:
                return b""  # a link to /dev/null takes a file out that a package would bring again
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "it is no regular file", path)
            with open(handle, "rb", closefd=False) as opened:
                content = opened.read(limit + 1)
        finally:
            os.close(handle)
        if len(content) > limit:
            raise OSError(errno.EFBIG, f"it is larger than {limit} bytes", path)
        return content

    def text(self, path: str, limit: int = MAX_FILE_BYTES) -> str:
        """Return a file's text; bytes that are none are kept as surrogates."""
        return self.read(path, limit).decode("utf-8", "surrogateescape")

    def facts(self, path: str) -> FileFacts:
        """Return mode and owner of a file."""
        found = os.stat(self.place(path))  # noqa: PTH116 as above
        return FileFacts(
            f"{stat.S_IMODE(found.st_mode):04o}",
            user_name(found.st_uid),
            group_name(found.st_gid),
            max(found.st_mtime, found.st_ctime),
        )

    def exists(self, path: str) -> bool:
        """Return whether there is something; what may not be looked at counts as nothing."""
        try:
            os.stat(self.place(path))  # noqa: PTH116 as above
        except OSError:
            return False
        return True

    def is_file(self, path: str) -> bool:
        """Return whether there is a regular file."""
        try:
            return stat.S_ISREG(os.stat(self.place(path)).st_mode)  # noqa: PTH116 as above
        except OSError:
            return False

    def is_directory(self, path: str) -> bool:
        """Return whether there is a directory."""
        try:
            return stat.S_ISDIR(os.stat(self.place(path)).st_mode)  # noqa: PTH116 as above
        except OSError:
            return False

    def names(self, path: str) -> list[str]:
        """Return what is in a directory, sorted."""
        return sorted(os.listdir(self.place(path)))  # noqa: PTH208 as above


@cache
def user_name(uid: int) -> str:
    """Return a user's name, or the number of one that has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@cache
def group_name(gid: int) -> str:
    """Return a group's name, or the number of one that has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
