# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a MySQL or MariaDB server lets a client in, asked with the settings that the client has.

PyMySQL does the talking. Where it is not installed the answer is unknown, which is never a pass.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

try:
    import pymysql
except ImportError:
    pymysql = None

INSTALL = "install python3-pymysql (Debian) or python3-PyMySQL (EL) on the host"


class MysqlError(Exception):
    """The server cannot be reached or refuses the login; the message says where and why, without the password."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class MysqlUnknownError(Exception):
    """Whether the server answers cannot be found out; the message says what is missing."""


@dataclass(frozen=True)
class MysqlEndpoint:
    """A server, and how a client logs in there. `database` is selected at login when it is given."""

    host: str
    port: int = 3306
    user: str = ""
    password: str = field(default="", repr=False)
    database: str | None = None
    tls: bool = False
    socket_path: str | None = None

    def __str__(self) -> str:
        place = self.socket_path or f"{self.host}:{self.port}"
        return f"{self.user}@{place}" + (f"/{self.database}" if self.database else "")


def server_version(endpoint: MysqlEndpoint, timeout: float = 5.0) -> str:
    """Log in, ask the server for its version (such as "10.11.6-MariaDB-0+deb12u1") and return it.

    `timeout` (seconds) bounds connecting and then each answer.
    """
    try:
        # Not the connection's own `with`: before PyMySQL 1.0 that gives a cursor.
        with contextlib.closing(connect(endpoint, timeout)) as connection:
            return str(connection.get_server_info())
    # PyMySQL lets OSError, IndexError and struct.error through when what answers is no MySQL server.
    except MysqlUnknownError:
        raise
    except Exception as exc:
        raise error_of(endpoint, exc) from exc


def has_driver() -> bool:
    """Return whether PyMySQL is there."""
    return pymysql is not None


def connect(endpoint: MysqlEndpoint, timeout: float) -> Any:
    """Return a connection of PyMySQL, logged in; raise MysqlUnknownError without PyMySQL, else what it raises.

    With TLS the certificate is not verified: Cube's own driver does not either unless it is told to, and what is asked
    here is whether the server answers.
    """
    if pymysql is None:
        raise MysqlUnknownError(f"{endpoint}: cannot be asked, PyMySQL is missing: {INSTALL}")
    return pymysql.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        database=endpoint.database,
        unix_socket=endpoint.socket_path,
        connect_timeout=timeout,
        read_timeout=timeout,
        write_timeout=timeout,
        ssl={"check_hostname": False} if endpoint.tls else None,
        # As the server has it: one question less, and nothing is written here.
        autocommit=None,
    )


def error_of(endpoint: MysqlEndpoint, exc: Exception) -> MysqlError:
    """Return the error for what PyMySQL raised, without the password."""
    code = exc.args[0] if exc.args and isinstance(exc.args[0], int) else 0
    return MysqlError(f"{endpoint}: {_reason(exc)}", code)


def _reason(exc: Exception) -> str:
    if isinstance(exc, pymysql.err.MySQLError) and len(exc.args) > 1:
        return str(exc.args[1])
    return str(exc) or type(exc).__name__
