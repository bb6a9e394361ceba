"""Sessions over PyMySQL, with a driver that is played."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import mysql_client
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import (
    DriverMissingError,
    MysqlServerError,
    SocketSession,
)


class DriverError(Exception):
    """What PyMySQL raises."""


class Cursor:
    """Answers one statement with the values that it was given, and refuses the word `fail`."""

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, sql: str, values: tuple[Any, ...] | None) -> None:
        """Remember the values."""
        if sql == "fail":
            raise DriverError(1044, "Access denied")
        self.values = values

    def fetchall(self) -> tuple[Any, ...]:
        """Return them as a row."""
        return (self.values,)


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the options of the last connection."""
    seen: dict[str, Any] = {}

    def connect(**given: Any) -> SimpleNamespace:
        seen.update(given)
        if given["unix_socket"] == "/missing":
            raise DriverError(2003, "Can't connect")
        return SimpleNamespace(cursor=Cursor, close=lambda: seen.update(closed=True))

    driver = SimpleNamespace(connect=connect, err=SimpleNamespace(MySQLError=DriverError))
    monkeypatch.setattr(mysql_client, "pymysql", driver)
    return seen


def test_root_logs_in_by_the_socket(options: dict[str, Any]) -> None:
    session = SocketSession("/run/s", None)
    assert (options["unix_socket"], options["user"]) == ("/run/s", "root")
    assert session.rows("SELECT %s", ["a"]) == [("a",)]
    assert session.rows("SELECT 1") == [None]
    session.close()
    assert options["closed"]


def test_a_login_can_be_in_a_file(options: dict[str, Any]) -> None:
    SocketSession("/run/s", "/root/.my.cnf")
    assert options["read_default_file"] == "/root/.my.cnf"
    assert "user" not in options


def test_errors_hold_the_statement_and_no_values(options: dict[str, Any]) -> None:
    with pytest.raises(MysqlServerError, match=r"^fail: Access denied$") as refusal:
        SocketSession("/run/s", None).rows("fail", ["marked-secret"])
    assert refusal.value.code == 1044


@pytest.mark.parametrize(
    ("defaults_file", "message"),
    [
        pytest.param(
            None, "does not let in as root, by the socket alone .*Can't connect.*mysql_login_defaults_file", id="root"
        ),
        pytest.param("/x", "with the login in /x", id="file"),
    ],
)
def test_a_refused_login_says_what_to_do(options: dict[str, Any], defaults_file: str | None, message: str) -> None:
    with pytest.raises(MysqlServerError, match=message):
        SocketSession("/missing", defaults_file)


def test_without_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_client, "pymysql", None)
    with pytest.raises(DriverMissingError, match="install python3-pymysql"):
        SocketSession("/run/s", None)
