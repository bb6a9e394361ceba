"""A running server brought up to date, over a small server that is played."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_accounts import Account, native_hash
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import MysqlServerError
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_state import Host, Outcome, Wanted, converge

MARIADB_10_11 = "10.11.6-MariaDB-0+deb12u1"
READ_ONLY_ERROR = 1238


class PlayedServer:
    """Keeps variables, schemas and accounts as a server does, and what its configuration file says for a restart."""

    def __init__(self, version: str = MARIADB_10_11) -> None:
        self.version = version
        self.variables = {"max_connections": "151", "port": "3306", "innodb_buffer_pool_size": "134217728"}
        self.read_only = {"port"}
        self.configured: dict[str, str] = {}
        self.stale = True
        self.restarts = 0
        self.resizing: list[str] = []
        self.databases = ["mysql", "webshop"]
        self.accounts: dict[tuple[str, str], tuple[str, str]] = {}
        self.grants: dict[tuple[str, str], list[str]] = {}
        self.statements: list[str] = []
        self.slept = 0.0

    def restart(self) -> None:
        """Take up what the configuration says."""
        self.restarts += 1
        self.stale = False
        self.variables.update(self.configured)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one of the statements that are known here."""
        if sql.startswith(("SET", "CREATE", "ALTER", "GRANT", "REVOKE")):
            self.statements.append(sql)
        return self._answer(sql, tuple(values))

    def _answer(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        if sql == "SELECT VERSION()":
            return [(self.version,)]
        if sql == "SHOW GLOBAL VARIABLES":
            return list(self.variables.items())
        if "SYSTEM_VARIABLES" in sql:
            if "MariaDB" not in self.version:
                raise MysqlServerError("Unknown table", 1109)
            return [(name.upper(),) for name in self.read_only]
        if sql.startswith("SET GLOBAL"):
            return self._set(sql.split()[2], values[0])
        if "resize_status" in sql:
            return [("Innodb_buffer_pool_resize_status", self._resize())]
        if sql == "SHOW DATABASES":
            return [(name,) for name in self.databases]
        return self._administer(sql, values)

    def _set(self, name: str, value: Any) -> list[tuple[Any, ...]]:
        if name in self.read_only:
            raise MysqlServerError(f"{name} is read-only", READ_ONLY_ERROR)
        if name == "refused":
            raise MysqlServerError("wrong value", 1231)
        if not self.resizing:
            self.variables[name] = str(value)
        return []

    def _resize(self) -> str:
        if not self.resizing:
            return ""
        said = self.resizing.pop(0)
        if said.startswith("Completed"):
            self.variables["innodb_buffer_pool_size"] = "268435456"
        return said

    def _administer(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        created = re.match(r"CREATE DATABASE `(.+)` CHARACTER SET utf8mb4$", sql)
        if created:
            self.databases.append(created[1])
        elif sql.startswith(("CREATE USER", "ALTER USER")):
            self.accounts[values[0], values[1]] = ("mysql_native_password", values[2])
            self.grants.setdefault((values[0], values[1]), [])
        elif sql.startswith("GRANT"):
            self.grants[values].append(sql.replace("%s@%s", "`{}`@`{}`".format(*values)))
        elif sql.startswith("REVOKE"):
            taken = sql.replace("REVOKE", "GRANT").replace(" FROM %s@%s", "")
            self.grants[values] = [line for line in self.grants[values] if not line.startswith(taken)]
        elif "FROM mysql.user" in sql:
            return [(*key, *row) for key, row in self.accounts.items() if key[0] in values]
        elif sql.startswith("SHOW GRANTS"):
            return [(line,) for line in self.grants[values]]
        else:
            raise AssertionError(sql)
        return []

    def close(self) -> None:
        """End the session."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept += seconds

    def converge(self, wanted: Wanted, *, apply: bool = True, pending: bool = False) -> Outcome:
        """Bring this server up to date; its configuration file says what is wanted."""
        self.configured = {**self.configured, **dict(wanted.settings)} if apply else self.configured
        host = Host(lambda: self, self.restart, lambda: self.stale, self.sleep, lambda: self.slept)
        return converge(wanted, host, apply=apply, pending=pending)


@pytest.fixture
def server() -> PlayedServer:
    return PlayedServer()


ACME = Account("cube_acme", "10.0.0.1", "secret", {"cube_acme": frozenset({"SELECT"})})
WANTED = Wanted((("max_connections", "200"),), ("cube_acme",), (ACME,))


def test_what_differs_is_changed_live(server: PlayedServer) -> None:
    outcome = server.converge(WANTED)
    assert outcome.settings == {"max_connections": {"before": "151", "after": "200"}}
    assert outcome.databases == ["cube_acme"]
    assert outcome.accounts == {"cube_acme@10.0.0.1": ["create", r"grant SELECT ON `cube\_acme`.*"]}
    assert server.restarts == 0
    assert (server.variables["max_connections"], server.databases[-1]) == ("200", "cube_acme")


def test_the_second_run_does_nothing(server: PlayedServer) -> None:
    server.converge(WANTED)
    server.statements.clear()
    outcome = server.converge(WANTED)
    assert not outcome.changed
    assert server.statements == []


def test_check_mode_tells_the_same_and_does_nothing(server: PlayedServer) -> None:
    foretold = server.converge(WANTED, apply=False, pending=True)
    assert server.statements == []
    assert vars(foretold) == vars(server.converge(WANTED))


@pytest.mark.parametrize("pending", [True, False], ids=["file would change", "file changed earlier"])
def test_a_restart_only_for_what_needs_one(server: PlayedServer, pending: bool) -> None:
    wanted = Wanted((("max_connections", "200"), ("port", "3307")))
    foretold = server.converge(wanted, apply=False, pending=pending)
    outcome = server.converge(wanted)
    assert outcome.restarted == foretold.restarted == ["port"]
    assert server.restarts == 1
    assert server.variables["port"] == "3307"
    assert not server.converge(wanted).changed


def test_a_setting_that_is_no_variable_needs_a_restart_once(server: PlayedServer) -> None:
    wanted = Wanted((("plugin_load_add", "x"),))
    assert server.converge(wanted, apply=False, pending=True).restarted == ["plugin_load_add"]
    assert server.converge(wanted).restarted == ["plugin_load_add"]
    assert not server.converge(wanted).changed


def test_no_restart_where_it_would_not_help(server: PlayedServer) -> None:
    server.stale = False
    with pytest.raises(MysqlServerError, match=r"(?s)a restart does not change that:\nport is 3306, wanted 3307"):
        server.converge(Wanted((("port", "3307"),)))
    assert server.restarts == 0


def test_what_a_restart_did_not_change_is_said(server: PlayedServer) -> None:
    server.configured["port"] = "3306"
    wanted = Wanted((("port", "3307"),))
    host = Host(lambda: server, server.restart, lambda: server.stale, server.sleep, lambda: server.slept)
    with pytest.raises(MysqlServerError, match="port is 3306, wanted 3307"):
        converge(wanted, host, apply=True)
    assert server.restarts == 1


def test_a_resize_in_the_background_is_waited_for(server: PlayedServer) -> None:
    server.resizing = ["Resizing buffer pool", "Withdrawing blocks", "Completed resizing buffer pool"]
    outcome = server.converge(Wanted((("innodb_buffer_pool_size", "256M"),)))
    assert outcome.settings["innodb_buffer_pool_size"]["before"] == "134217728"
    assert (outcome.restarted, server.restarts) == ([], 0)
    assert server.slept > 0


def test_a_resize_that_never_ends_is_not_waited_for_for_ever(server: PlayedServer) -> None:
    server.resizing = ["Resizing buffer pool"] * 1000
    server.converge(Wanted((("innodb_buffer_pool_size", "256M"),)))
    assert server.restarts == 1
    assert server.slept == pytest.approx(15, abs=1)


def test_a_value_that_the_server_refuses(server: PlayedServer) -> None:
    server.variables["refused"] = "1"
    with pytest.raises(MysqlServerError, match="wrong value"):
        server.converge(Wanted((("refused", "2"),)))


def test_mysql_9_is_refused_before_anything_is_changed() -> None:
    server = PlayedServer("9.1.0")
    with pytest.raises(MysqlServerError, match=r"mysql_native_password.*Nothing was changed"):
        server.converge(WANTED)
    assert server.statements == []


def test_oracle_s_server() -> None:
    server = PlayedServer("8.0.36")
    foretold = server.converge(Wanted((("port", "3307"),)), apply=False, pending=True)
    assert foretold.restarted == ["port"]
    server.converge(WANTED)
    assert "CREATE USER %s@%s IDENTIFIED WITH mysql_native_password AS %s" in server.statements


def test_a_changed_password_is_set(server: PlayedServer) -> None:
    server.converge(WANTED)
    changed = Account(ACME.user, ACME.host, "other", ACME.privileges)
    outcome = server.converge(Wanted(accounts=(changed,)))
    assert outcome.accounts == {"cube_acme@10.0.0.1": ["set its password"]}
    assert server.accounts["cube_acme", "10.0.0.1"][1] == native_hash("other")


def test_an_account_of_a_former_host_is_reported_and_kept(server: PlayedServer) -> None:
    server.converge(WANTED)
    moved = Account(ACME.user, "10.0.0.2", "secret", ACME.privileges)
    outcome = server.converge(Wanted(accounts=(moved,)))
    assert outcome.notes == [
        "cube_acme@10.0.0.1 can log in but is not listed: `DROP USER` it where that host is no client any more"
    ]
    assert ("cube_acme", "10.0.0.1") in server.accounts


def test_other_schemas_and_accounts_are_left_alone(server: PlayedServer) -> None:
    server.accounts["shop", "localhost"] = ("unix_socket", "")
    server.converge(WANTED)
    assert not [statement for statement in server.statements if "shop" in statement]
    assert server.accounts["shop", "localhost"] == ("unix_socket", "")


def test_limits_that_go_down_on_the_server_of_others_are_said(server: PlayedServer) -> None:
    server.variables["max_connections"] = "500"
    foretold = server.converge(WANTED, apply=False)
    outcome = server.converge(WANTED)
    assert outcome.notes == foretold.notes
    assert outcome.notes[0].startswith(
        "max_connections goes down from 500 to 200 on a server that also holds webshop: "
    )
    assert server.converge(WANTED).notes == []


def test_limits_that_go_down_on_a_server_of_its_own(server: PlayedServer) -> None:
    server.variables["max_connections"] = "500"
    server.databases = ["mysql", "sys", "information_schema", "performance_schema", "cube_acme"]
    assert server.converge(WANTED).notes == []


def test_a_failing_statement_names_the_account_and_no_secret(server: PlayedServer) -> None:
    def fail(sql: str, _values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if sql.startswith("CREATE USER"):
            raise MysqlServerError(f"{sql}: read only server")
        return PlayedServer.rows(server, sql, _values)

    server.rows = fail
    with pytest.raises(MysqlServerError, match=r"cube_acme@10\.0\.0\.1: create: .*read only server") as refusal:
        server.converge(WANTED)
    assert native_hash("secret") not in str(refusal.value)
