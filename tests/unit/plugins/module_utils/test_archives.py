"""Archives: what goes in comes out as root's, and nothing outside the folder."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import archives
from ansible_collections.cubeops.cubejs.plugins.module_utils.archives import ArchiveError, pack, pack_folder, unpack
from ansible_collections.cubeops.cubejs.plugins.module_utils.projects import read_tree


def test_folders_and_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "bin").mkdir(parents=True)
    (source / "bin/run").write_text("#!/bin/sh")
    (source / "bin/run").chmod(0o700)
    (source / "read.js").write_text("read")
    (source / "read.js").chmod(0o600)
    (source / "link.js").symlink_to("bin/run")
    (source / ".env").write_text("left out")
    tree = read_tree(source)
    pack(
        tmp_path / "a.tgz",
        {"projects/x": (source, tree), "projects/none": (source / "bin", read_tree(source / "bin"))},
        {"npm/y.tgz": b"npm"},
    )
    unpack(tmp_path / "a.tgz", tmp_path / "out")
    out = tmp_path / "out/projects/x"
    assert read_tree(out).digest == tree.digest
    assert not (out / ".env").exists()
    assert [(out / name).stat().st_mode & 0o777 for name in ("bin/run", "read.js")] == [0o755, 0o644]
    assert (tmp_path / "out/npm/y.tgz").read_bytes() == b"npm"


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """Return an entry of an archive."""
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(member("/etc/cron.d/x"), id="absolute"),
        pytest.param(member("a/../../x"), id="upwards"),
        pytest.param(member("a/link", tarfile.SYMTYPE, "../../x"), id="a link upwards"),
        pytest.param(member("link", tarfile.SYMTYPE, "/etc/passwd"), id="a link to an absolute path"),
        pytest.param(member("a/link", tarfile.LNKTYPE, "../x"), id="a hard link upwards"),
        pytest.param(member("device", tarfile.CHRTYPE), id="a device"),
    ],
)
def test_what_would_lie_outside_is_refused_before_anything_is_written(tmp_path: Path, entry: tarfile.TarInfo) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(member("harmless"), io.BytesIO())
        archive.addfile(entry, io.BytesIO())
    with pytest.raises(ArchiveError, match=rf"a\.tar holds {entry.name}, which would lie outside"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b broken"])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tgz").write_bytes(content)
    with pytest.raises(ArchiveError, match=r"a\.tgz cannot be unpacked"):
        unpack(tmp_path / "a.tgz", tmp_path / "out")


def test_a_folder_comes_out_with_its_modes_links_and_hard_links(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "bin").mkdir(parents=True)
    (source / "run").write_text("#!/bin/sh")
    (source / "run").chmod(0o755)
    (source / "same").hardlink_to(source / "run")
    (source / "bin/run").symlink_to("../run")
    (source / "empty").mkdir()
    pack_folder(tmp_path / "a.tgz", source, "r1")
    unpack(tmp_path / "a.tgz", tmp_path / "out")
    out = tmp_path / "out/r1"
    assert (out / "run").stat().st_mode & 0o777 == 0o755
    assert (out / "same").read_text() == (out / "bin/run").read_text() == "#!/bin/sh"
    assert str((out / "bin/run").readlink()) == "../run"
    assert (out / "empty").is_dir()


def test_links_that_lead_out_together_are_refused(tmp_path: Path) -> None:
    """Each of them stays inside: it is the second, written through the first, that does not."""
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for entry in (member("a/up", tarfile.SYMTYPE, ".."), member("a/up/out", tarfile.SYMTYPE, "..")):
            archive.addfile(entry)
        archive.addfile(member("a/up/out/evil"), io.BytesIO())
    with pytest.raises(ArchiveError, match="holds a/up/out, which lies behind a link"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_the_disk_has_no_room_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / "a.tgz", {}, {"file": b"x" * 9_000_000})
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _path: SimpleNamespace(free=2_000_000))
    with pytest.raises(ArchiveError, match=r"takes 9 MB, and the disk of .* has 2 MB left"):
        unpack(tmp_path / "a.tgz", tmp_path / "out")
    assert not (tmp_path / "out").exists()
