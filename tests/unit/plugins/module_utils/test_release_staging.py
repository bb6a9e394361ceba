"""Releases made on a disk: whole or not at all, closed to others, and again after a run was killed."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import archives, runtime_shipping
from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import Clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.projects import Tree, read_tree
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_staging import Staging, StagingError
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import Found, Garbage, Plan, Release, plan
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed


@dataclass
class Host:
    """A disk, and what a controller ships there."""

    folder: Path
    commands: list[list[str]] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    rc: int = 0
    clock: Clock = field(default_factory=Clock)
    booted_at: float = 0.0
    left: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """Return what is on the disk."""
        return Store(self.folder / "cubejs", lambda: self.booted_at)

    @property
    def staging(self) -> Staging:
        """Return what writes there."""

        def call(command: Sequence[str]) -> Completed:
            self.commands.append(list(command))
            return Completed(self.rc, "", "no")

        return Staging(self.store, call, lambda folder, group: self.owners.update({folder.name: group}), self.clock)

    @property
    def tree(self) -> Tree:
        """Return the project's files."""
        project = self.folder / "project"
        (project / "schema").mkdir(parents=True, exist_ok=True)
        (project / "schema/Orders.js").write_text("cube(`Orders`)")
        return read_tree(project)

    def release(self, level: str = "warn") -> Release:
        """Return a release of the project."""
        files = {"environment/acme.env": f'LEVEL="{level}"\n', "ca.crt": "PEM"}
        return Release("acme", "cube-acme", "0.29.57", self.tree.digest, "r1", {"acme": "d"}, files)

    def npm(self, program: str = "package/bin/npm-cli.js") -> Path:
        """Return an archive of npm."""
        path = self.folder / "npm.tgz"
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo(program)
            member.mode = 0o700
            archive.addfile(member)
        return path

    def stage(self, *made: Release, found: Found | None = None, npm: Path | None = None) -> Plan:
        """Ship what is missing; return it."""
        missing = plan([release.as_wanted() for release in made], found or Found(), "n1")
        archive = self.folder / "archive.tgz"
        contents = {"ca-bundle.crt": b"bundle"}
        contents.update({f"npm/{each}.tgz": (npm or self.npm()).read_bytes() for each in missing.npm})
        for each in missing.runtimes:
            contents.update({f"runtimes/{each}/package.json": b"{}", f"runtimes/{each}/package-lock.json": b"{}"})
        archives.pack(archive, {f"projects/{self.tree.digest}": (self.folder / "project", self.tree)}, contents)
        wanted = [release.as_wanted() for release in made]
        self.left = self.staging.stage(missing, wanted, {release.id: release.files for release in made}, archive)
        return missing

    def install(self, digest: str = "r1") -> None:
        """Do what npm does."""
        modules = self.store.staged_runtime(digest) / "node_modules"
        (modules / "a").mkdir(parents=True)
        (modules / "a/run").write_text("")
        (modules / "a/run").chmod(0o700)
        (modules / "a/read").write_text("")
        (modules / "a/read").chmod(0o600)
        (modules / ".package-lock.json").touch()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_everything_on_an_empty_disk(host: Host) -> None:
    made = host.release()
    host.stage(made)
    host.install()
    host.staging.adopt(["r1"])
    assert host.commands == [["systemd-sysusers", "/etc/sysusers.d/cubejs.conf", "/etc/sysusers.d/cubejs-acme.conf"]]
    folder = host.store.release("acme", made.id)
    assert (folder / "project/schema/Orders.js").read_text() == "cube(`Orders`)"
    assert (folder / "node_modules/a/run").exists()
    assert host.owners == {"acme": "cube-acme"}
    assert mode(host.store.root / "tenants/acme") == 0o750
    assert [mode(folder / path) for path in ("environment", "environment/acme.env", "ca.crt")] == [0o700, 0o600, 0o644]
    assert (host.store.root / "ca-bundle.crt").read_bytes() == b"bundle"
    assert list(host.store.staging.iterdir()) == []
    host.store.switch("acme", made.id)
    found = host.store.look({"acme": "cube-acme"}, "/no/node")
    assert found.current["acme"] == made.as_wanted()
    assert not plan(
        [made.as_wanted()], Found(None, found.current, found.runtimes, found.npm, frozenset(["cube-acme"])), "n1"
    ).changed


def test_everyone_may_read_and_run_what_only_root_could(host: Host) -> None:
    host.stage(host.release())
    host.install()
    host.staging.adopt(["r1"])
    modules = host.store.runtime("r1") / "node_modules/a"
    assert [mode(modules / name) for name in ("run", "read")] == [0o755, 0o644]
    assert mode(host.store.npm("n1")) == 0o755


def test_a_runtime_that_npm_did_not_finish_is_not_taken(host: Host) -> None:
    host.stage(host.release())
    with pytest.raises(StagingError, match=r"npm left no node_modules/\.package-lock\.json"):
        host.staging.adopt(["r1"])
    assert host.store.runtimes() == []


def test_what_a_killed_run_left_is_cleared_and_made_anew(host: Host) -> None:
    made = host.release()
    host.stage(made)
    host.install()
    (host.store.staged_runtime("r1") / "node_modules/.package-lock.json").unlink()  # killed before npm was done
    (host.store.staging / "half/project").mkdir(parents=True)
    host.stage(made)
    assert sorted(path.name for path in host.store.staging.iterdir()) == ["runtime-r1"]
    assert not (host.store.staged_runtime("r1") / "node_modules").exists()
    assert host.left == ["r1"]


def test_packages_that_npm_has_installed_are_taken_over(host: Host) -> None:
    """They were begun beside other work, or a run was killed before it put them in place."""
    made = host.release()
    host.stage(made)
    host.install()
    (host.store.staging / "jobs").mkdir()
    assert host.store.look({}, "/no/node").begun == {"r1"}
    host.stage(made)
    assert host.left == []
    assert sorted(path.name for path in host.store.staging.iterdir()) == ["runtime-r1"]
    host.staging.adopt(["r1"])
    assert host.store.runtimes() == ["r1"]


def test_packages_of_an_earlier_boot_are_installed_anew(host: Host) -> None:
    """What was not on the disk yet when the host went down is missing or empty."""
    made = host.release()
    host.stage(made)
    host.install()
    installed = host.store.staged_runtime("r1") / "node_modules/.package-lock.json"
    host.booted_at = installed.stat().st_mtime + 1
    assert host.store.begun() == []
    host.stage(made)
    assert host.left == ["r1"]
    assert not installed.exists()


def test_a_release_that_was_staged_and_never_switched_to_is_not_staged_again(host: Host) -> None:
    """Else runs that are killed each time before the switch would never get there."""
    first, second = host.release(), host.release("info")
    host.stage(first)
    host.install()
    host.staging.adopt(["r1"])
    host.store.switch("acme", first.id)
    host.stage(second, found=Found(runtimes=frozenset(["r1"])))
    found = host.store.look({"acme": "cube-acme"}, "/no/node")
    assert (found.current["acme"], found.staged["acme"]) == (first.as_wanted(), second.as_wanted())
    assert plan([second.as_wanted()], found, None).releases == ()
    assert plan([host.release("trace").as_wanted()], found, None).releases
    changed = host.store.release("acme", second.id) / "environment/acme.env"
    changed.write_text("by hand")
    assert plan([second.as_wanted()], host.store.look({"acme": "cube-acme"}, "/no/node"), None).releases


def test_an_npm_that_still_runs_has_its_time(host: Host) -> None:
    made = host.release()
    host.stage(made)
    with subprocess.Popen(["sleep", "3600"], cwd=host.store.staged_runtime("r1")) as npm:
        assert host.store.begun() == ["r1"]
        host.clock = Clock(sleep=lambda _seconds: npm.kill())
        host.stage(made)
        assert npm.poll() is not None
    assert host.store.staged_runtime("r1").is_dir()


def test_an_npm_that_hangs_is_not_disturbed(host: Host) -> None:
    made, slept = host.release(), list[float]()
    host.stage(made)
    host.clock = Clock(lambda: sum(slept), slept.append)
    with subprocess.Popen(["sleep", "3600"], cwd=host.store.staged_runtime("r1")) as npm:
        try:
            with pytest.raises(StagingError, match=r"another run has been installing packages in .* for 600 s: wait"):
                host.stage(made)
            assert npm.poll() is None
        finally:
            npm.kill()
    assert 600 <= sum(slept) < 601


def test_a_damaged_release_is_replaced_and_the_process_in_it_keeps_its_files(host: Host) -> None:
    made = host.release()
    host.stage(made)
    folder = host.store.release("acme", made.id)
    (folder / "project/schema/Orders.js").write_text("changed by hand")
    before = Path.cwd()
    os.chdir(folder / "project")
    try:
        host.stage(made)
        assert Path("schema/Orders.js").read_text() == "changed by hand"
        assert (folder / "project/schema/Orders.js").read_text() == "cube(`Orders`)"
        host.stage(host.release("info"))
        assert Path("schema/Orders.js").exists(), "a later run cleared it away from under its process"
    finally:
        os.chdir(before)
    host.stage(host.release("error"))
    assert [path.name for path in host.store.staging.iterdir()] == ["runtime-r1"]


def test_users_that_cannot_be_made(host: Host) -> None:
    host.rc = 1
    with pytest.raises(StagingError, match="systemd-sysusers cannot create cube-acme: no"):
        host.stage(host.release())
    assert host.store.releases() == {}


def test_an_archive_without_npm(host: Host) -> None:
    with pytest.raises(StagingError, match=r"holds no bin/npm-cli\.js: pack one with `npm pack npm`"):
        host.stage(host.release(), npm=host.npm("package/index.js"))


def test_a_group_that_does_not_exist(host: Host) -> None:
    staging = Staging(host.store, host.staging.call)
    made = host.release()
    host.stage(made)
    missing = Plan(releases=(("acme", made.id),))
    with pytest.raises(StagingError, match="group cube-acme does not exist"):
        staging.stage(missing, [made.as_wanted()], {made.id: made.files}, host.folder / "archive.tgz")


def test_what_no_one_needs_is_removed(host: Host) -> None:
    first, second = host.release(), host.release("info")
    host.stage(first)
    host.install()
    host.staging.adopt(["r1"])
    host.stage(second, found=Found(runtimes=frozenset(["r1"])))
    host.staging.remove(Garbage((("acme", first.id),), ("r1",)))
    assert host.store.releases() == {"acme": [second.id]}
    assert host.store.runtimes() == []
    assert list(host.store.staging.iterdir()) == []


def test_a_runtime_that_was_shipped_needs_no_npm(host: Host, tmp_path: Path) -> None:
    """Built on a first host; a run that was killed before it was put in place ships it again."""
    host.stage(host.release())
    host.install()
    host.staging.adopt(["r1"])
    archive = tmp_path / "r1.tgz"
    packed = runtime_shipping.pack(host.store, "r1", archive)
    shipped = {"r1": runtime_shipping.Shipped(archive, packed["sha256"])}
    other = Host(tmp_path / "other")
    other.folder.mkdir()
    archives.pack(
        other.folder / "a.tgz",
        {},
        {
            f"runtimes/r1/{name}": (host.store.runtime("r1") / name).read_bytes()
            for name in ("package.json", "package-lock.json")
        },
    )
    for _twice in range(2):
        left = other.staging.stage(Plan(runtimes=("r1",)), [], {}, other.folder / "a.tgz", shipped)
        assert (left, other.store.runtimes()) == ([], [])
    other.staging.adopt(["r1"])
    assert other.store.runtimes() == ["r1"]
    modules = [each.runtime("r1") / "node_modules/a" for each in (host.store, other.store)]
    assert [mode(modules[1] / name) for name in ("run", "read")] == [
        mode(modules[0] / name) for name in ("run", "read")
    ]
    assert list(other.store.staging.iterdir()) == []
