"""What is read from the storage's server, asked through a shell that answers as its client would."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from storage import Statements, Storage, StorageError, tables_in

CLIENT = """#!/bin/sh
# Keeps what it is asked, and answers with the next of its answers; "fail" is an exit status.
folder=$(dirname "$0")
n=$(ls "$folder" | grep -c '^asked')
cat >"$folder/asked$n"
[ -f "$folder/fail$n" ] && { cat "$folder/fail$n" >&2; exit 1; }
cat "$folder/answer$n" 2>/dev/null
true
"""


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """Return a shell that plays the server's host."""
    path = tmp_path / "shell"
    path.write_text(CLIENT)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        pytest.param("SELECT * FROM cube_acme.orders_a1 AS x", ["orders_a1"], id="one"),
        pytest.param(
            "SELECT * FROM (SELECT * FROM cube_acme.a UNION ALL SELECT * FROM cube_acme.b)", ["a", "b"], id="a union"
        ),
        pytest.param("SELECT * FROM cube_acme.a JOIN cube_acme.a", ["a"], id="twice"),
        pytest.param("SELECT * FROM cube_acme.`a`", ["a"], id="quoted"),
        pytest.param("SELECT * FROM xcube_acme.a, shop.orders", [], id="other schemas"),
    ],
)
def test_tables_in(statement: str, tables: list[str]) -> None:
    assert tables_in(statement, "cube_acme") == tables


def test_only_reading_statements_count() -> None:
    statements = Statements(["INSERT INTO cube_acme.a VALUES (1)", "  select 1 from cube_acme.b", "SELECT 1"])
    assert statements.reading("cube_acme") == ["b"]


def test_rows_are_counted(client: Path) -> None:
    (client.parent / "answer0").write_text("a\nb\n")
    (client.parent / "answer1").write_text("a\t3\nb\t4\n")
    assert Storage([str(client)], "s").rows() == {"a": 3, "b": 4}
    assert "SELECT 'a', COUNT(*) FROM `s`.`a` UNION ALL" in (client.parent / "asked1").read_text()


def test_an_empty_schema_has_no_rows(client: Path) -> None:
    assert Storage([str(client)], "s").rows() == {}


def test_a_table_dropped_meanwhile_is_forgotten(client: Path) -> None:
    for name, text in {"answer0": "a\nb\n", "fail1": "Table 's.a' doesn't exist", "answer2": "b\n"}.items():
        (client.parent / name).write_text(text)
    (client.parent / "answer3").write_text("b\n")
    (client.parent / "answer4").write_text("b\t4\n")
    assert Storage([str(client)], "s").rows() == {"b": 4}


def test_the_clients_own_message_is_shown(client: Path) -> None:
    (client.parent / "fail0").write_text("ERROR 1045: Access denied")
    with pytest.raises(StorageError, match="Access denied"):
        Storage([str(client)], "s").tables()


def test_the_servers_log_is_left_as_it_was(client: Path) -> None:
    (client.parent / "answer0").write_text("0\tFILE\t2026-01-01 00:00:00.000000\n")
    (client.parent / "answer2").write_text("SELECT * FROM s.a\n")
    with Storage([str(client)], "s").listening() as statements:
        pass
    assert statements.reading("s") == ["a"]
    assert "SET GLOBAL general_log = 0, GLOBAL log_output = 'FILE'" in (client.parent / "asked3").read_text()


def test_the_servers_log_is_left_as_it_was_after_a_failure_too(client: Path) -> None:
    (client.parent / "answer0").write_text("1\tNONE\t2026-01-01 00:00:00.000000\n")
    with pytest.raises(RuntimeError, match="boom"), Storage([str(client)], "s").listening():
        raise RuntimeError("boom")
    assert "SET GLOBAL general_log = 1, GLOBAL log_output = 'NONE'" in (client.parent / "asked2").read_text()
