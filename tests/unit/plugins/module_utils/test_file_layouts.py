"""Sets of files put in place."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_layouts import LooseFiles, RootedSet
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import (
    ManagedFilesError,
    Ownership,
    WantedFile,
)

Rooted = Callable[..., RootedSet]
Loose = Callable[..., LooseFiles]
DIGEST = "0123456789abcdef" * 4


@pytest.fixture
def rooted(tmp_path: Path, ownership: Ownership) -> Rooted:
    def make(contents: dict[str, str], known: set[str] | None = None, digest: str = DIGEST) -> RootedSet:
        files = [WantedFile(dest, content.encode()) for dest, content in contents.items()]
        return RootedSet(tmp_path / "set", files, known if known is not None else set(contents), digest, ownership)

    return make


def put(layout: RootedSet, changed: set[str]) -> None:
    layout.stage(changed)
    layout.put_in_place()


def test_the_set_stands_behind_one_link(tmp_path: Path, rooted: Rooted) -> None:
    root = tmp_path / "set"
    put(rooted({"a": "1", "sub/b": "2"}), {"a", "sub/b"})
    assert root.readlink() == Path(".set.d") / DIGEST[:16]
    assert (root / "sub/b").read_text() == "2"


def test_unchanged_files_keep_inode_and_time(tmp_path: Path, rooted: Rooted) -> None:
    root = tmp_path / "set"
    put(rooted({"a": "1", "b": "2"}), {"a", "b"})
    before = (root / "a").stat()
    put(rooted({"a": "1", "b": "3"}, digest="f" * 64), {"b"})
    after = (root / "a").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert (root / "b").read_text() == "3"
    assert [entry.name for entry in (tmp_path / ".set.d").iterdir()] == ["f" * 16]


def test_a_repaired_set_gets_a_name_of_its_own(tmp_path: Path, rooted: Rooted) -> None:
    root = tmp_path / "set"
    put(rooted({"a": "1"}), {"a"})
    (root / "a").write_text("by hand")
    put(rooted({"a": "1"}), {"a"})
    assert (root / "a").read_text() == "1"
    assert root.readlink().name == f"{DIGEST[:16]}.1"
    put(rooted({"a": "1"}), {"a"})
    assert root.readlink().name == DIGEST[:16]


def test_files_of_others_are_told_apart_and_kept(tmp_path: Path, rooted: Rooted) -> None:
    root = tmp_path / "set"
    put(rooted({"a": "1", "old": "2"}), {"a", "old"})
    (root / "theirs").write_text("by hand")
    (root / "their-link").symlink_to("anywhere")
    later = rooted({"a": "9"}, known={"a", "old"}, digest="e" * 64)
    assert later.unwanted() == ["old"]
    assert later.foreign() == ["their-link", "theirs"]
    put(later, {"a"})
    assert sorted(path.name for path in root.iterdir()) == ["a", "their-link", "theirs"]
    assert (root / "their-link").readlink() == Path("anywhere")


@pytest.mark.parametrize("kind", ["directory", "file", "link elsewhere", "link into the store"])
def test_a_root_of_others_is_refused(tmp_path: Path, rooted: Rooted, kind: str) -> None:
    root = tmp_path / "set"
    if kind == "directory":
        root.mkdir()
    elif kind == "file":
        root.touch()
    else:
        root.symlink_to("/etc" if kind == "link elsewhere" else ".set.d/not-a-digest")
    with pytest.raises(ManagedFilesError, match="was made by something else"):
        rooted({"a": "1"})


def test_what_a_killed_run_left_is_cleaned(tmp_path: Path, rooted: Rooted, loose: Loose) -> None:
    tmp_path / "set"
    put(rooted({"a": "1"}), {"a"})
    store = tmp_path / ".set.d"
    (store / ".staging-0000" / "sub").mkdir(parents=True)
    (store / ".staging-1111").symlink_to("x")
    (store / ("a" * 16)).mkdir()
    rooted({"a": "1"}).clean()
    assert [entry.name for entry in store.iterdir()] == [DIGEST[:16]]


@pytest.fixture
def loose(tmp_path: Path, ownership: Ownership) -> Loose:
    def make(contents: dict[str, str], known: set[str] | None = None) -> LooseFiles:
        files = [WantedFile(str(tmp_path / name), content.encode()) for name, content in contents.items()]
        return LooseFiles(files, known or set(), ownership)

    return make


def test_loose_files_are_replaced_whole(tmp_path: Path, loose: Loose) -> None:
    (tmp_path / "a").write_text("old")
    layout = loose({"a": "new", "sub/b": "2", "same": "x"})
    layout.stage({str(tmp_path / "a"), str(tmp_path / "sub/b")})
    assert (tmp_path / "a").read_text() == "old"
    layout.put_in_place()
    assert (tmp_path / "a").read_text() == "new"
    assert (tmp_path / "sub/b").read_text() == "2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "sub"]


def test_a_link_in_the_way_is_replaced_not_followed(tmp_path: Path, loose: Loose) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "a").symlink_to("victim")
    layout = loose({"a": "new"})
    layout.stage({str(tmp_path / "a")})
    layout.put_in_place()
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "a").is_symlink()


def test_loose_files_no_longer_wanted(tmp_path: Path, loose: Loose) -> None:
    for name in ("a", "old", "theirs"):
        (tmp_path / name).write_text(name)
    layout = loose({"a": "a"}, known={str(tmp_path / name) for name in ("a", "old", "gone")})
    assert layout.unwanted() == [str(tmp_path / "old")]
    layout.put_in_place()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "theirs"]


def test_a_directory_in_the_way_is_refused(tmp_path: Path, loose: Loose) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ManagedFilesError, match="is a directory"):
        loose({"a": "x"})


def test_leftovers_beside_loose_files_are_cleaned(tmp_path: Path, loose: Loose) -> None:
    (tmp_path / ".a.staging-1234").write_text("half")
    (tmp_path / ".other.staging-1234").write_text("not ours")
    loose({"a": "x"}, known={str(tmp_path / "missing/b")}).clean()
    assert [path.name for path in tmp_path.iterdir()] == [".other.staging-1234"]
