"""Single files on disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import (
    ManagedFilesError,
    Ownership,
    WantedFile,
    differs,
    make_directories,
    read_text,
    refuse_unsafe_parents,
    write,
)


@pytest.fixture
def _private_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def plain(**changes: object) -> WantedFile:
    return WantedFile(**{"dest": "a", "content": b"text", **changes})


@pytest.mark.parametrize(
    ("wanted", "different"),
    [
        pytest.param(plain(), False, id="the same"),
        pytest.param(plain(content=b"test"), True, id="content"),
        pytest.param(plain(content=b"longer text"), True, id="length"),
        pytest.param(plain(mode=0o600), True, id="mode"),
        pytest.param(plain(owner="someone"), True, id="owner"),
        pytest.param(plain(owner="nobody-here"), True, id="an owner who does not exist yet"),
        pytest.param(plain(link="elsewhere"), True, id="kind"),
    ],
)
def test_differs(tmp_path: Path, ownership: Ownership, wanted: WantedFile, different: bool) -> None:
    write(tmp_path / "a", plain(), ownership)
    assert differs(tmp_path / "a", wanted, ownership) is different


def test_a_missing_file_differs(tmp_path: Path, ownership: Ownership) -> None:
    assert differs(tmp_path / "a", plain(), ownership)
    (tmp_path / "file").write_text("")
    assert differs(tmp_path / "file/a", plain(), ownership)


def test_a_link_is_compared_by_where_it_points(tmp_path: Path, ownership: Ownership) -> None:
    write(tmp_path / "a", plain(link="one"), ownership)
    assert not differs(tmp_path / "a", plain(link="one"), ownership)
    assert differs(tmp_path / "a", plain(link="two"), ownership)
    assert differs(tmp_path / "a", plain(), ownership)


@pytest.mark.usefixtures("_private_umask")
def test_write_gives_mode_and_owner(tmp_path: Path, ownership: Any) -> None:
    write(tmp_path / "a", plain(mode=0o640, owner="someone"), ownership)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert ownership.given == {tmp_path / "a": (7, 7)}


def test_write_never_follows_a_link(tmp_path: Path, ownership: Ownership) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "a").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write(tmp_path / "a", plain(), ownership)
    assert victim.read_text() == "precious"


def test_write_names_the_user_who_does_not_exist(tmp_path: Path, ownership: Ownership) -> None:
    with pytest.raises(ManagedFilesError, match="user nobody-here or group root does not exist"):
        write(tmp_path / "a", plain(owner="nobody-here"), ownership)
    assert not (tmp_path / "a").exists()


def test_ownership_of_this_host(tmp_path: Path) -> None:
    ownership = Ownership()
    assert ownership.ids(plain()) == (0, 0)
    assert ownership.ids(plain(owner="12", group="34")) == (12, 34)
    assert ownership.ids(plain(owner="no-such-user-here")) is None
    path = tmp_path / "a"
    path.touch()
    ownership.chown(path, (os.geteuid(), os.getegid()))
    assert ownership.of(path.stat()) == (os.geteuid(), os.getegid())


@pytest.mark.parametrize(
    ("mode", "safe"),
    [
        pytest.param(0o755, True, id="only its owner writes"),
        pytest.param(0o777, False, id="everybody writes"),
        pytest.param(0o1777, True, id="everybody writes, but not over others"),
    ],
)
def test_unsafe_parents_by_mode(tmp_path: Path, mode: int, safe: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(mode)
    if safe:
        refuse_unsafe_parents(folder / "below" / "file")
    else:
        with pytest.raises(ManagedFilesError, match="can be changed by others than root"):
            refuse_unsafe_parents(folder / "below" / "file")


def test_unsafe_parents_by_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    refuse_unsafe_parents(tmp_path / "link" / "file")
    real = os.lstat

    def somebody_else(path: Path) -> os.stat_result:
        found = real(path)
        return os.stat_result([*found[:4], 4242, *found[5:]]) if Path(path).name == "link" else found

    monkeypatch.setattr(os, "lstat", somebody_else)
    with pytest.raises(ManagedFilesError, match="link can be changed by others"):
        refuse_unsafe_parents(tmp_path / "link" / "file")


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ManagedFilesError, match="file is not a directory"):
        refuse_unsafe_parents(tmp_path / "file" / "below")


@pytest.mark.usefixtures("_private_umask")
def test_make_directories_says_what_it_made(tmp_path: Path) -> None:
    assert make_directories(tmp_path / "a/b") == [tmp_path / "a", tmp_path / "a/b"]
    assert make_directories(tmp_path / "a/b") == []
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


def test_read_text(tmp_path: Path) -> None:
    assert read_text(tmp_path / "missing") == ""
    (tmp_path / "link").symlink_to("there")
    assert read_text(tmp_path / "link") == "there"
    (tmp_path / "binary").write_bytes(b"\xff\x00a")
    assert read_text(tmp_path / "binary") == "\ufffd\x00a"
