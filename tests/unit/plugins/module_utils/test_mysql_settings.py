"""A server's settings, worked out from its memory and clients."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_settings import (
    MARIADB,
    MEBIBYTE,
    MYSQL,
    MysqlSettingsError,
    Request,
    resolve,
    sizes,
    takes_several_addresses,
)

GIBIBYTE = 1024 * MEBIBYTE


def request(**changes: Any) -> Request:
    given = {
        "distribution": MARIADB,
        "memory_bytes": 4 * GIBIBYTE,
        "max_connections": 65,
        "port": 3306,
        "bind_addresses": ["127.0.0.1"],
        "dedicated": False,
    }
    return Request(**{**given, **changes})


def values(**changes: Any) -> dict[str, str]:
    return {row.name: row.value for row in resolve(request(**changes))}


@pytest.mark.parametrize(
    ("memory_mb", "connections", "pool_mb", "log_mb", "tmp_mb"),
    [
        pytest.param(230, 45, 128, 96, 16, id="a small host: the server's own defaults"),
        pytest.param(1024, 65, 512, 128, 16, id="1 GiB"),
        pytest.param(8192, 45, 4736, 1024, 179, id="8 GiB"),
        pytest.param(65536, 45, 39168, 1024, 512, id="temporary tables no larger than was measured"),
        pytest.param(16384, 6025, 9216, 1024, 16, id="hundreds of tenants"),
    ],
)
def test_sizes(memory_mb: int, connections: int, pool_mb: int, log_mb: int, tmp_mb: int) -> None:
    found = sizes(memory_mb * MEBIBYTE, connections)
    assert [found.buffer_pool, found.log, found.tmp_table] == [mb * MEBIBYTE for mb in (pool_mb, log_mb, tmp_mb)]


@pytest.mark.parametrize("memory_mb", [512, 1024, 4096, 32768])
@pytest.mark.parametrize("connections", [45, 300, 1500])
def test_memory_is_not_given_twice(memory_mb: int, connections: int) -> None:
    found = sizes(memory_mb * MEBIBYTE, connections)
    in_queries = found.queries * found.tmp_table if found.tmp_table > 16 * MEBIBYTE else 0
    assert found.buffer_pool + in_queries <= memory_mb * MEBIBYTE


def test_too_little_memory_says_how_much_is_needed() -> None:
    with pytest.raises(MysqlSettingsError, match=r"is too little for 1000 connections .* give at least 332398592"):
        sizes(256 * MEBIBYTE, 1000)
    sizes(332398592, 1000)


def test_every_line_has_its_reason() -> None:
    assert all(len(row.reason) > 20 and "\n" not in row.reason for row in resolve(request()))


def test_what_the_checklist_asks_of_the_storage() -> None:
    found = values()
    assert found["max_connections"] == "151", "others may count on the default"
    assert values(max_connections=300)["max_connections"] == "300"
    assert found["max_allowed_packet"] == "128M"
    assert found["character_set_server"] == "utf8mb4"
    assert "STRICT_TRANS_TABLES" in found["sql_mode"]
    assert found["tmp_table_size"] == found["max_heap_table_size"]


@pytest.mark.parametrize(("dedicated", "expected"), [(True, "2"), (False, None)])
def test_durability_is_relaxed_only_where_nothing_else_lives(dedicated: bool, expected: str | None) -> None:
    assert values(dedicated=dedicated).get("innodb_flush_log_at_trx_commit") == expected


def test_oracle_s_server_has_its_own_names() -> None:
    found = values(distribution=MYSQL, dedicated=True)
    assert found["innodb_redo_log_capacity"] == "576M"
    assert found["loose_mysql_native_password"] == "ON"
    assert found["skip_log_bin"] == "ON"
    assert "NO_AUTO_CREATE_USER" not in found["sql_mode"]
    assert "innodb_log_file_size" not in found
    assert "skip_log_bin" not in values(distribution=MYSQL)


@pytest.mark.parametrize(
    ("version", "addresses", "expected"),
    [
        pytest.param((10, 5, 29), ["10.0.0.1"], "10.0.0.1", id="one"),
        pytest.param((10, 5, 29), ["127.0.0.1", "10.0.0.1"], "*", id="several, and it takes one"),
        pytest.param((10, 11, 6), ["127.0.0.1", "10.0.0.1", "127.0.0.1"], "127.0.0.1,10.0.0.1", id="several"),
        pytest.param(None, ["127.0.0.1", "10.0.0.1"], "127.0.0.1,10.0.0.1", id="version not known yet"),
    ],
)
def test_bind_address(version: tuple[int, ...] | None, addresses: list[str], expected: str) -> None:
    assert values(version=version, bind_addresses=addresses)["bind_address"] == expected


def test_oracle_s_server_takes_several_addresses() -> None:
    assert takes_several_addresses(MYSQL, (8, 0, 36))


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        pytest.param("Sql-Mode", "ANSI", ("sql_mode", "ANSI"), id="takes precedence, however it is written"),
        pytest.param("table_open_cache", 4000, ("table_open_cache", "4000"), id="a number"),
        pytest.param("skip_name_resolve", True, ("skip_name_resolve", "ON"), id="a switch"),
        pytest.param("init_connect", "SET @a=1 # b", ("init_connect", '"SET @a=1 # b"'), id="what needs quotes"),
    ],
)
def test_settings_of_the_user(name: str, value: Any, line: tuple[str, str]) -> None:
    rows = [(row.name, row.value) for row in resolve(request(extra={name: value}))]
    assert rows[-1] == line
    assert [row[0] for row in rows].count(line[0]) == 1


def test_null_leaves_a_setting_to_the_server() -> None:
    assert "max_allowed_packet" not in values(extra={"max_allowed_packet": None})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"bind_addresses": []}, "mysql_bind_addresses: is empty", id="no address"),
        pytest.param({"max_connections": 5}, "mysql_max_connections: 5 is too few", id="connections"),
        pytest.param({"port": 70000}, "mysql_port: 70000", id="port"),
        pytest.param(
            {"extra": {"bind-address": "*"}}, "mysql_settings.bind-address: is not set here; set mysql_bind", id="ours"
        ),
        pytest.param(
            {"extra": {"datadir": "/x"}}, "mysql_settings.datadir: is not set here; it is the package's", id="package"
        ),
        pytest.param({"extra": {"a\nb": 1}}, "is no name of a setting", id="name"),
        pytest.param({"extra": {"a": "x\ny"}}, "mysql_settings.a: write one value on one line", id="lines"),
        pytest.param({"extra": {"a": [1]}}, "mysql_settings.a: write one value", id="list"),
        pytest.param(
            {"memory_bytes": 1, "port": 0}, r"(?s)mysql_port.*mysql_memory_bytes: 1 is too little", id="all at once"
        ),
    ],
)
def test_refusals(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MysqlSettingsError, match=message):
        resolve(request(**changes))
