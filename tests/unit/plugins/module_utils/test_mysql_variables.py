"""Settings against the variables of a running server."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_variables import (
    Difference,
    compare,
    is_lower,
    same,
    settable,
)

RUNNING = {
    "max_connections": "151",
    "innodb_buffer_pool_size": "134217728",
    "log_bin": "ON",
    "skip_name_resolve": "OFF",
    "sql_mode": "A,B",
    "mysqlx": "ON",
    "expire_logs_days": "10.000000",
}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param("134217728", "128M", True, id="a size"),
        pytest.param("1G", "1024m", True, id="sizes"),
        pytest.param("128M", "129M", False, id="other sizes"),
        pytest.param("ON", "1", True, id="a switch as a number"),
        pytest.param("OFF", "false", True, id="a switch as a word"),
        pytest.param("ON", "OFF", False, id="other switches"),
        pytest.param("A,B", "b, a", True, id="a set in any order"),
        pytest.param("A,B", "A", False, id="another set"),
        pytest.param("10.000000", "10", True, id="a number with decimals"),
        pytest.param("utf8mb4", "UTF8MB4", True, id="case"),
        pytest.param("", "x", False, id="nothing"),
    ],
)
def test_same(one: str, other: str, expected: bool) -> None:
    assert same(one, other) is expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("max_connections", "151", None, id="the same"),
        pytest.param("max-connections", "200", ("max_connections", "151", "200"), id="another value, with hyphens"),
        pytest.param("skip_log_bin", "ON", ("log_bin", "ON", "OFF"), id="the opposite of a variable"),
        pytest.param("skip_log_bin", "OFF", None, id="the opposite of the opposite"),
        pytest.param(
            "skip_name_resolve", "ON", ("skip_name_resolve", "OFF", "ON"), id="a variable that starts with skip"
        ),
        pytest.param("loose_mysqlx", "OFF", ("mysqlx", "ON", "OFF"), id="loose, and it is there"),
        pytest.param("loose_unknown", "OFF", None, id="loose, and it is not"),
        pytest.param("sql_mode", '"B,A"', None, id="in quotes"),
    ],
)
def test_compare(name: str, value: str, expected: tuple[str, str, str] | None) -> None:
    found = compare([(name, value)], RUNNING)
    assert found.differences == ((Difference(*expected),) if expected else ())
    assert found.unseen == ()


def test_what_is_no_variable_is_unseen() -> None:
    assert compare([("plugin_load_add", "x"), ("skip_grant_tables", "ON")], RUNNING).unseen == (
        "plugin_load_add",
        "skip_grant_tables",
    )


@pytest.mark.parametrize(("value", "expected"), [("64M", 67108864), ("151", 151), ("A,B", "A,B"), ("ON", "ON")])
def test_settable(value: str, expected: int | str) -> None:
    assert settable(value) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"), [("128M", "1G", True), ("1G", "128M", False), ("1", "1", False), ("A", "1G", False)]
)
def test_is_lower(one: str, other: str, expected: bool) -> None:
    assert is_lower(one, other) is expected
