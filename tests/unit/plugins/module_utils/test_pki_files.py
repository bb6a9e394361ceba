# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a certificate authority's directory."""

from __future__ import annotations

import datetime
import stat
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import pki, pki_files
from ansible_collections.cubeops.cubejs.plugins.module_utils.pki import PkiError

NOW = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.timezone.utc)


def modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.iterdir())}


def test_a_file_is_the_owners_alone_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "ca.key"
    path.write_text("former")
    path.chmod(0o644)
    pki_files.write(path, b"new")
    assert (path.read_bytes(), modes(tmp_path)["ca.key"]) == (b"new", 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["ca.key"]


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "ca.key").mkdir()
    with pytest.raises(OSError, match="directory"):
        pki_files.write(tmp_path / "ca.key", b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["ca.key"]


def test_a_new_directory_is_the_owners_alone(tmp_path: Path) -> None:
    with pki_files.locked(tmp_path / "ca"):
        found = modes(tmp_path / "ca")
    assert (found["ca"], found[pki_files.LEAVES], found[".gitignore"]) == (0o700, 0o700, 0o600)


def test_a_directory_that_others_may_open_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with pytest.raises(PkiError, match="chmod 700"), pki_files.locked(tmp_path):
        pass
    assert not (tmp_path / pki_files.LEAVES).exists()


def test_a_place_that_is_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("")
    with pytest.raises(PkiError, match="cannot be used"), pki_files.locked(tmp_path / "ca"):
        pass


def test_a_pair_is_read_with_its_chain(tmp_path: Path) -> None:
    authority = pki.new_ca(pki.new_key(), NOW)
    leaf = pki.issue(authority, ["cube.acme.example"], NOW, 90)
    (tmp_path / "key").write_bytes(pki.key_pem(leaf.key))
    (tmp_path / "crt").write_bytes(leaf.certificate_pem() + authority.certificate_pem())
    pair, problems = pki_files.read_pair(tmp_path / "crt", tmp_path / "key")
    assert pair is not None
    assert (pair.certificate, pair.chain, problems) == (leaf.certificate, (authority.certificate,), [])


def test_both_files_are_named_when_neither_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "crt").write_text("no certificate")
    pair, problems = pki_files.read_pair(tmp_path / "crt", tmp_path / "key")
    assert pair is None
    assert [problem.partition(":")[0] for problem in problems] == [str(tmp_path / "crt"), str(tmp_path / "key")]
    assert "No such file" in problems[1]
