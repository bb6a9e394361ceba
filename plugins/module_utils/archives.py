# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tar archives between controller and host: packed from folders and memory, unpacked as root's and nowhere else."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from ansible_collections.cubeops.cubejs.plugins.module_utils.projects import Tree

# A file takes up whole blocks, and an inode.
_BLOCK_BYTES = 4096


class ArchiveError(ValueError):
    """An archive that cannot be unpacked; the message names it and what is wrong with it."""


def pack(path: Path, trees: Mapping[str, tuple[Path, Tree]], contents: Mapping[str, bytes]) -> None:
    """Write an archive of folders (name in the archive -> folder, and its files that count) and of single files."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, (folder, tree) in trees.items():
            _add_directory(archive, name)
            for file in tree.files:
                member = f"{name}/{file.path}"
                if file.link is not None:
                    _add_link(archive, member, file.link)
                else:
                    _add(archive, member, (folder / file.path).read_bytes(), 0o755 if file.executable else 0o644)
        for name, content in contents.items():
            _add(archive, name, content, 0o644)


def pack_folder(path: Path, folder: Path, name: str) -> None:
    """Write an archive of all that is in a folder, under a name: contents, links and modes, no owners and no times."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.add(folder, arcname=name, filter=_without_owner)


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    archive.addfile(member, io.BytesIO(content))


def _add_link(archive: tarfile.TarFile, name: str, target: str) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    archive.addfile(member)


def _add_directory(archive: tarfile.TarFile, name: str) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    archive.addfile(member)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive as root's files.

    Raises ArchiveError, before anything is written, for what is no archive, would write outside the folder, or has no
    room on the disk of the folder that the folder lies in.
    """
    try:
        with tarfile.open(archive) as opened:
            members = opened.getmembers()
            for member in members:
                _refuse_leaving(archive, member)
                member.uid = member.gid = 0
                member.uname = member.gname = ""
            _refuse_through_links(archive, members)
            _refuse_without_room(archive, members, folder.parent)
            # Later releases of Python warn about, and then change, what happens without a filter.
            arguments = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
            opened.extractall(folder, members, **arguments)  # type: ignore[arg-type]  # noqa: S202 - each was checked
    except (tarfile.TarError, EOFError, OSError) as exc:
        raise ArchiveError(f"{archive.name} cannot be unpacked: {exc}") from exc


def _refuse_leaving(archive: Path, member: tarfile.TarInfo) -> None:
    names = [PurePosixPath(member.name)]
    if member.issym():
        names.append(names[0].parent / member.linkname)
    elif member.islnk():
        names.append(PurePosixPath(member.linkname))
    if member.isdev() or any(name.is_absolute() or os.path.normpath(name).split("/")[0] == ".." for name in names):
        raise ArchiveError(f"{archive.name} holds {member.name}, which would lie outside its folder: pack it anew")


def _refuse_through_links(archive: Path, members: Iterable[tarfile.TarInfo]) -> None:
    """Refuse what would be written through a link of the archive: two links that stay inside lead out together."""
    links = {os.path.normpath(member.name) for member in members if member.issym()}
    for member in members if links else ():
        folder = os.path.dirname(os.path.normpath(member.name))  # noqa: PTH120 - of tens of thousands of names
        while folder:
            if folder in links:
                raise ArchiveError(f"{archive.name} holds {member.name}, which lies behind a link: pack it anew")
            folder = os.path.dirname(folder)  # noqa: PTH120 - as above


def _refuse_without_room(archive: Path, members: Iterable[tarfile.TarInfo], folder: Path) -> None:
    needed = sum(member.size + _BLOCK_BYTES for member in members)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise ArchiveError(
            f"{archive.name} takes {needed / 1e6:.0f} MB, "
            f"and the disk of {folder} has {free / 1e6:.0f} MB left: make room"
        )
