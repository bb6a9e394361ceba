"""Logins with each account."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_accounts import Account
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_health import address_for, is_local, log_in
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import (
    MysqlEndpoint,
    MysqlError,
    MysqlUnknownError,
)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        pytest.param("localhost", "127.0.0.1", id="this host by name"),
        pytest.param("%", "127.0.0.1", id="every host"),
        pytest.param("10.0.%", "127.0.0.1", id="a pattern"),
        pytest.param("10.0.0.1", "10.0.0.1", id="an address of this host"),
        pytest.param("10.0.0.2", None, id="an address of another host"),
        pytest.param("db.example", None, id="a name of another host"),
    ],
)
def test_where_an_account_is_tried(host: str, expected: str | None) -> None:
    assert address_for(host, lambda address: address == "10.0.0.1") == expected


@pytest.mark.parametrize(("address", "expected"), [("127.0.0.1", True), ("192.0.2.1", False), ("2001:db8::1", False)])
def test_is_local(address: str, expected: bool) -> None:
    assert is_local(address) is expected


def account(host: str, **privileges: frozenset[str]) -> Account:
    return Account("u", host, "secret", privileges)


def test_accounts_are_proved_into_their_schema() -> None:
    seen: list[MysqlEndpoint] = []

    def login(endpoint: MysqlEndpoint) -> str:
        seen.append(endpoint)
        return "10.11"

    accounts = [account("127.0.0.1", cube=frozenset()), account("127.0.0.2"), account("192.0.2.1")]
    found = log_in(accounts, 3307, login)
    assert (found.proved, found.untried, found.problems) == (["u@127.0.0.1", "u@127.0.0.2"], ["u@192.0.2.1"], [])
    assert seen == [
        MysqlEndpoint("127.0.0.1", 3307, "u", "secret", "cube"),
        MysqlEndpoint("127.0.0.2", 3307, "u", "secret", None),
    ]


@pytest.mark.parametrize("error", [MysqlError("no"), MysqlUnknownError("no")])
def test_every_refused_login_is_named(error: Exception) -> None:
    def login(_endpoint: MysqlEndpoint) -> str:
        raise error

    found = log_in([account("127.0.0.1"), account("localhost")], 3306, login)
    assert found.problems == ["u@127.0.0.1: no", "u@localhost: no"]
