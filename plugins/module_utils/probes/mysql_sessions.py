# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A session with MySQL by an instance's own settings: over PyMySQL, or the host's own client where that is missing.

The client gets its login through a pipe: nothing of it stands in its arguments, its environment or a file.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any, Optional, Protocol

from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import mysql
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import (
    INSTALL,
    MysqlEndpoint,
    MysqlError,
    MysqlUnknownError,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline

CLIENTS = ("mariadb", "mysql")
PYMYSQL, CLIENT = "PyMySQL", "client"
MAX_OUTPUT_BYTES = 8 * 1024 * 1024

_ESCAPES = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
_ERROR = re.compile(r"ERROR (\d+)")

Row = Sequence[Optional[str]]


class Session(Protocol):
    """A session; `kind` is how it came about."""

    kind: str

    def rows(self, sql: str) -> list[Row]:
        """Run one statement and return its rows as texts; raises MysqlError."""

    def close(self) -> None:
        """End the session."""


def open_session(endpoint: MysqlEndpoint, deadline: Deadline, search: str | None = None) -> Session:
    """Return a session; raise MysqlError where the server does not let in, MysqlUnknownError without any client.

    search: directories in which the client is looked for, as in PATH.
    """
    if mysql.has_driver():
        return DriverSession(endpoint, deadline)
    program = next((found for found in (shutil.which(name, path=search) for name in CLIENTS) if found), None)
    if program is None:
        raise MysqlUnknownError(f"{endpoint}: cannot be asked, there is neither PyMySQL nor a mysql client: {INSTALL}")
    return ClientSession(endpoint, deadline, program)


class DriverSession:
    """A session over PyMySQL."""

    kind = PYMYSQL

    def __init__(self, endpoint: MysqlEndpoint, deadline: Deadline) -> None:
        self._endpoint = endpoint
        self._deadline = deadline
        try:
            self._connection = mysql.connect(endpoint, deadline.left_for_call())
        # PyMySQL lets all kinds through when what answers is no MySQL server.
        except Exception as exc:
            raise mysql.error_of(endpoint, exc) from exc

    def rows(self, sql: str) -> list[Row]:
        """Run one statement and return its rows as texts; raises MysqlError."""
        self._deadline.left()
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
                return [tuple(map(_text, row)) for row in cursor.fetchall()]
        except Exception as exc:
            raise mysql.error_of(self._endpoint, exc) from exc

    def close(self) -> None:
        """End the session."""
        self._connection.close()


class ClientSession:
    """A session over the mysql client: each statement is a run of it."""

    kind = CLIENT

    def __init__(self, endpoint: MysqlEndpoint, deadline: Deadline, program: str) -> None:
        self._endpoint = endpoint
        self._deadline = deadline
        self._program = program
        self.rows("SELECT 1")

    def rows(self, sql: str) -> list[Row]:
        """Run one statement and return its rows as texts; raises MysqlError."""
        reading, writing = os.pipe()
        try:
            # Small enough for the pipe to take at once.
            os.write(writing, _login(self._endpoint).encode("utf-8", "surrogateescape"))
            os.close(writing)
            writing = -1
            done = self._run(reading, sql)
        except (OSError, subprocess.TimeoutExpired) as exc:
            told = "no answer in time" if isinstance(exc, subprocess.TimeoutExpired) else str(exc.strerror)
            raise MysqlError(f"{self._endpoint}: {told}") from exc
        finally:
            os.close(reading)
            if writing >= 0:
                os.close(writing)
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            code = _ERROR.search(said)
            raise MysqlError(f"{self._endpoint}: {said[-300:]}", int(code[1]) if code else 0)
        if len(done.stdout) > MAX_OUTPUT_BYTES:
            raise MysqlError(f"{self._endpoint}: the answer is larger than {MAX_OUTPUT_BYTES} bytes")
        lines = done.stdout.decode("utf-8", "surrogateescape").split("\n")
        return [tuple(map(_unescaped, line.split("\t"))) for line in lines if line]

    def _run(self, login: int, sql: str) -> subprocess.CompletedProcess[bytes]:
        seconds = self._deadline.left_for_call()
        return subprocess.run(
            [
                self._program,
                f"--defaults-file=/dev/fd/{login}",
                "--batch",
                "--skip-column-names",
                f"--connect-timeout={max(1, int(seconds))}",
            ],
            input=sql.encode(),
            capture_output=True,
            timeout=seconds,
            pass_fds=(login,),
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )

    def close(self) -> None:
        """End the session: there is none between two statements."""


def _login(endpoint: MysqlEndpoint) -> str:
    """Return an option file; its reader knows a few escapes, and takes one pair of quotes away."""
    options: dict[str, Any] = {"user": endpoint.user, "password": endpoint.password, "database": endpoint.database}
    if endpoint.socket_path:
        options["socket"] = endpoint.socket_path
    else:
        options.update(host=endpoint.host, port=endpoint.port, protocol="tcp")
    lines = [f'{name}="{_escaped(str(value))}"\n' for name, value in options.items() if value not in (None, "")]
    return "[client]\n" + "".join(lines) + ("ssl\n" if endpoint.tls else "")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _unescaped(field: str) -> str | None:
    if field == "NULL":
        return None
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), field)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
