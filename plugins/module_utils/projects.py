# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A tenant's project: which of its files are deployed, their digest, and the packages that it is to run with."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions

# Packages are installed from the lockfile, and history is no part of what runs.
EXCLUDED_DIRECTORIES = frozenset({"node_modules", ".git", ".hg", ".svn"})
# Cube reads a .env in its working directory: a developer's would add settings (development mode, another storage) that
# nobody sees in the inventory. npm's settings may hold a registry's token.
EXCLUDED_FILES = frozenset({".env", ".npmrc"})
EXCLUDED_PREFIX = ".env."
PACKAGE, LOCK = "package.json", "package-lock.json"
OTHER_LOCKS = ("yarn.lock", "pnpm-lock.yaml", "npm-shrinkwrap.json")
SERVER = "@cubejs-backend/server"
ANTLR4 = "4.8.0"


class ProjectError(ValueError):
    """A project that cannot be deployed; the message names it, says why and what to do."""


@dataclass(frozen=True)
class TreeFile:
    """A file of a project, or with `link` a symbolic link within it; the path is relative to the project."""

    path: str
    digest: str
    executable: bool = False
    link: str | None = None


@dataclass(frozen=True)
class Tree:
    """The files that are deployed, sorted by path, and those of the project that are left out."""

    files: tuple[TreeFile, ...]
    excluded: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Return a digest over paths, contents and what may be executed: times, owners and other modes do not count."""
        rows = [[file.path, file.digest, file.executable, file.link] for file in self.files]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    def has(self, path: str) -> bool:
        """Return whether a file of this path is deployed."""
        return any(file.path == path for file in self.files)


def read_tree(root: Path) -> Tree:
    """Return the tree below a directory; raise ProjectError for what cannot be deployed."""
    if not root.is_dir():
        raise ProjectError(f"{root} is no directory on the controller: correct the tenant's project")
    excluded: list[str] = []
    files = [_tree_file(root, path) for path in _walk(root, excluded)]
    return Tree(tuple(sorted(files, key=lambda file: file.path)), tuple(sorted(excluded)))


def _walk(root: Path, excluded: list[str]) -> Iterator[Path]:
    for directory, directories, names in os.walk(root):
        here = Path(directory)
        links = [name for name in directories if (here / name).is_symlink()]
        directories[:] = [name for name in directories if name not in EXCLUDED_DIRECTORIES and name not in links]
        for name in [*names, *links]:
            if name in EXCLUDED_FILES or name.startswith(EXCLUDED_PREFIX):
                excluded.append(str((here / name).relative_to(root)))
            elif name not in EXCLUDED_DIRECTORIES:
                yield here / name


def _tree_file(root: Path, path: Path) -> TreeFile:
    name = str(path.relative_to(root))
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return TreeFile(name, "", link=_inner_link(root, path))
    if not stat.S_ISREG(found.st_mode):
        raise ProjectError(f"{path} is neither a file nor a directory: remove it from the project")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return TreeFile(name, digest, executable=bool(found.st_mode & stat.S_IXUSR))


def _inner_link(root: Path, path: Path) -> str:
    target = str(path.readlink())
    end = os.path.normpath(path.parent / target)
    if target.startswith("/") or os.path.commonpath([root, end]) != str(root):
        raise ProjectError(f"{path} is a link to {target}, outside the project: put the file itself there")
    return target


@dataclass(frozen=True)
class Manifest:
    """package.json and lockfile of a runtime; `source` is where they stand, `own` says that it is the project."""

    package: bytes
    lock: bytes
    source: Path
    own: bool

    @cached_property
    def packages(self) -> Mapping[str, Any]:
        """Return path (node_modules/...) -> entry of everything that the lockfile installs."""
        document = _json(self.lock, self.source / LOCK)
        packages = document.get("packages")
        if not isinstance(packages, dict):
            raise ProjectError(
                f"{self.source / LOCK} has no `packages` (lockfileVersion 1): write it anew with npm 7 or later"
            )
        return packages


def manifest(project: Path, shipped: Path, version: str) -> Manifest:
    """Return what the project brings, else what is shipped for the version.

    Raises ProjectError for a project with half of it, and for a version for which nothing is shipped.
    """
    brings = [name for name in (PACKAGE, LOCK) if (project / name).is_file()]
    if len(brings) == 1:
        other = next((name for name in OTHER_LOCKS if (project / name).exists()), None)
        hint = f"{other} is not read; " if other else ""
        raise ProjectError(
            f"{project} has {brings[0]} alone: {hint}make the other one with `npm install --package-lock-only`, or "
            "remove it to run with the packages that are shipped for the version"
        )
    source = project if brings else shipped / version
    if not (source / LOCK).is_file():
        known = sorted((path.name for path in shipped.iterdir()), key=versions.parse)
        raise ProjectError(
            f"{project} has no {PACKAGE} and {LOCK}, and for Cube {version} none are shipped (there are some for "
            f"{', '.join(known)}): add them to the project"
        )
    return Manifest((source / PACKAGE).read_bytes(), (source / LOCK).read_bytes(), source, own=bool(brings))


def manifest_problems(found: Manifest, version: str, drivers: Iterable[str]) -> list[str]:
    """Return why what a lockfile installs cannot run as this version of Cube with these drivers."""
    packages = found.packages
    lock = found.source / LOCK if found.own else f"the lockfile that is shipped for Cube {version}"
    remedy = f"add it to {PACKAGE}" if found.own else f"give the project a {PACKAGE} and {LOCK} of its own with it"
    problems = []
    for name in (SERVER, *drivers):
        installed = _version(packages, name)
        if installed is None:
            problems.append(f"{lock} does not install {name}, which the tenant needs: {remedy}")
        elif name == SERVER and installed != version:
            problems.append(f"{lock} installs {name} {installed}, but Cube {version} is asked for: make both the same")
        elif installed.split(".")[:2] != version.split(".")[:2]:
            problems.append(f"{lock} installs {name} {installed} for Cube {version}: they must share the minor version")
    antlr4 = _version(packages, "antlr4")
    if versions.pins_antlr4(version) and antlr4 is not None and antlr4 != ANTLR4:
        problems.append(
            f'{lock} installs antlr4 {antlr4}, with which Cube {version} does not start: add "overrides": {{"antlr4": '
            f'"{ANTLR4}"}} to {PACKAGE} and make the lockfile anew'
        )
    return problems


def _version(packages: Mapping[str, Any], name: str) -> str | None:
    entry = packages.get(f"node_modules/{name}")
    return str(entry.get("version")) if isinstance(entry, dict) and entry.get("version") else None


def _json(data: bytes, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except ValueError as exc:
        raise ProjectError(f"{path} is no JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise ProjectError(f"{path} is no JSON object")
    return document
