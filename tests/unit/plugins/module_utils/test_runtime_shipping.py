"""A runtime packed on one host and unpacked on another."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import runtime_shipping
from ansible_collections.cubeops.cubejs.plugins.module_utils.archives import ArchiveError
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_shipping import (
    Shipped,
    ShippingError,
    pack,
    unpack,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return the store of a host with a runtime."""
    found = Store(tmp_path / "cubejs")
    folder = found.runtime("r1")
    (folder / "node_modules/.bin").mkdir(parents=True)
    (folder / "node_modules/a.js").write_text("a")
    (folder / "node_modules/run.js").write_text("run")
    (folder / "node_modules/run.js").chmod(0o755)
    (folder / "node_modules/.bin/run").symlink_to("../run.js")
    (folder / "node_modules/.package-lock.json").write_text("{}")
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_text(name)
    return found


def packed(store: Store, tmp_path: Path) -> Shipped:
    """Return the archive of the runtime."""
    answer = pack(store, "r1", tmp_path / "r1.tgz")
    assert answer["bytes"] == (tmp_path / "r1.tgz").stat().st_size
    return Shipped.all_of({"r1": {"path": str(tmp_path / "r1.tgz"), "sha256": answer["sha256"]}})["r1"]


def test_what_comes_out_is_what_went_in(store: Store, tmp_path: Path) -> None:
    found = unpack(packed(store, tmp_path), "r1", store.runtime("r1"), tmp_path / "out")
    assert [(found / "node_modules" / name).stat().st_mode & 0o777 for name in ("a.js", "run.js")] == [0o644, 0o755]
    assert (found / "node_modules/.bin/run").read_text() == "run"
    assert (tmp_path / "r1.tgz").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("state", ["no runtime", "half of one"])
def test_a_host_without_it_says_so(store: Store, tmp_path: Path, state: str) -> None:
    if state == "half of one":
        (store.runtime("r1") / "node_modules/.package-lock.json").unlink()
    answer = pack(store, "r2" if state == "no runtime" else "r1", tmp_path / "r.tgz")
    assert (answer["sha256"], (tmp_path / "r.tgz").exists()) == (None, False)


def test_an_archive_that_was_damaged_is_not_unpacked(store: Store, tmp_path: Path) -> None:
    shipped = packed(store, tmp_path)
    content = bytearray(shipped.path.read_bytes())
    content[-1] ^= 1
    shipped.path.write_bytes(content)
    with pytest.raises(ShippingError, match="runtime r1 was damaged on its way"):
        unpack(shipped, "r1", store.runtime("r1"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["package.json", "package-lock.json"])
def test_an_archive_of_another_runtime_is_refused(store: Store, tmp_path: Path, name: str) -> None:
    manifest = tmp_path / "manifest"
    manifest.mkdir()
    for each in ("package.json", "package-lock.json"):
        (manifest / each).write_text("another" if each == name else each)
    with pytest.raises(ShippingError, match="holds another: remove it"):
        unpack(packed(store, tmp_path), "r1", manifest, tmp_path / "out")


def test_what_is_no_archive_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x.tgz").write_bytes(b"no archive")
    shipped = Shipped(tmp_path / "x.tgz", runtime_shipping.sha256(tmp_path / "x.tgz"))
    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        unpack(shipped, "r1", store.runtime("r1"), tmp_path / "out")


def test_a_disk_without_room_for_the_archive(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_shipping.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1))
    with pytest.raises(ShippingError, match=r"runtime r1 has 0 MB, and the disk of .* has 0 MB left"):
        pack(store, "r1", tmp_path / "r1.tgz")
    assert not (tmp_path / "r1.tgz").exists()
