"""What is kept of a tenant that goes."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path
from typing import IO

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenant_export import (
    Dumper,
    ExportError,
    export,
    without_secrets,
)

ENVIRONMENT = 'ACME_KEY="plantedOwn"\nCUBEJS_API_SECRET="plantedApi"\nCUBEJS_DB_NAME="shop"\nCUBEJS_DB_TYPE="mysql"\n'


def dump(schema: str, stream: IO[bytes]) -> None:
    """Stand for the server's own program."""
    stream.write(f"CREATE DATABASE {schema};".encode())


@pytest.fixture
def tenant(tmp_path: Path) -> Path:
    """Return a tenant's folder with one release."""
    folder = tmp_path / "acme"
    release = folder / "releases/r1"
    (release / "project/schema").mkdir(parents=True)
    (release / "project/schema/Orders.js").write_text("cube(`Orders`)")
    (release / "environment").mkdir()
    (release / "environment/acme-1.env").write_text(ENVIRONMENT)
    (folder / "current").symlink_to("releases/r1")
    return folder


def test_project_settings_and_schema_are_kept_for_root_alone(tenant: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups/acme"
    made = export(tenant, ["cube_acme"], target, dump, apply=True)
    assert sorted(made) == sorted(str(path) for path in target.iterdir())
    assert target.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in target.iterdir()} == {0o600}
    assert gzip.decompress((target / "cube_acme.sql.gz").read_bytes()) == b"CREATE DATABASE cube_acme;"
    with tarfile.open(target / "project.tar.gz") as archive:
        assert "project/schema/Orders.js" in archive.getnames()
    assert "planted" not in (target / "acme-1.env").read_text()


def test_nothing_is_written_where_only_asked(tenant: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups/acme"
    assert len(export(tenant, ["cube_acme"], target, dump, apply=False)) == 3
    assert not target.exists()


def test_of_nothing_nothing_is_kept(tmp_path: Path) -> None:
    assert export(tmp_path / "gone", [], tmp_path / "backups", dump, apply=True) == []
    assert not (tmp_path / "backups").exists()


def test_an_export_that_fails_leaves_no_file_that_looks_whole(tenant: Path, tmp_path: Path) -> None:
    def broken(schema: str, stream: IO[bytes]) -> None:
        stream.write(b"half")
        raise ExportError(schema)

    target = tmp_path / "backups/acme"
    with pytest.raises(ExportError):
        export(tenant, ["cube_acme"], target, broken, apply=True)
    assert not (target / "cube_acme.sql.gz").exists()
    made = export(tenant, ["cube_acme"], target, dump, apply=True)
    assert all(Path(path).exists() for path in made)


def test_what_is_not_known_to_be_no_secret_is_masked() -> None:
    assert without_secrets(ENVIRONMENT + 'CUBEJS_REDIS_URL="redis://:planted@h"\n') == (
        'ACME_KEY="<masked>"\nCUBEJS_API_SECRET="<masked>"\nCUBEJS_DB_NAME="shop"\nCUBEJS_DB_TYPE="mysql"\n'
        'CUBEJS_REDIS_URL="<masked>"\n'
    )


@pytest.mark.parametrize(("status", "works"), [(0, True), (2, False)])
def test_the_servers_own_program_is_run(
    status: int, works: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "mariadb-dump"
    program.write_text(f'#!/bin/sh\necho "$@"\necho "no such table" >&2\nexit {status}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with open(tmp_path / "out", "wb") as stream:
        if works:
            Dumper("/run/s.sock")("cube_acme", stream)
        else:
            with pytest.raises(ExportError, match="cube_acme cannot be exported: no such table"):
                Dumper("/run/s.sock", "/root/my.cnf")("cube_acme", stream)
    login = "--user=root" if works else "--defaults-file=/root/my.cnf"
    expected = f"{login} --socket=/run/s.sock --single-transaction --databases cube_acme\n"
    assert (tmp_path / "out").read_text() == expected


def test_without_such_a_program_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with open(tmp_path / "out", "wb") as stream, pytest.raises(ExportError, match="remove without an export"):
        Dumper("/run/s.sock")("cube_acme", stream)
