"""Accounts and grants: what a server has against what it should have."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_accounts import (
    Account,
    AccountError,
    Existing,
    native_hash,
    parse,
    statements,
    target,
)

ACME = Account("cube_acme", "10.0.0.1", "secret", {"cube_acme": frozenset({"SELECT", "INSERT"})})
WHO = "`cube_acme`@`10.0.0.1`"
USAGE = f"GRANT USAGE ON *.* TO {WHO} IDENTIFIED BY PASSWORD '*0123'"
RIGHT = rf"GRANT SELECT, INSERT ON `cube\_acme`.* TO {WHO}"


def having(*grants: str, password: str = "secret", plugin: str = "mysql_native_password") -> Existing:
    return Existing(plugin, native_hash(password), (USAGE, *grants))


def planned(existing: Existing | None, *, mariadb: bool = True) -> list[str]:
    return [step.sql for step in statements(ACME, existing, mariadb=mariadb)]


def test_the_hash_is_the_server_s() -> None:
    assert native_hash("password") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"


def test_an_underscore_is_no_wildcard() -> None:
    assert target("cube_a_b") == r"`cube\_a\_b`.*"


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        pytest.param(having(RIGHT), [], id="as it should be"),
        pytest.param(having(RIGHT.replace("SELECT, INSERT", "INSERT, SELECT")), [], id="in another order"),
        pytest.param(
            having(RIGHT, password="other"),
            ["ALTER USER %s@%s IDENTIFIED VIA mysql_native_password USING %s"],
            id="another password",
        ),
        pytest.param(
            having(RIGHT, plugin="unix_socket"),
            ["ALTER USER %s@%s IDENTIFIED VIA mysql_native_password USING %s"],
            id="another way to log in",
        ),
        pytest.param(having(), [r"GRANT INSERT, SELECT ON `cube\_acme`.* TO %s@%s"], id="no privileges"),
        pytest.param(
            having(rf"GRANT SELECT ON `cube\_acme`.* TO {WHO}"),
            [r"GRANT INSERT ON `cube\_acme`.* TO %s@%s"],
            id="too few",
        ),
        pytest.param(
            having(rf"GRANT SELECT, INSERT, CREATE TEMPORARY TABLES ON `cube\_acme`.* TO {WHO}"),
            [r"REVOKE CREATE TEMPORARY TABLES ON `cube\_acme`.* FROM %s@%s"],
            id="too many",
        ),
        pytest.param(
            having(f"{RIGHT} WITH GRANT OPTION"), [r"REVOKE GRANT OPTION ON `cube\_acme`.* FROM %s@%s"], id="may grant"
        ),
        pytest.param(
            having(f"GRANT SELECT, INSERT ON `cube_acme`.* TO {WHO}"),
            [
                r"GRANT INSERT, SELECT ON `cube\_acme`.* TO %s@%s",
                "REVOKE INSERT, SELECT ON `cube_acme`.* FROM %s@%s",
            ],
            id="a wildcard: what is right is granted first",
        ),
        pytest.param(
            having(rf"GRANT ALL PRIVILEGES ON `cube\_acme`.* TO {WHO} WITH GRANT OPTION"),
            [
                r"REVOKE ALL PRIVILEGES ON `cube\_acme`.* FROM %s@%s",
                r"REVOKE GRANT OPTION ON `cube\_acme`.* FROM %s@%s",
                r"GRANT INSERT, SELECT ON `cube\_acme`.* TO %s@%s",
            ],
            id="everything",
        ),
        pytest.param(
            having(RIGHT, f"GRANT SELECT ON `shop`.* TO {WHO}", f"GRANT SELECT (`a`, `b`), UPDATE ON `x`.`t` TO {WHO}"),
            ["REVOKE SELECT ON `shop`.* FROM %s@%s", "REVOKE SELECT (`a`, `b`), UPDATE ON `x`.`t` FROM %s@%s"],
            id="elsewhere",
        ),
        pytest.param(
            Existing("mysql_native_password", native_hash("secret"), (f"GRANT SUPER, FILE ON *.* TO {WHO}", RIGHT)),
            ["REVOKE FILE, SUPER ON *.* FROM %s@%s"],
            id="on the whole server",
        ),
        pytest.param(
            having(RIGHT, f"GRANT `admin` TO {WHO}", f"SET DEFAULT ROLE `admin` FOR {WHO}"),
            ["REVOKE `admin` FROM %s@%s"],
            id="a role",
        ),
    ],
)
def test_statements(existing: Existing, expected: list[str]) -> None:
    assert planned(existing) == expected


@pytest.mark.parametrize(
    ("mariadb", "using"),
    [pytest.param(True, "VIA {} USING", id="MariaDB"), pytest.param(False, "WITH {} AS", id="MySQL")],
)
def test_a_new_account(mariadb: bool, using: str) -> None:
    assert planned(None, mariadb=mariadb) == [
        f"CREATE USER %s@%s IDENTIFIED {using.format('mysql_native_password')} %s",
        r"GRANT INSERT, SELECT ON `cube\_acme`.* TO %s@%s",
    ]


def test_nothing_but_the_hash_is_sent_and_nothing_of_it_told() -> None:
    created = statements(ACME, None, mariadb=True)[0]
    assert created.values == ("cube_acme", "10.0.0.1", native_hash("secret"))
    assert "secret" not in repr(ACME)
    assert native_hash("secret") not in repr(created) + repr(having())


def test_a_grant_that_is_not_understood_is_named() -> None:
    with pytest.raises(AccountError, match=r"cube_acme@10\.0\.0\.1: has a grant that is not understood.*: GRANT PROXY"):
        planned(having(f"GRANT PROXY OF x TO {WHO}"))


def user(**changes: Any) -> dict[str, Any]:
    return {"name": "u", "hosts": ["10.0.0.1"], "password": "p", "privileges": {"s": ["select"]}, **changes}


def test_one_account_for_each_host() -> None:
    accounts = parse([user(hosts=["10.0.0.1", "10.0.0.2"])])
    assert [str(account) for account in accounts] == ["u@10.0.0.1", "u@10.0.0.2"]
    assert accounts[0].privileges == {"s": frozenset({"SELECT"})}


def test_defaults() -> None:
    assert parse([{"name": "u", "password": "p"}]) == [Account("u", "127.0.0.1", "p", {})]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"name": "a b"}, "mysql_users.a b: is no name of a user", id="name"),
        pytest.param({"hosts": []}, "mysql_users.u: has no hosts", id="no hosts"),
        pytest.param({"hosts": ["a'b"]}, 'mysql_users.u: "a\'b" is no address', id="host"),
        pytest.param({"password": None}, "mysql_users.u: has no password", id="no password"),
        pytest.param({"password": 123}, "mysql_users.u: has no password; set password to a string", id="a number"),
        pytest.param({"privileges": {"a`b": []}}, "'a`b' is no name of a schema", id="schema"),
        pytest.param(
            {"privileges": {"s": ["SELECT", "SUPER"]}}, "SUPER cannot be granted on s; allowed: ALTER", id="privilege"
        ),
        pytest.param({"privileges": {"s": ["ALL"]}}, "ALL cannot be granted on s", id="all"),
        pytest.param(
            {"hosts": [], "privileges": {"s": ["ALL"]}}, "(?s)has no hosts.*ALL cannot", id="all problems at once"
        ),
    ],
)
def test_users_that_cannot_be_meant(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AccountError, match=message):
        parse([user(**changes)])


def test_a_user_listed_twice() -> None:
    with pytest.raises(AccountError, match=r"mysql_users\.u@10\.0\.0\.1: is listed twice"):
        parse([user(), user()])


def test_refusals_show_no_password() -> None:
    with pytest.raises(AccountError) as refusal:
        parse([user(name="!", password="marked-secret")])
    assert "marked-secret" not in str(refusal.value)
