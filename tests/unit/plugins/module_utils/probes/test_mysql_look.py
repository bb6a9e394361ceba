"""A MySQL server as an instance reaches it; the session is played, the real ones are in test_mysql_sessions.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import (
    MysqlEndpoint,
    MysqlError,
    MysqlUnknownError,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql_look import (
    MAX_TABLES,
    default_schema,
    look,
    made_at,
    summarise,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline

ENDPOINT = MysqlEndpoint("db.example", 3307, "cube", "planted-password", "cube_acme")
ROWS: Mapping[str, list[tuple[Any, ...]]] = {
    "SHOW GLOBAL VARIABLES": [("hostname", "db1"), ("port", "3306"), ("version", "10.11.6"), ("sql_mode", "STRICT")],
    "SHOW GLOBAL STATUS": [("Threads_connected", "7")],
    "SHOW GRANTS": [
        ("GRANT USAGE ON *.* TO `cube`@`%` IDENTIFIED BY PASSWORD '*PLANTEDHASH'",),
        ("GRANT SELECT ON `a`.* TO `cube`@`%`",),
    ],
    "SHOW CREATE USER": [("CREATE USER `cube`@`%` IDENTIFIED BY PASSWORD '*PLANTEDHASH'",)],
    "SHOW DATABASES": [("cube_acme",), ("information_schema",), ("shop",)],
    "SELECT host": [("192.0.2.1:5", "cube_acme"), ("192.0.2.1:6", "cube_acme"), ("localhost", "")],
    "SELECT table_name": [("orders_main_abcdefgh_12345678_1gq2k7v", "1024"), ("customers", None)],
}


class Played:
    """A session that knows rows, and fails for what is in `refused`."""

    kind = "played"

    def __init__(self, rows: Mapping[str, list[tuple[Any, ...]]], refused: tuple[str, ...] = ()) -> None:
        self.known = rows
        self.refused = refused
        self.asked: list[str] = []
        self.closed = False

    def rows(self, sql: str) -> list[Any]:
        """Return the rows of a statement."""
        self.asked.append(sql)
        if sql.startswith(self.refused or ("nothing",)):
            raise MysqlError("cube@db: SELECT command denied", 1142)
        return next(rows for begin, rows in self.known.items() if sql.startswith(begin))

    def close(self) -> None:
        """End the session."""
        self.closed = True


def seen(session: Any, schemas: tuple[str, ...] = ("cube_acme",)) -> Any:
    return look(ENDPOINT, schemas, Redactor(b"k"), Deadline.within(5), lambda _endpoint, _deadline: session)


def test_everything_there_is_to_see() -> None:
    session = Played(ROWS)
    found = seen(session)
    assert (found.reachable, found.version, found.plugin) == (True, "10.11.6", "mysql_native_password")
    assert (found.schemas, found.status) == (("cube_acme", "shop"), {"Threads_connected": "7"})
    assert [(each.address, each.database, each.count) for each in found.peers] == [
        ("192.0.2.1", "cube_acme", 2), ("localhost", "", 1),
    ]  # fmt: skip
    tables = found.tables["cube_acme"]
    assert (tables.count, tables.cube, tables.foreign, tables.size_bytes) == (2, 1, ("customers",), 1024)
    assert found.grants == ("GRANT USAGE ON *.* TO `cube`@`%` IDENTIFIED BY PASSWORD '...'", ROWS["SHOW GRANTS"][1][0])
    assert not found.unknown
    assert session.closed
    assert "planted" not in repr(found).lower()
    assert all(sql.startswith(("SHOW", "SELECT")) for sql in session.asked)


def test_the_same_server_has_the_same_identity() -> None:
    other = {**ROWS, "SHOW GLOBAL VARIABLES": [("hostname", "db2"), ("port", "3306")]}
    assert seen(Played(ROWS)).identity == seen(Played(ROWS)).identity != seen(Played(other)).identity


@pytest.mark.parametrize(
    ("account", "plugin"),
    [
        ("CREATE USER `c`@`%` IDENTIFIED VIA ed25519 USING 'x'", "ed25519"),
        ("CREATE USER 'c'@'%' IDENTIFIED WITH 'caching_sha2_password' AS '$A$005$'", "caching_sha2_password"),
        ("CREATE USER `c`@`%`", "mysql_native_password"),
        (
            "CREATE USER `c`@`%` IDENTIFIED VIA unix_socket OR mysql_native_password USING '*12'",
            "mysql_native_password",
        ),
        ("CREATE USER `c`@`%` IDENTIFIED VIA ed25519 USING 'x' OR mysql_native_password USING '*12'", "ed25519"),
        ("CREATE USER `c`@`%` IDENTIFIED VIA unix_socket", "unix_socket"),
        ("", None),
    ],
)
def test_the_plugin_of_the_login(account: str, plugin: str | None) -> None:
    assert seen(Played({**ROWS, "SHOW CREATE USER": [(account,)]})).plugin == plugin


def test_what_is_refused_is_unknown_with_a_remedy() -> None:
    found = seen(Played(ROWS, ("SHOW CREATE USER", "SELECT table_name", "SHOW GLOBAL VARIABLES")))
    assert {each.what for each in found.unknown} == {"plugin", "tables.cube_acme", "variables"}
    assert (found.plugin, found.tables, found.identity) == (None, {}, "")
    assert all(each.remedy for each in found.unknown)


@pytest.mark.parametrize("schema", ["a'; DROP TABLE x; --", "`", "\\", "ü" * 100])
def test_a_hostile_schema_is_data(schema: str) -> None:
    session = Played(ROWS)
    seen(session, (schema,))
    assert schema not in session.asked[-1]
    assert schema.encode().hex() in session.asked[-1]


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (1045, "Access denied", "auth"), (1251, "plugin", "auth"), (1049, "Unknown database", "database"),
        (2003, "refused", "unreachable"), (2013, "timed out", "timeout"), (1040, "Too many connections", "refused"),
        (0, "index out of range", "protocol"), (0, "no answer in time", "timeout"),
    ],
)  # fmt: skip
def test_why_it_does_not_serve_the_instance(code: int, text: str, reason: str) -> None:
    def refuse(_endpoint: Any, _deadline: Any) -> Any:
        raise MysqlError(text, code)

    found = look(ENDPOINT, (), Redactor(b"k"), Deadline.within(5), refuse)
    assert (found.reachable, found.reason, found.problem) == (False, reason, text)


def test_without_a_client_it_is_unknown() -> None:
    def missing(_endpoint: Any, _deadline: Any) -> Any:
        raise MysqlUnknownError("install it")

    with pytest.raises(MysqlUnknownError):
        look(ENDPOINT, (), Redactor(b"k"), Deadline.within(5), missing)


def test_a_long_grant_is_whole() -> None:
    every = "GRANT " + ", ".join(f"PRIVILEGE {number}" for number in range(150)) + " ON *.* TO `root`@`localhost`"
    assert seen(Played({**ROWS, "SHOW GRANTS": [(every,)]})).grants == (every,)


def test_a_digest_with_leading_zeros_is_shorter() -> None:
    found = summarise("s", [("orders_main_cgecgtt_vviy30qz_1lge8ka", "1"), ("a_b_c_d", "1")], Redactor(b"k"))
    assert (found.cube, found.foreign) == (1, ("a_b_c_d",))


def test_tables_that_were_replaced() -> None:
    rows: Any = [
        ("orders_main_aaaaaaaa_11111111_1577836800000", "10"),
        ("orders_main_bbbbbbbb_11111111_1577836860000", "20"),
        ("orders_main_bbbbbbbb_11111111_1577836920000", "40"),
        ("orders_main_bbbbbbbb_22222222_1577836800000", "80"),
    ]
    found = summarise("s", rows, Redactor(b"k"))
    assert (found.replaced, found.replaced_bytes, found.replaced_at) == (2, 30, 1577836860.0)
    assert summarise("s", rows[3:], Redactor(b"k")).replaced_at is None


def test_tables_by_their_names() -> None:
    rows: Any = [
        ("orders_main_aaaaaaaa_11111111_1gq2k7v", "10"),
        ("orders_main_bbbbbbbb_11111111_1gq2k80", "10"),
        ("orders_main20200101_cccccccc_22222222_1577836800000", "10"),
        ("a_b_c_d", "1"),
        ("Orders_Main_aaaaaaaa_11111111_ZZZ", None),
        ("x" * 64, "1"),
    ]
    found = summarise("s", rows, Redactor(b"k"))
    assert (found.cube, found.foreign_count, found.most_versions, found.longest_name) == (3, 3, 2, 64)
    assert (found.newest_at, found.oldest_at) == (made_at("1gq2k80"), 1577836800.0)
    assert found.whole
    assert not summarise("s", [("x", "1")] * (MAX_TABLES + 1), Redactor(b"k")).whole


@pytest.mark.parametrize(
    ("suffix", "at"),
    [
        pytest.param("1gq2k7v", int("1gq2k7v", 32), id="seconds in base 32"),
        pytest.param("1234567", int("1234567", 32), id="digits are base 32, too"),
        pytest.param("1577836800123", 1577836800.123, id="milliseconds, older"),
    ],
)
def test_the_time_in_a_name(suffix: str, at: float) -> None:
    assert made_at(suffix) == at


@pytest.mark.parametrize(
    ("version", "mode", "schema"),
    [
        ("0.20.10", "production", "stb_pre_aggregations"), ("0.25.3", None, "stb_pre_aggregations"),
        ("0.29.57", "production", "prod_pre_aggregations"), ("0.29.57", None, "dev_pre_aggregations"),
    ],
)  # fmt: skip
def test_the_schema_where_none_is_named(version: str, mode: str | None, schema: str) -> None:
    assert default_schema(version, mode) == schema
