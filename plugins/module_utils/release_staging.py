# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Releases, runtimes and npm put on a host's disk, and what no one needs removed: a rename in, a rename out.

Everything is made aside first. A run that was killed leaves what it was making in the staging directory, and nowhere
else; the next one that makes something takes over the packages that npm has finished there, and clears the rest.
"""

from __future__ import annotations

import contextlib
import grp
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import archives, names, runtime_shipping
from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import Clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import (
    NPM_PROGRAM,
    RELEASE_FILE,
    SECRET_MODE,
    Store,
    entries,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import (
    CA_BUNDLE,
    ENVIRONMENT_DIRECTORY,
    PROJECT_DIRECTORY,
    Garbage,
    Plan,
    Wanted,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_places import RUNTIME_FILE
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Run, run

# An `npm ci` takes 20 s; one from a slow registry has its time.
NPM_SECONDS = 600.0
NPM_POLL_SECONDS = 0.5
SYSUSERS = "/etc/sysusers.d/cubejs.conf"


class StagingError(Exception):
    """A release cannot be put in place; the message says which, why and what to do."""


def _give_to_group(folder: Path, group: str) -> None:
    try:
        os.chown(folder, 0, grp.getgrnam(group).gr_gid)
    except KeyError:
        raise StagingError(f"group {group} does not exist on this host, and {SYSUSERS} does not create it") from None


@dataclass(frozen=True)
class Staging:
    """The writing half of a store. Whoever writes keeps other runs from it: see `host_lock`."""

    store: Store
    call: Run = run
    chown: Callable[[Path, str], None] = _give_to_group
    clock: Clock = field(default_factory=Clock)

    def stage(
        self,
        plan: Plan,
        wanted: Sequence[Wanted],
        files: Mapping[str, Mapping[str, str]],
        archive: Path,
        shipped: Mapping[str, runtime_shipping.Shipped] | None = None,
    ) -> list[str]:
        """Create users, put npm and releases in place, and lay out for npm what the runtimes are installed from.

        files: release -> path -> text. archive: a tar of `npm/<digest>.tgz`, `projects/<digest>/` and
        `runtimes/<digest>/{package.json,package-lock.json}`. shipped: runtime -> its archive, where another host has
        built it. Return the runtimes that npm has yet to install: the others are complete by now.
        """
        self._await_npm(plan.runtimes)
        begun = [digest for digest in plan.runtimes if self.store.is_installed(digest)]
        left = [digest for digest in plan.runtimes if digest not in begun]
        with self._workspace() as workspace:
            self._clear_staging_but([workspace, *map(self.store.staged_runtime, begun)])
            if plan.users:
                self._create_users(plan.users)
            unpacked = workspace / "archive"
            archives.unpack(archive, unpacked)
            packed = {digest: each for digest, each in (shipped or {}).items() if digest in left}
            complete = {
                digest: runtime_shipping.unpack(each, digest, unpacked / "runtimes" / digest, workspace / digest)
                for digest, each in packed.items()
            }
            made = {}
            if (unpacked / CA_BUNDLE).is_file():
                (unpacked / CA_BUNDLE).replace(self.store.root / CA_BUNDLE)
            for digest in plan.npm:
                npm = _unpack_npm(unpacked / "npm" / f"{digest}.tgz", workspace / f"npm-{digest}")
                made[self.store.root / "npm" / digest] = npm
            for each in wanted:
                if (each.tenant, each.id) in plan.releases:
                    self._own_tenant(each)
                    folder = self._make(each, files[each.id], unpacked / "projects" / each.project, workspace / each.id)
                    made[self.store.release(each.tenant, each.id)] = folder
            self._put_in_place(made)
            for digest in left:
                laid_out = complete.get(digest, unpacked / "runtimes" / digest)
                laid_out.rename(self.store.staged_runtime(digest))
            self._clear_staging_but([workspace, *map(self.store.staged_runtime, plan.runtimes)])
        return [digest for digest in left if digest not in complete]

    def adopt(self, digests: Sequence[str]) -> None:
        """Put runtimes in place that npm has installed."""
        for digest in digests:
            staged = self.store.staged_runtime(digest)
            if not (staged / RUNTIME_FILE).is_file():
                raise StagingError(f"npm left no {RUNTIME_FILE} in {staged}: run again to install it anew")
            _let_all_read(staged)
        self._put_in_place({self.store.runtime(digest): self.store.staged_runtime(digest) for digest in digests})

    def remove(self, garbage: Garbage) -> None:
        """Remove releases and runtimes: out of their place by a rename first, so that none is ever half there."""
        with self._workspace() as workspace:
            places = [self.store.release(tenant, release) for tenant, release in garbage.releases]
            places += [self.store.runtime(digest) for digest in garbage.runtimes]
            for number, place in enumerate(places):
                place.rename(workspace / str(number))

    def _await_npm(self, digests: Sequence[str]) -> None:
        """Let an npm end that works on one of the runtimes: it was begun beside other work, or by a killed run."""
        places = [self.store.staged_runtime(digest) for digest in digests]
        deadline = self.clock.monotonic() + NPM_SECONDS
        while busy := [place for place in places if self.store.is_worked_in(place)]:
            if self.clock.monotonic() >= deadline:
                raise StagingError(
                    f"another run has been installing packages in {busy[0]} for {NPM_SECONDS:.0f} s: "
                    "wait until it has ended, then run again"
                )
            self.clock.sleep(NPM_POLL_SECONDS)

    def _make(self, wanted: Wanted, files: Mapping[str, str], project: Path, folder: Path) -> Path:
        """Make a release aside. The project is copied: releases of several tenants may have the same."""
        folder.mkdir(mode=0o755)
        shutil.copytree(project, folder / PROJECT_DIRECTORY, symlinks=True)
        (folder / "node_modules").symlink_to(Path("../../../../runtimes") / wanted.runtime / "node_modules")
        (folder / ENVIRONMENT_DIRECTORY).mkdir(mode=0o700)
        for path, text in files.items():
            _write(folder / path, text, SECRET_MODE if _is_secret(path) else 0o644)
        document = {"tenant": wanted.tenant, "project": wanted.project, "runtime": wanted.runtime}
        _write(folder / RELEASE_FILE, json.dumps(document, sort_keys=True) + "\n", 0o644)
        return folder

    def _own_tenant(self, wanted: Wanted) -> None:
        """Make a tenant's directory: root's, and closed to everyone but the tenant's own group."""
        folder = self.store.release(wanted.tenant, wanted.id).parent.parent
        folder.parent.mkdir(mode=0o755, exist_ok=True)
        folder.mkdir(mode=0o750, exist_ok=True)
        self.chown(folder, wanted.user)
        (folder / "releases").mkdir(mode=0o755, exist_ok=True)

    def _put_in_place(self, made: Mapping[Path, Path]) -> None:
        """Rename finished trees into place; what is there already is damaged, and moved aside first."""
        # A rename must not reach the disk before what is renamed.
        os.sync()
        for place, folder in made.items():
            place.parent.mkdir(mode=0o755, exist_ok=True)
            if place.exists():
                place.rename(Path(tempfile.mkdtemp(dir=self.store.staging)) / "damaged")
            folder.rename(place)

    def _create_users(self, users: Sequence[str]) -> None:
        prefix = names.system_user("")
        files = [names.sysusers_file(user[len(prefix) :]) for user in users]
        done = self.call(["systemd-sysusers", SYSUSERS, *files])
        if done.rc != 0:
            raise StagingError(f"systemd-sysusers cannot create {', '.join(users)}: {done.stderr.strip()}")

    @contextlib.contextmanager
    def _workspace(self) -> Iterator[Path]:
        """Give an empty directory on the same file system, for things to be renamed from."""
        self.store.root.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.store.staging.mkdir(mode=0o700, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self.store.staging))
        yield folder
        shutil.rmtree(folder, ignore_errors=True)

    def _clear_staging_but(self, kept: Sequence[Path]) -> None:
        """Remove what killed runs left, but for what a process still works in: an npm, or a release found damaged."""
        used = [*kept, *(cwd for cwd in self.store.processes() if cwd.is_relative_to(self.store.staging))]
        for path in entries(self.store.staging):
            if not any(cwd.is_relative_to(path) for cwd in used):
                shutil.rmtree(path, ignore_errors=True)


def _is_secret(path: str) -> bool:
    return path.startswith(f"{ENVIRONMENT_DIRECTORY}/")


def _unpack_npm(archive: Path, folder: Path) -> Path:
    """Unpack npm's package and return the directory in it that holds the program."""
    archives.unpack(archive, folder)
    programs = sorted(folder.glob(f"**/{NPM_PROGRAM}"), key=lambda path: len(path.parts))
    if not programs:
        raise StagingError(f"the npm archive holds no {NPM_PROGRAM}: pack one with `npm pack npm`")
    found = programs[0].parent.parent
    _let_all_read(found)
    return found


def _write(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, SECRET_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        os.fchmod(stream.fileno(), mode)


def _let_all_read(folder: Path) -> None:
    """Give everyone the rights to read that root has: root's umask may be narrow, and tenants run what is in there."""
    _open(str(folder), folder.stat())
    # Of tens of thousands of files: a Path for each would take most of a second.
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in found:
                if entry.is_symlink():
                    continue
                _open(entry.path, entry.stat(follow_symlinks=False))
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _open(path: str, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    wanted = (mode | 0o444 | (0o111 if mode & stat.S_IXUSR else 0)) & 0o755
    if mode != wanted:
        Path(path).chmod(wanted)
