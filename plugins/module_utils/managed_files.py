# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A set of files kept in one go: compared, validated as a set, put in place, and cleared of what is no longer wanted.

A run killed at any point leaves every file old or new and never in between (with a root, the whole set), and the next
run completes it: what will be written is recorded first, so that nothing ours is ever taken for somebody else's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Union

from ansible_collections.cubeops.cubejs.plugins.module_utils import answers, file_manifest, units
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_differences import differences, entrance_difference
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_layouts import Entrance, LooseFiles, RootedSet
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_validation import (
    VOLATILE,
    Standing,
    Validation,
    validate,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import (
    ManagedFilesError,
    Ownership,
    WantedFile,
    differs,
)

MANIFESTS = Path("/var/lib/cubeops/manifests")
NAME = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}$")
FILE_SPEC = {
    "dest": {"type": "str", "required": True},
    "template": {"type": "str"},
    "content": {"type": "str"},
    "link": {"type": "str"},
    "for_each": {"type": "raw"},
    "only": {"type": "str"},
    "mode": {"type": "str"},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "secret": {"type": "bool", "default": False, "no_log": False},
}
ENTRANCE_SPEC = {
    "dest": {"type": "str", "required": True},
    "link": {"type": "str", "required": True},
    "original": {"type": "str"},
}
VALIDATION_SPEC = {
    "command": {"type": "str", "required": True},
    "requires": {"type": "path"},
    "always": {"type": "bool", "default": False},
}
SET_SPEC = {
    "name": {"type": "str", "required": True},
    "root": {"type": "path"},
    "files": {"type": "list", "elements": "dict", "default": [], "options": FILE_SPEC},
    "keep_unlisted": {"type": "bool", "default": False},
    "forget": {"type": "list", "elements": "str", "default": []},
    "entrances": {"type": "list", "elements": "dict", "default": [], "options": ENTRANCE_SPEC},
    "validate": {"type": "list", "elements": "dict", "default": [], "options": VALIDATION_SPEC},
}
ARGUMENT_SPEC = {
    **SET_SPEC,
    "also": {"type": "list", "elements": "dict", "default": [], "options": SET_SPEC},
    "items": {"type": "dict", "default": {}},
    "units": {"type": "list", "elements": "dict", "default": [], "options": units.SPEC},
    "answers": {"type": "list", "elements": "dict", "default": [], "options": answers.SPEC},
}

Layout = Union[RootedSet, LooseFiles]


@dataclass(frozen=True)
class FileSet:
    """Everything that one name keeps on a host."""

    name: str
    files: tuple[WantedFile, ...]
    root: str | None = None
    validate: tuple[Validation, ...] = ()
    entrances: tuple[Entrance, ...] = ()
    keep_unlisted: bool = False
    forget: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Return a digest over all that makes the set what it is."""
        rows = [
            [file.dest, hashlib.sha256(file.content).hexdigest(), file.link, file.mode, file.owner, file.group]
            for file in sorted(self.files, key=lambda file: file.dest)
        ]
        return hashlib.sha256(json.dumps([self.root, rows]).encode()).hexdigest()


@dataclass
class Result:
    """What was changed, or would be."""

    digest: str
    changed_files: list[str] = field(default_factory=list)
    removed_files: list[str] = field(default_factory=list)
    foreign_files: list[str] = field(default_factory=list)
    unlisted_files: list[str] = field(default_factory=list)
    root_created: bool = False
    diff: list[dict[str, str]] = field(default_factory=list)
    validation: list[dict[str, object]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Return whether anything had to be done."""
        return bool(self.root_created or self.changed_files or self.removed_files)

    def add(self, other: Result) -> None:
        """Take what became of another set, kept in the same call."""
        self.digest = hashlib.sha256(f"{self.digest}{other.digest}".encode()).hexdigest()
        self.changed_files += other.changed_files
        self.removed_files += other.removed_files
        self.foreign_files += other.foreign_files
        self.unlisted_files += other.unlisted_files
        self.root_created = self.root_created or other.root_created
        self.diff += other.diff
        self.validation += other.validation


def pack(file_set: FileSet) -> str:
    """Return the set as one string that fits a module's option."""
    files = [{**vars(file), "content": base64.b64encode(file.content).decode("ascii")} for file in file_set.files]
    document = {
        "name": file_set.name,
        "root": file_set.root,
        "files": files,
        "validate": [vars(step) for step in file_set.validate],
        "entrances": [vars(entrance) for entrance in file_set.entrances],
        "keep_unlisted": file_set.keep_unlisted,
        "forget": file_set.forget,
    }
    return base64.b64encode(zlib.compress(json.dumps(document).encode())).decode("ascii")


def unpack(packed: str) -> FileSet:
    """Return the set that `pack` made a string of."""
    document = json.loads(zlib.decompress(base64.b64decode(packed)))
    files = tuple(WantedFile(**{**file, "content": base64.b64decode(file["content"])}) for file in document["files"])
    checks = tuple(Validation(**step) for step in document["validate"])
    entrances = tuple(Entrance(**entrance) for entrance in document["entrances"])
    keep, forget = document["keep_unlisted"], tuple(document["forget"])
    return FileSet(document["name"], files, document["root"], checks, entrances, keep, forget)


def check(file_set: FileSet) -> None:
    """Refuse a set that cannot be meant, with everything that is wrong with it."""
    problems = []
    if not NAME.match(file_set.name):
        problems.append(f"name {file_set.name!r}: write lower-case letters, digits and _.- (up to 64)")
    if file_set.root is not None and not _is_plain(file_set.root):
        problems.append(f"root {file_set.root!r}: write an absolute path without . and ..")
    seen: set[str] = set()
    for file in file_set.files:
        if file_set.root is None and not _is_plain(file.dest):
            problems.append(f"dest {file.dest!r}: write an absolute path without . and .. (there is no root)")
        if file_set.root is not None and not _is_plain(f"/{file.dest}"):
            problems.append(f"dest {file.dest!r}: write a path below the root {file_set.root}, without . and ..")
        if file.dest in seen:
            problems.append(f"dest {file.dest!r} is written twice: give each file a path of its own")
        seen.add(file.dest)
    problems += [*_below_files(seen), *_entrance_problems(file_set)]
    if problems:
        raise ManagedFilesError("; ".join(problems))


def _below_files(dests: set[str]) -> list[str]:
    return [
        f"dest {dest!r} lies below {str(parent)!r}, which is a file"
        for dest in sorted(dests)
        for parent in Path(dest).parents
        if str(parent) in dests
    ]


def _entrance_problems(file_set: FileSet) -> list[str]:
    if file_set.root is None:
        return [f"entrance {entrance.dest!r}: only a set with a root has entrances" for entrance in file_set.entrances]
    name = Path(file_set.root).name
    problems = [
        f"entrance {entrance.dest!r}: write a path relative to the directory of the root, outside the root"
        for entrance in file_set.entrances
        if not _is_plain(f"/{entrance.dest}") or entrance.dest.split("/")[0] == name
    ]
    return problems + [
        f"entrance {entrance.dest!r}: original {entrance.original!r} is no file name"
        for entrance in file_set.entrances
        if entrance.original is not None and ("/" in entrance.original or not _is_plain(f"/{entrance.original}"))
    ]


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return path.startswith("/") and "\0" not in path and len(path) > 1 and not {"", ".", ".."} & set(parts[1:])


def converge(
    file_set: FileSet,
    *,
    apply: bool,
    with_diff: bool = False,
    ownership: Ownership | None = None,
    manifests: Path = MANIFESTS,
    volatile: Path = VOLATILE,
) -> Result:
    """Make the files on disk those of the set; with `apply` false only say (and validate) what would be changed.

    manifests: where is written down what was put in place. volatile: where the set is shown to validators.
    """
    check(file_set)
    owners = ownership or Ownership()
    name, root = file_set.name, file_set.root
    if not apply:
        known = file_manifest.read(manifests, name, root)
        return _compare(file_set, known, _layout(file_set, known, owners), owners, with_diff)
    with file_manifest.lock(manifests, name):
        known = file_manifest.read(manifests, name, root)
        layout = _layout(file_set, known, owners)
        _refuse_unknown_owners(file_set.files, owners)
        layout.clean()
        workspace = file_manifest.clean(manifests, volatile, name)
        result = _compare(file_set, known, layout, owners, with_diff, workspace)
        wanted = {file.dest for file in file_set.files}
        if result.changed:
            file_manifest.write(manifests, name, root, known | wanted)
            _put_in_place(name, layout, result, wanted)
        kept = known - _forgotten(file_set, known) if file_set.keep_unlisted else set()
        file_manifest.write(manifests, name, root, kept | wanted)
    return result


def _layout(file_set: FileSet, known: set[str], owners: Ownership) -> Layout:
    if file_set.keep_unlisted:
        # What is not listed stays, as if it were somebody else's.
        known = _forgotten(file_set, known) | known.intersection(file.dest for file in file_set.files)
    if file_set.root is None:
        return LooseFiles(file_set.files, known, owners)
    return RootedSet(Path(file_set.root), file_set.files, known, file_set.digest, owners, file_set.entrances)


def _forgotten(file_set: FileSet, known: set[str]) -> set[str]:
    return {dest for dest in known if any(fnmatchcase(dest, pattern) for pattern in file_set.forget)}


def _compare(
    file_set: FileSet,
    known: set[str],
    layout: Layout,
    owners: Ownership,
    with_diff: bool,
    workspace: Path | None = None,
) -> Result:
    """Return what has to change, after the new set, if there is one, was found valid."""
    with Standing(file_set.validate, file_set.files, file_set.root, file_set.entrances) as standing:
        changed = [file for file in file_set.files if differs(layout.path(file.dest), file, owners)]
        stays, closed = layout.foreign(), layout.closed()
        result = Result(
            file_set.digest,
            changed_files=[*(file.dest for file in changed), *(_beside(file_set, entrance) for entrance in closed)],
            removed_files=layout.unwanted(),
            foreign_files=[dest for dest in stays if dest not in known],
            unlisted_files=[dest for dest in stays if dest in known],
            root_created=file_set.root is not None and not os.path.lexists(file_set.root),
        )
        if not result.changed:
            result.validation = standing.outcomes()
    if with_diff:
        result.diff = differences(changed, result.removed_files, layout.path, owners)
        result.diff += [entrance_difference(Path(_beside(file_set, entrance)), entrance) for entrance in closed]
    if result.changed and file_set.validate:
        wanting = {file.dest for file in changed}
        as_wanted = {file.dest: layout.path(file.dest) for file in file_set.files if file.dest not in wanting}
        result.validation = validate(
            file_set.validate, file_set.files, file_set.root, stays, workspace, file_set.entrances, as_wanted
        )
    return result


def _beside(file_set: FileSet, entrance: Entrance) -> str:
    return str(Path(file_set.root or "/").parent / entrance.dest)


def _put_in_place(name: str, layout: Layout, result: Result, wanted: set[str]) -> None:
    changed = wanted & set(result.changed_files)
    try:
        if changed or result.removed_files or result.root_created:
            layout.stage(changed)
            layout.put_in_place()
        layout.open_entrances()
    except OSError as exc:
        layout.clean()
        raise ManagedFilesError(f"{name}: a file cannot be written: {exc}") from exc


def _refuse_unknown_owners(files: Sequence[WantedFile], owners: Ownership) -> None:
    unknown = [file for file in files if file.link is None and owners.ids(file) is None]
    if unknown:
        listed = ", ".join(f"{file.dest} ({file.owner}:{file.group})" for file in unknown)
        raise ManagedFilesError(f"owner or group does not exist on this host: {listed}; create it first")
