"""MySQL asked through PyMySQL, played; on hosts the real one is used."""

from __future__ import annotations

from types import SimpleNamespace, TracebackType
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import mysql
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import (
    MysqlEndpoint,
    MysqlError,
    MysqlUnknownError,
    server_version,
)

ENDPOINT = MysqlEndpoint("db.example", 3307, "cube", "hidden", "cube_acme", tls=True)


class PlayedError(Exception):
    """PyMySQL's own."""


class Played:
    """The part of PyMySQL that is used."""

    err = SimpleNamespace(MySQLError=PlayedError)

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: dict[str, Any] = {}
        self.closed = False

    def connect(self, **arguments: Any) -> Played:
        """Log in."""
        self.asked = arguments
        if self.error:
            raise self.error
        return self

    def __enter__(self) -> object:
        """Give a cursor, as PyMySQL does before 1.0."""
        return object()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pytest.fail("used as a context")

    def close(self) -> None:
        """End the session."""
        self.closed = True

    def get_server_info(self) -> str:
        """Return the version."""
        return "10.11.6-MariaDB-0+deb12u1"


def test_the_servers_version_with_the_clients_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played()
    monkeypatch.setattr(mysql, "pymysql", played)
    assert server_version(ENDPOINT, 2.0) == "10.11.6-MariaDB-0+deb12u1"
    assert played.closed
    asked = {key: played.asked[key] for key in ("host", "port", "user", "password", "database", "connect_timeout")}
    assert list(asked.values()) == ["db.example", 3307, "cube", "hidden", "cube_acme", 2.0]
    assert played.asked["ssl"] is not None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(PlayedError(1045, "Access denied for user 'cube'"), "Access denied for user", id="password"),
        pytest.param(PlayedError("packet"), "packet", id="without a code"),
        pytest.param(IndexError("index out of range"), "index out of range", id="no MySQL server"),
    ],
)
def test_a_refusal_names_the_server_and_no_password(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    monkeypatch.setattr(mysql, "pymysql", Played(error))
    with pytest.raises(MysqlError, match=f"cube@db.example:3307/cube_acme: {said}") as caught:
        server_version(ENDPOINT)
    assert "hidden" not in str(caught.value) + repr(ENDPOINT)


def test_without_pymysql_it_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql, "pymysql", None)
    with pytest.raises(MysqlUnknownError, match="install python3-pymysql"):
        server_version(ENDPOINT)
