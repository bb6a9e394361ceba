"""A server of a host: unit, state and logins together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import mysql_server
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_accounts import Account
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import (
    DriverMissingError,
    MysqlServerError,
    Session,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_health import Logins
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_server import Report, Server, bring_up_to_date
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_state import Host, Outcome, Wanted
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd

ACME = Account("cube_acme", "127.0.0.1", "marked-secret", {})
GLOBEX = Account("cube_globex", "127.0.0.1", "marked-secret", {})
WANTED = Wanted(databases=("cube_acme",), accounts=(ACME, GLOBEX))


class PlayedSystemd:
    """A systemctl with one unit, whose process is this test's own."""

    def __init__(self, active: str = "active") -> None:
        self.active = active
        self.commands: list[str] = []
        self.restart_fails = False

    def __call__(self, command: Sequence[str]) -> Completed:
        """Answer the command."""
        if command[0] == "journalctl":
            return Completed(0, "InnoDB: cannot allocate\n", "")
        if command[1] == "show":
            import os

            return Completed(
                0, f"LoadState=loaded\nActiveState={self.active}\nUnitFileState=enabled\nMainPID={os.getpid()}\n", ""
            )
        self.commands.append(command[1])
        if command[1] == "start":
            self.active = "active"
        return Completed(int(command[1] == "restart" and self.restart_fails), "", "no")


@pytest.fixture
def systemd() -> PlayedSystemd:
    return PlayedSystemd()


def no_session() -> Session:
    raise AssertionError("a server that does not run cannot be asked")


def server(systemd: PlayedSystemd, config_file: Path) -> Server:
    return Server(Systemd(systemd), no_session, "mariadb.service", str(config_file), 3307)


def bring(
    systemd: PlayedSystemd,
    monkeypatch: pytest.MonkeyPatch,
    outcome: Outcome,
    problems: Sequence[str] = (),
    **options: Any,
) -> tuple[Report, list[tuple[list[str], int]]]:
    """Bring up to date a server with which only this has to be done; return what was reported and what was tried."""

    def converge(_wanted: Wanted, _host: Host, *, apply: bool, pending: bool) -> Outcome:
        return outcome

    tried: list[tuple[list[str], int]] = []

    def prove(accounts: Sequence[Account], port: int) -> Logins:
        tried.append(([account.user for account in accounts], port))
        return Logins(proved=[str(account) for account in accounts], problems=list(problems))

    monkeypatch.setattr(mysql_server.mysql_state, "converge", converge)
    report = bring_up_to_date(WANTED, server(systemd, Path("/nonexistent")), prove=prove, **options)
    return report, tried


def test_every_account_is_proved(systemd: PlayedSystemd, monkeypatch: pytest.MonkeyPatch) -> None:
    report, tried = bring(systemd, monkeypatch, Outcome(version="10.11"), apply=True)
    assert not report.changed
    assert report.details()["proved"] == ["cube_acme@127.0.0.1", "cube_globex@127.0.0.1"]
    assert tried == [(["cube_acme", "cube_globex"], 3307)]


def test_check_mode_proves_what_would_stay_as_it_is(systemd: PlayedSystemd, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = Outcome(accounts={"cube_acme@127.0.0.1": ["set its password"]})
    report, tried = bring(systemd, monkeypatch, outcome, apply=False)
    assert report.changed
    assert tried == [(["cube_globex"], 3307)]


def test_check_mode_proves_nothing_before_a_restart(systemd: PlayedSystemd, monkeypatch: pytest.MonkeyPatch) -> None:
    report, tried = bring(systemd, monkeypatch, Outcome(restarted=["port"]), apply=False)
    assert report.changed
    assert tried == []


def test_check_mode_on_a_server_that_does_not_run(systemd: PlayedSystemd, tmp_path: Path) -> None:
    systemd.active = "inactive"
    report = bring_up_to_date(WANTED, server(systemd, tmp_path), apply=False)
    assert report.unit == ["start"]
    assert report.state.databases == ["cube_acme"]
    assert set(report.state.accounts) == {"cube_acme@127.0.0.1", "cube_globex@127.0.0.1"}
    assert systemd.commands == []


@pytest.mark.parametrize("apply", [True, False], ids=["run", "check mode"])
def test_before_the_driver_is_installed(systemd: PlayedSystemd, tmp_path: Path, apply: bool) -> None:
    def connect() -> Session:
        raise DriverMissingError("PyMySQL is not there")

    without = Server(Systemd(systemd), connect, "mariadb.service", str(tmp_path), 3306)
    if apply:
        with pytest.raises(DriverMissingError):
            bring_up_to_date(WANTED, without, apply=True)
        return
    report = bring_up_to_date(WANTED, without, apply=False)
    assert report.changed
    assert report.state.notes == ["What this server has already is not known: PyMySQL is not there"]


def test_a_stopped_server_is_started(systemd: PlayedSystemd, monkeypatch: pytest.MonkeyPatch) -> None:
    systemd.active = "failed"
    report, _unused = bring(systemd, monkeypatch, Outcome(), apply=True)
    assert report.changed
    assert "start" in systemd.commands


def test_logins_that_fail_are_all_named(systemd: PlayedSystemd, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MysqlServerError, match="These accounts cannot log in:\na: no\nb: no"):
        bring(systemd, monkeypatch, Outcome(), ["a: no", "b: no"], apply=True)


def test_the_differences_hold_no_secret() -> None:
    outcome = Outcome(
        settings={"port": {"before": "3306", "after": "3307"}},
        restarted=["port"],
        databases=["cube_acme"],
        accounts={"cube_acme@127.0.0.1": ["create", "grant SELECT"]},
    )
    assert Report([], outcome).diff() == {
        "before": "port: 3306\n",
        "after": "port: 3307\nrestart for port\nschema cube_acme: create\n"
        "account cube_acme@127.0.0.1: create\naccount cube_acme@127.0.0.1: grant SELECT\n",
    }


def test_stale_is_what_started_before_its_configuration_changed(systemd: PlayedSystemd, tmp_path: Path) -> None:
    config_file = tmp_path / "a.cnf"
    assert not server(systemd, config_file).is_stale()
    config_file.touch()
    assert server(systemd, config_file).is_stale()


def test_a_restart_that_fails_shows_the_journal(systemd: PlayedSystemd, tmp_path: Path) -> None:
    systemd.restart_fails = True
    with pytest.raises(MysqlServerError, match=r"(?s)mariadb.service failed: no.*InnoDB: cannot allocate"):
        server(systemd, tmp_path).restart()
    assert systemd.commands == ["reset-failed", "restart"]
