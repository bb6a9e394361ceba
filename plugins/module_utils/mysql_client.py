# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A MySQL or MariaDB server reached by its Unix socket, as its administrator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

try:
    import pymysql
except ImportError:
    pymysql = None

TIMEOUT_SECONDS = 30


class MysqlServerError(Exception):
    """The server cannot be reached, or refuses; the message says what and what to do, without secrets."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class DriverMissingError(MysqlServerError):
    """PyMySQL is not installed (yet)."""


class Session(Protocol):
    """A session with a server."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows; raises MysqlServerError."""

    def close(self) -> None:
        """End the session."""


class SocketSession:
    """A session over PyMySQL; values are never part of an error."""

    def __init__(self, socket: str, defaults_file: str | None) -> None:
        if pymysql is None:
            raise DriverMissingError("PyMySQL is not there: install python3-pymysql (Debian) or python3-PyMySQL (EL)")
        options: dict[str, Any] = {"read_default_file": defaults_file} if defaults_file else {"user": "root"}
        try:
            self._connection = pymysql.connect(
                unix_socket=socket, autocommit=True, connect_timeout=TIMEOUT_SECONDS, charset="utf8mb4", **options
            )
        except (pymysql.err.MySQLError, OSError) as exc:
            raise MysqlServerError(_refused(exc, socket, defaults_file), _code(exc)) from exc

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows; raises MysqlServerError."""
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(sql, tuple(values) or None)
            except pymysql.err.MySQLError as exc:
                raise MysqlServerError(f"{sql}: {_said(exc)}", _code(exc)) from exc
            return list(cursor.fetchall())

    def close(self) -> None:
        """End the session."""
        self._connection.close()


def _refused(exc: Exception, socket: str, defaults_file: str | None) -> str:
    who = f"with the login in {defaults_file}" if defaults_file else "as root, by the socket alone"
    return (
        f"The server does not let in {who} ({socket}): {_said(exc)}. Where its root has a password, write a file on "
        "the host with a [client] group of user and password, mode 0600, and name it in mysql_login_defaults_file"
    )


def _said(exc: Exception) -> str:
    return str(exc.args[1]) if len(exc.args) > 1 else str(exc)


def _code(exc: Exception) -> int:
    return int(exc.args[0]) if exc.args and isinstance(exc.args[0], int) else 0
