# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Releases and runtimes on a host's disk. Everything is made aside and renamed into place: what stands there is whole.

npm/<digest>/                            an npm that builds runtimes
runtimes/<digest>/node_modules/          shared by releases, root's
tenants/<tenant>/releases/<id>/          project/, node_modules (a link), environment/, ca.crt, release.json
tenants/<tenant>/current                 a link to the release that runs
.staging/                                what is being made; a run that was killed leaves it, the next one clears it but
                                         for the packages that npm has finished there, or still works on
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import projects
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import (
    CA_FILE,
    ENVIRONMENT_DIRECTORY,
    INDEX_FILE,
    PROJECT_DIRECTORY,
    Found,
    Wanted,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_places import (
    ROOT,
    RUNTIME_FILE,
    complete_runtimes,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import (
    PROC,
    SystemdError,
    booted_at,
    process_cwds,
    run,
)

RELEASE_FILE = "release.json"
NPM_PROGRAM = "bin/npm-cli.js"
STAGED_RUNTIME = "runtime-"
SECRET_MODE = 0o600


@dataclass(frozen=True)
class Store:
    """The directory that holds it all."""

    root: Path = ROOT
    booted_at: Callable[[], float] = booted_at

    @property
    def staging(self) -> Path:
        """Where things are made."""
        return self.root / ".staging"

    def release(self, tenant: str, release: str) -> Path:
        """Return where a release lies."""
        return self.root / "tenants" / tenant / "releases" / release

    def runtime(self, digest: str) -> Path:
        """Return where a runtime lies."""
        return self.root / "runtimes" / digest

    def staged_runtime(self, digest: str) -> Path:
        """Return where npm installs a runtime; the same for the same digest, so that a second try starts anew there."""
        return self.staging / f"{STAGED_RUNTIME}{digest}"

    def is_installed(self, digest: str) -> bool:
        """Return whether npm has installed a staged runtime since the host booted.

        Files of an earlier boot may have lost what was not on the disk yet when the host went down.
        """
        try:
            return (self.staged_runtime(digest) / RUNTIME_FILE).stat().st_mtime > self.booted_at()
        except OSError:
            return False

    def is_worked_in(self, folder: Path) -> bool:
        """Return whether a process, an npm for example, has its working directory in a folder below the root."""
        return any(cwd.is_relative_to(folder) for cwd in self.processes())

    def begun(self) -> list[str]:
        """Return the staged runtimes that npm has installed or works on."""
        names = [path.name for path in entries(self.staging) if path.name.startswith(STAGED_RUNTIME)]
        digests = [name[len(STAGED_RUNTIME) :] for name in names]
        return [each for each in digests if self.is_installed(each) or self.is_worked_in(self.staged_runtime(each))]

    def npm(self, digest: str) -> Path:
        """Return npm's program."""
        return self.root / "npm" / digest / NPM_PROGRAM

    def look(self, users: Mapping[str, str], node: str) -> Found:
        """Return what the host has for some tenants. users: tenant -> its user. node: path of the program."""
        last = {tenant: names[-1] for tenant, names in self.releases().items() if names}
        current = {tenant: self.current(tenant) for tenant in users}
        staged = {tenant: name for tenant, name in last.items() if tenant in users and name != current[tenant]}
        return Found(
            node=_node_version(node),
            current=self._all_contents(users, current),
            staged=self._all_contents(users, staged),
            runtimes=frozenset(self.runtimes()),
            begun=frozenset(self.begun()),
            npm=frozenset(path.name for path in entries(self.root / "npm") if (path / NPM_PROGRAM).is_file()),
            users=frozenset(filter(_user_exists, users.values())),
        )

    def tenants(self) -> list[str]:
        """Return the tenants that have a directory here."""
        return sorted(path.name for path in entries(self.root / "tenants"))

    def releases(self) -> dict[str, list[str]]:
        """Return tenant -> its complete releases, the one that ran longest ago first."""
        found = {}
        for tenant in entries(self.root / "tenants"):
            complete = [path for path in entries(tenant / "releases") if (path / RELEASE_FILE).is_file()]
            found[tenant.name] = [
                path.name for path in sorted(complete, key=lambda path: (path.stat().st_mtime_ns, path))
            ]
        return found

    def runtimes(self) -> list[str]:
        """Return the complete runtimes."""
        return complete_runtimes(self.root)

    def runtime_of(self, tenant: str, release: str) -> str | None:
        """Return the runtime of a release."""
        try:
            return (self.release(tenant, release) / "node_modules").readlink().parent.name
        except OSError:
            return None

    def _all_contents(self, users: Mapping[str, str], releases: Mapping[str, str | None]) -> dict[str, Wanted]:
        contents = (self._contents(tenant, users[tenant], release) for tenant, release in releases.items())
        return {found.tenant: found for found in contents if found is not None}

    def _contents(self, tenant: str, user: str, release: str | None) -> Wanted | None:
        """Return what a release is made of, read from its files, whoever wrote them last."""
        folder = self.release(tenant, release or "")
        if release is None or not (folder / RELEASE_FILE).is_file():
            return None
        environment = [f"{ENVIRONMENT_DIRECTORY}/{path.name}" for path in files(folder / ENVIRONMENT_DIRECTORY)]
        others = [name for name in (CA_FILE, INDEX_FILE) if (folder / name).is_file()]
        try:
            return Wanted(
                tenant=tenant,
                user=user,
                id=release,
                project=projects.read_tree(folder / PROJECT_DIRECTORY).digest,
                runtime=self.runtime_of(tenant, release) or "",
                files={name: _digest(folder / name) for name in [*environment, *others]},
            )
        except (OSError, projects.ProjectError):
            return None

    def current(self, tenant: str) -> str | None:
        """Return the release that a tenant's link points at."""
        try:
            return (self.root / "tenants" / tenant / "current").readlink().name
        except OSError:
            return None

    def switch(self, tenant: str, release: str, link: str = "current") -> None:
        """Let a tenant's link point at a release, by one rename."""
        folder = self.root / "tenants" / tenant
        staged = folder / f".{link}.new"
        staged.unlink(missing_ok=True)
        staged.symlink_to(Path("releases") / release)
        staged.rename(folder / link)
        # The order of releases is that in which they ran.
        os.utime(self.release(tenant, release))

    def processes(self, proc: Path = PROC) -> list[Path]:
        """Return the working directory of every process that lies below the root."""
        return [cwd for cwd in process_cwds(proc) if cwd.is_relative_to(self.root)]

    def in_use(self, proc: Path = PROC) -> set[tuple[str, str]]:
        """Return (tenant, release) of every process that was started from a release, by its working directory."""
        found = set()
        for cwd in self.processes(proc):
            parts = cwd.relative_to(self.root).parts
            if len(parts) > 3 and parts[0] == "tenants" and parts[2] == "releases":
                found.add((parts[1], parts[3]))
        return found


def entries(folder: Path) -> list[Path]:
    """Return the directories in a folder, sorted; none where there is no folder."""
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def files(folder: Path) -> list[Path]:
    """Return what is in a folder besides directories, sorted; nothing where there is no folder."""
    try:
        return sorted(path for path in folder.iterdir() if path.is_symlink() or not path.is_dir())
    except OSError:
        return []


def _digest(path: Path) -> str:
    """Return the digest of a file's content, "" for one that others could read although it is secret."""
    found = path.lstat()
    is_secret = path.parent.name == ENVIRONMENT_DIRECTORY
    if not stat.S_ISREG(found.st_mode) or (
        is_secret and (stat.S_IMODE(found.st_mode), found.st_uid) != (SECRET_MODE, 0)
    ):
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _node_version(node: str) -> str | None:
    try:
        done = run([node, "--version"])
    except SystemdError:
        return None
    return done.stdout.strip().lstrip("v") or None


def _user_exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
