"""Sets of files, kept through changes, refusals and kills."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import file_manifest
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_validation import Validation
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import (
    ManagedFilesError,
    Ownership,
    WantedFile,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.managed_files import (
    FileSet,
    Result,
    check,
    converge,
    pack,
    unpack,
)


class Host:
    """A directory that plays a host: the set's root, its manifests, and what is in them."""

    def __init__(self, path: Path, ownership: Ownership, *, rooted: bool) -> None:
        self.path = path
        self.ownership = ownership
        self.rooted = rooted
        self.root = path / "etc/set"
        self.manifests = path / "var/manifests"

    def file_set(
        self,
        contents: dict[str, str],
        *,
        command: str = "true",
        secret: bool = False,
        keep_unlisted: bool = False,
        forget: tuple[str, ...] = (),
    ) -> FileSet:
        """Return a set with these contents."""
        files = tuple(
            WantedFile(dest if self.rooted else f"{self.root}/{dest}", content.encode(), secret=secret)
            for dest, content in contents.items()
        )
        root = str(self.root) if self.rooted else None
        checks = (Validation(command),) if command else ()
        gone = tuple(dest if self.rooted else f"{self.root}/{dest}" for dest in forget)
        return FileSet("test", files, root, checks, keep_unlisted=keep_unlisted, forget=gone)

    def keep(self, contents: dict[str, str], *, apply: bool = True, **options: Any) -> Result:
        """Keep a set with these contents."""
        return converge(
            self.file_set(contents, **options),
            apply=apply,
            with_diff=True,
            ownership=self.ownership,
            manifests=self.manifests,
            volatile=self.path,
        )

    def contents(self) -> dict[str, str]:
        """Return what readers of the set see."""
        paths = self.root.rglob("*") if self.root.exists() else ()
        return {str(path.relative_to(self.root)): path.read_text() for path in paths if path.is_file()}

    def everything(self) -> set[str]:
        """Return every path there is, but for the lock, which is for ever."""
        return {str(path) for path in self.path.rglob("*") if path.suffix != ".lock"}


@pytest.fixture(params=[True, False], ids=["with a root", "loose files"])
def host(request: pytest.FixtureRequest, tmp_path: Path, ownership: Ownership) -> Host:
    return Host(tmp_path, ownership, rooted=request.param)


OLD = {"a": "1", "sub/b": "2", "gone": "3"}
NEW = {"a": "1", "sub/b": "new", "added/c": "4"}


def names(files: list[str]) -> list[str]:
    return sorted(Path(file).name for file in files)


def test_a_set_is_written_changed_and_cleared(host: Host) -> None:
    assert host.keep(OLD).changed
    assert host.contents() == OLD
    result = host.keep(NEW)
    assert host.contents() == NEW
    assert names(result.changed_files) == ["b", "c"]
    assert names(result.removed_files) == ["gone"]


def test_the_second_run_changes_nothing(host: Host) -> None:
    host.keep(OLD)
    before = {path: path.lstat().st_ctime_ns for path in host.path.rglob("*") if path.suffix != ".lock"}
    result = host.keep(OLD, command="false")
    assert not result.changed
    assert result.diff == []
    assert before == {path: path.lstat().st_ctime_ns for path in host.path.rglob("*") if path.suffix != ".lock"}


def test_drift_is_mended(host: Host) -> None:
    host.keep(OLD)
    (host.root / "a").write_text("by hand")
    (host.root / "gone").unlink()
    (host.root / "sub/b").chmod(0o600)
    assert names(host.keep(OLD).changed_files) == ["a", "b", "gone"]
    assert host.contents() == OLD


def test_check_mode_tells_the_same_and_touches_nothing(host: Host) -> None:
    host.keep(OLD)
    before = host.everything()
    predicted = host.keep(NEW, apply=False)
    assert (host.everything(), host.contents()) == (before, OLD)
    done = host.keep(NEW)
    assert vars(predicted) == vars(done)


def test_check_mode_on_an_empty_host(host: Host) -> None:
    assert host.keep(OLD, apply=False).changed
    assert host.everything() == set()


@pytest.mark.parametrize("apply", [True, False], ids=["run", "check mode"])
def test_a_refused_set_leaves_what_is_there(host: Host, apply: bool) -> None:
    host.keep(OLD)
    before = host.everything()
    with pytest.raises(ManagedFilesError, match="refused by `grep -r nothing"):
        host.keep(NEW, apply=apply, command="grep -r nothing {staged}")
    assert (host.everything(), host.contents()) == (before, OLD)


def test_files_of_others_are_never_removed(host: Host) -> None:
    host.keep(OLD)
    (host.root / "theirs").write_text("by hand")
    result = host.keep(NEW)
    assert names(result.foreign_files) == (["theirs"] if host.rooted else [])
    assert host.contents() == {**NEW, "theirs": "by hand"}
    assert host.keep({}).removed_files
    assert host.contents() == {"theirs": "by hand"}


def test_what_is_not_listed_is_kept_where_asked_and_not_forgotten(host: Host) -> None:
    host.keep(OLD)
    result = host.keep(NEW, keep_unlisted=True)
    assert result.removed_files == []
    assert result.foreign_files == [], "it is ours, and nobody is warned of it"
    assert result.unlisted_files == (["gone"] if host.rooted else [])
    assert host.contents() == {**NEW, "gone": "3"}
    assert not host.keep(NEW, keep_unlisted=True).changed
    assert names(host.keep(NEW).removed_files) == ["gone"]


def test_what_is_to_be_forgotten_goes_and_nothing_else(host: Host) -> None:
    host.keep({**OLD, "theirs": "1"})
    host.keep(OLD, keep_unlisted=True)
    (host.root / "byhand").write_text("by hand")
    result = host.keep({}, keep_unlisted=True, forget=("gone", "byhand", "never"))
    assert names(result.removed_files) == ["gone"]
    assert host.contents() == {
        **{name: text for name, text in OLD.items() if name != "gone"},
        "theirs": "1",
        "byhand": "by hand",
    }
    assert not host.keep({}, keep_unlisted=True, forget=("gone",)).changed
    # It is none of ours any more, whoever writes it.
    (host.root / "gone").write_text("by hand")
    assert host.keep({}, keep_unlisted=True, forget=("gone",)).removed_files == []


def test_what_matches_is_forgotten_unless_it_is_wanted(host: Host) -> None:
    host.keep({"a.1.nft": "1", "a.2.nft": "2", "ab.1.nft": "3"})
    result = host.keep({"a.2.nft": "2"}, keep_unlisted=True, forget=("a.*.nft",))
    assert names(result.removed_files) == ["a.1.nft"]
    assert host.contents() == {"a.2.nft": "2", "ab.1.nft": "3"}
    assert not host.keep({"a.2.nft": "2"}, keep_unlisted=True, forget=("a.*.nft",)).changed


def test_without_a_manifest_nothing_is_taken_for_ours(host: Host) -> None:
    host.keep(OLD)
    (host.manifests / "test.json").unlink()
    assert host.keep(NEW).removed_files == []
    assert host.contents()["gone"] == "3"


def test_an_empty_root_is_a_change_once(tmp_path: Path, ownership: Ownership) -> None:
    host = Host(tmp_path, ownership, rooted=True)
    assert host.keep({}).changed
    assert host.root.is_dir()
    assert not host.keep({}).changed


def test_diffs_tell_what_changes(host: Host) -> None:
    host.keep(OLD)
    rows = host.keep(NEW, apply=False).diff
    shown = {Path(row["after_header"].split(" ")[0]).name: (row["before"], row["after"]) for row in rows}
    assert shown == {"b": ("2", "new"), "c": ("", "4"), "gone": ("present\n", "absent\n")}


def test_diffs_of_modes(tmp_path: Path, ownership: Ownership) -> None:
    host = Host(tmp_path, ownership, rooted=False)
    host.keep({"a": "1"})
    (host.root / "a").chmod(0o600)
    row = host.keep({"a": "1"}, apply=False).diff[0]
    assert (row["before"], row["after"]) == ("0600 root:root\n", "0644 root:root\n")


def test_diffs_of_secret_files_are_masked(host: Host) -> None:
    host.keep({"a": "KEY=s3cret-one\nSAME=s3cret-two\n"}, secret=True)
    result = host.keep({"a": "KEY=s3cret-three\nSAME=s3cret-two\n"}, secret=True)
    assert "s3cret" not in json.dumps(vars(result))
    assert result.diff[0]["after"] == "KEY=<masked, changed>\nSAME=<masked>\n"


def test_validators_get_links_to_what_stands(host: Host) -> None:
    host.keep({"a": "1", "b": "1"})
    place = "{staged}" if host.rooted else f"{{staged}}{host.root}"
    assert host.keep({"a": "2", "b": "1"}, command=f"test -L {place}/b -a ! -L {place}/a").changed


def test_owners_that_do_not_exist_are_named_at_once(tmp_path: Path, ownership: Ownership) -> None:
    files = tuple(WantedFile(f"{tmp_path}/{name}", b"", owner="nobody-here") for name in "ab")
    wanted = FileSet("test", files)
    options: dict[str, Any] = {"ownership": ownership, "manifests": tmp_path / "var", "volatile": tmp_path}
    assert converge(wanted, apply=False, **options).changed
    with pytest.raises(ManagedFilesError, match=r"/a \(nobody-here:root\), .*/b \(nobody-here:root\); create it first"):
        converge(wanted, apply=True, **options)


def wanted(*dests: str, root: str | None = "/etc/x", name: str = "test") -> FileSet:
    return FileSet(name, tuple(WantedFile(dest) for dest in dests), root)


@pytest.mark.parametrize(
    ("file_set", "message"),
    [
        pytest.param(wanted("../passwd"), "dest '../passwd': write a path below the root /etc/x", id="above the root"),
        pytest.param(wanted("a/../../b"), "dest 'a/../../b'", id="above the root, later"),
        pytest.param(wanted("/etc/passwd"), "dest '/etc/passwd': write a path below", id="absolute, with a root"),
        pytest.param(wanted("etc/a", root=None), "dest 'etc/a': write an absolute path", id="relative, without one"),
        pytest.param(wanted("a\0b"), "dest", id="a zero byte"),
        pytest.param(wanted("a//b"), "dest 'a//b'", id="an empty name"),
        pytest.param(wanted("a", "a"), "'a' is written twice", id="twice"),
        pytest.param(wanted("a", "a/b/c"), "'a/b/c' lies below 'a', which is a file", id="below a file"),
        pytest.param(wanted("a", root="etc"), "root 'etc'", id="relative root"),
        pytest.param(wanted("a", name="../x"), r"name '\.\./x'", id="name"),
        pytest.param(wanted("../a", "../b"), "'../a'.*'../b'", id="all at once"),
    ],
)
def test_sets_that_cannot_be_meant(file_set: FileSet, message: str) -> None:
    with pytest.raises(ManagedFilesError, match=message):
        check(file_set)


def test_a_name_keeps_one_root(tmp_path: Path, ownership: Ownership) -> None:
    Host(tmp_path, ownership, rooted=True).keep(OLD)
    with pytest.raises(ManagedFilesError, match="use another name"):
        Host(tmp_path, ownership, rooted=False).keep(OLD)


def test_a_broken_manifest_is_named(host: Host) -> None:
    host.keep(OLD)
    (host.manifests / "test.json").write_text("{")
    with pytest.raises(ManagedFilesError, match=r"test\.json is not what was written there"):
        host.keep(NEW)


def test_one_run_at_a_time(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_manifest, "LOCK_SECONDS", 0.2)
    host.keep(OLD)
    with open(host.manifests / "test.lock", "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(ManagedFilesError, match="another run is writing the files of test"):
            host.keep(NEW)
    assert host.keep(NEW).changed


def test_the_packed_set_is_the_set() -> None:
    files = (WantedFile("a", b"\xff\x00", mode=0o600, owner="x", group="y", secret=True), WantedFile("l", link="a"))
    file_set = FileSet("test", files, "/etc/x", (Validation("true", "/bin/true"),))
    assert unpack(pack(file_set)) == file_set


STEPS = ("open", "rename", "replace", "link", "symlink", "unlink", "rmdir", "mkdir", "fsync", "chmod", "fchmod")


def killed_at(step: int, action: Callable[[], object]) -> bool:
    """Run the action in a child that kills itself before its nth call that can change a disk; return whether it did."""
    child = os.fork()
    if child == 0:
        remaining = step

        def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal remaining
                remaining -= 1
                if remaining == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **kwargs)

            return call

        for name in STEPS:
            setattr(os, name, deadly(getattr(os, name)))
        try:
            action()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _unused, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("following", [pytest.param(NEW, id="run again"), pytest.param(OLD, id="taken back")])
def test_a_run_killed_anywhere_leaves_old_or_new_and_is_completed(
    host: Host, following: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # no power is cut here, and it takes most of the time
    for content in (OLD, NEW, following):
        host.keep(content, command="")
    undisturbed = _outside_sets(host)
    for step in range(1, 500):
        _clear(host)
        host.keep(OLD, command="")
        was_killed = killed_at(step, lambda: host.keep(NEW))
        seen = host.contents()
        if host.rooted:
            assert seen in (OLD, NEW)
        else:
            assert all(seen[dest] in (OLD.get(dest), NEW.get(dest)) for dest in seen if ".staging-" not in dest)
        host.keep(following, command="")
        assert host.contents() == following
        assert _outside_sets(host) == undisturbed
        assert len(list(host.root.parent.glob(".set.d/*"))) == int(host.rooted)
        if not was_killed:
            break
    else:
        pytest.fail("the run never ended by itself")
    assert step > 20


def _outside_sets(host: Host) -> set[str]:
    """Return every path but those of the versions of a rooted set, whose names depend on what was there before."""
    return {path for path in host.everything() if ".set.d/" not in path and "/sub" not in path and "/added" not in path}


def _clear(host: Host) -> None:
    for path in host.path.iterdir():
        shutil.rmtree(path)
