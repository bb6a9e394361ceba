"""Archives on the controller, and who builds what in a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_shipping import sha256
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.runtime_archives import KEPT, Cache, Claims


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    (tmp_path / "runtimes").mkdir()
    return Cache(tmp_path / "runtimes")


def keep(cache: Cache, digest: str, content: bytes = b"archive") -> Path:
    """Keep an archive; return its path."""
    staged = cache.folder / "staged"
    staged.write_bytes(content)
    return cache.keep(digest, staged, sha256(staged)).path


def test_an_archive_is_found_again(cache: Cache) -> None:
    path = keep(cache, "r1")
    found = cache.find("r1")
    assert found is not None
    assert (found.path, found.sha256) == (path, sha256(path))
    assert cache.find("r2") is None
    assert Cache(cache.folder / "none").find("r1") is None


def test_a_damaged_archive_is_none(cache: Cache) -> None:
    path = keep(cache, "r1")
    path.write_bytes(b"half of it")
    assert cache.find("r1") is None
    assert not path.exists()


def test_those_that_nobody_used_make_room(cache: Cache) -> None:
    for number in range(KEPT):
        os.utime(keep(cache, f"r{number}"), (number, number))
    cache.find("r0")
    keep(cache, "new")
    assert [cache.find(digest) is not None for digest in ("r0", "r1", "r2", "new")] == [True, False, True, True]


def test_the_first_to_ask_builds(tmp_path: Path) -> None:
    active = ["web1", "web2"]
    first, second = (Claims(tmp_path, host, active) for host in active)
    assert [first.claim("r1"), second.claim("r1"), first.claim("r1")] == ["web1", "web1", "web1"]
    assert second.claim("r2") == "web2"


def test_what_a_host_claimed_that_has_failed_is_free_again(tmp_path: Path) -> None:
    Claims(tmp_path, "web1", ["web1", "web2", "web3"]).claim("r1")
    left = [Claims(tmp_path, host, ["web2", "web3"]) for host in ("web2", "web3")]
    assert [each.claim("r1") for each in left] == ["web2", "web2"]
