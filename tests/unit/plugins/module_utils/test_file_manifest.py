"""What is recorded of the files written under a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import file_manifest
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import ManagedFilesError


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert file_manifest.read(tmp_path, "a", "/root") == set()
    file_manifest.write(tmp_path, "a", "/root", {"x", "y"})
    assert file_manifest.read(tmp_path, "a", "/root") == {"x", "y"}
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600


def test_the_same_record_is_not_written_again(tmp_path: Path) -> None:
    file_manifest.write(tmp_path, "a", None, {"x"})
    before = (tmp_path / "a.json").stat().st_ino
    file_manifest.write(tmp_path, "a", None, {"x"})
    assert (tmp_path / "a.json").stat().st_ino == before


def test_a_name_has_one_root(tmp_path: Path) -> None:
    file_manifest.write(tmp_path, "a", "/one", set())
    with pytest.raises(ManagedFilesError, match="a keeps files under /one, not /two: use another name"):
        file_manifest.read(tmp_path, "a", "/two")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"root": null}'])
def test_a_broken_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ManagedFilesError, match=r"a\.json is not what was written there"):
        file_manifest.read(tmp_path, "a", None)


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a.new").touch()
    (tmp_path / "run/cubeops-a.validation/staged").mkdir(parents=True)
    (tmp_path / "b.new").touch()
    assert file_manifest.clean(tmp_path, tmp_path / "run", "a") == tmp_path / "run/cubeops-a.validation"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["b.new", "run"]


def test_a_name_is_locked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_manifest, "LOCK_SECONDS", 0.1)
    with file_manifest.lock(tmp_path, "a"), file_manifest.lock(tmp_path, "b"):
        second = file_manifest.lock(tmp_path, "a")
        with pytest.raises(ManagedFilesError, match="another run is writing the files of a"):
            second.__enter__()
    with file_manifest.lock(tmp_path, "a"):
        assert (tmp_path / "a.lock").exists()
