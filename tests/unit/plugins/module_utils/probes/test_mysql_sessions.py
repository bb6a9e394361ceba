"""Sessions over the host's own client (a script in its place), and over PyMySQL (played)."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import mysql
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import (
    MysqlEndpoint,
    MysqlError,
    MysqlUnknownError,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql_sessions import open_session
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline

PASSWORD = 'planted"#\\pass\nword'
ENDPOINT = MysqlEndpoint("db.example", 3307, "cube", PASSWORD, "cube_acme", tls=True)


@pytest.fixture(autouse=True)
def without_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let PyMySQL be missing."""
    monkeypatch.setattr(mysql, "pymysql", None)


def client(tmp_path: Path, script: str) -> str:
    """Put a client in the search path."""
    program = tmp_path / "mysql"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(tmp_path)


def session(tmp_path: Path, script: str, seconds: float = 5.0) -> Any:
    return open_session(ENDPOINT, Deadline.within(seconds), client(tmp_path, script))


def test_the_client_is_told_by_a_pipe_and_by_nothing_else(tmp_path: Path) -> None:
    script = f"""
echo "$@" >> {tmp_path}/arguments; env >> {tmp_path}/environment
cat "${{1#--defaults-file=}}" > {tmp_path}/login; cat > {tmp_path}/sql
printf 'a\\\\tb\\tNULL\\nc\\\\n\\t\\\\\\\\\\n'"""
    found = session(tmp_path, script)
    assert found.rows("SELECT 2") == [("a\tb", None), ("c\n", "\\")]
    assert (tmp_path / "sql").read_text() == "SELECT 2"
    login = (tmp_path / "login").read_text()
    assert 'password="planted"#\\\\pass\\nword"' in login
    assert 'host="db.example"\nport="3307"\nprotocol="tcp"\nssl\n' in login
    assert "planted" not in (tmp_path / "arguments").read_text() + (tmp_path / "environment").read_text()
    assert "--batch" in (tmp_path / "arguments").read_text()


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        pytest.param("echo 'ERROR 1045 (28000): Access denied' >&2; exit 1", 1045, "Access denied", id="refused"),
        pytest.param("exit 3", 0, "cube@db.example:3307/cube_acme: ", id="silent failure"),
        pytest.param("sleep 5", 0, "no answer in time", id="hangs"),
        pytest.param("head -c 9000000 /dev/zero", 0, "larger than", id="endless answer"),
    ],
)
def test_what_goes_wrong(tmp_path: Path, script: str, code: int, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(MysqlError, match=said) as caught:
        session(tmp_path, script, 0.7)
    assert caught.value.code == code
    assert "planted" not in str(caught.value)
    assert time.monotonic() - began < 3


def test_binary_answers_are_texts(tmp_path: Path) -> None:
    found = session(tmp_path, "printf '\\377\\376\\n'")
    assert found.rows("SELECT 1") == [("\udcff\udcfe",)]


def test_without_any_client(tmp_path: Path) -> None:
    with pytest.raises(MysqlUnknownError, match="neither PyMySQL nor a mysql client"):
        open_session(ENDPOINT, Deadline.within(1), str(tmp_path))


class PlayedError(Exception):
    """PyMySQL's own."""


def test_over_pymysql(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cursor:
        """Replies with one row, or fails."""

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_exception: object) -> None:
            return None

        def execute(self, sql: str) -> None:
            """Run it."""
            if sql == "fail":
                raise PlayedError(1142, "denied")

        def fetchall(self) -> list[Any]:
            """Return the rows."""
            return [(1, None, b"\xff", "x")]

    closed: list[bool] = []
    connection = SimpleNamespace(cursor=Cursor, close=lambda: closed.append(True))
    played = SimpleNamespace(connect=lambda **_keys: connection, err=SimpleNamespace(MySQLError=PlayedError))
    monkeypatch.setattr(mysql, "pymysql", played)
    found = open_session(ENDPOINT, Deadline.within(5))
    assert (found.kind, found.rows("SELECT")) == ("PyMySQL", [("1", None, "\udcff", "x")])
    with pytest.raises(MysqlError, match="denied") as caught:
        found.rows("fail")
    assert caught.value.code == 1142
    found.close()
    assert closed == [True]


def test_pymysql_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_keys: Any) -> Any:
        raise PlayedError(2003, "Connection refused")

    monkeypatch.setattr(mysql, "pymysql", SimpleNamespace(connect=refuse, err=SimpleNamespace(MySQLError=PlayedError)))
    with pytest.raises(MysqlError, match="Connection refused"):
        open_session(ENDPOINT, Deadline.within(5))
