"""A server that survives, and one that was somebody else's."""

from __future__ import annotations

import time

import pytest

from tests.infra.mysql.conftest import ACME, mysql_on


def kill_and_wait(mysql) -> None:
    """Kill the server and wait until it answers again."""
    before = mysql.pid
    mysql.host.check_output(f"kill -9 {before}")
    wait_for_another(mysql, before)


def wait_for_another(mysql, before: int) -> None:
    """Wait until another process of the server answers."""
    deadline = time.monotonic() + 90
    while mysql.pid in (0, before) or mysql.client(ACME, "SELECT 1") != "1":
        assert time.monotonic() < deadline, mysql.host.run("systemctl status mariadb").stdout
        time.sleep(0.2)


def state_after(mysql, passing: str) -> str:
    """Wait until systemd has noticed what became of the server; return the unit's state then."""
    deadline = time.monotonic() + 30
    while (state := mysql.host.check_output("systemctl show --property=SubState --value mariadb")) == passing:
        assert time.monotonic() < deadline, f"the unit stays {passing}"
        time.sleep(0.1)
    return state


def test_the_server_comes_back_after_kill_9(mysql) -> None:
    kill_and_wait(mysql)


def test_it_comes_back_however_often_that_happens(bookworm) -> None:
    # Six times within half a minute: systemd gives a unit up after five, unless it is told otherwise.
    bookworm.host.check_output("systemctl show --property=StartLimitIntervalUSec --value mariadb | grep -qx 0")
    for _unused in range(6):
        kill_and_wait(bookworm)


def test_systemd_waits_for_no_check_of_a_server_that_was_killed(bookworm) -> None:
    """Debian's debian-start leaves checks in the background; here one that does not end when it is told to."""
    host = bookworm.host
    folder = "/run/systemd/system/mariadb.service.d"
    check = "/bin/bash -c \"(trap '' TERM; exec sleep 8.25) &\""
    host.check_output(f"mkdir -p {folder}")
    host.check_output("printf '[Service]\\nExecStartPost=%%s\\n' %s > %s", check, f"{folder}/check.conf")
    try:
        host.check_output("systemctl daemon-reload && systemctl restart mariadb")
        before = bookworm.pid
        host.check_output(f"kill -9 {before}")
        # Not stop-sigterm, in which it would stay for TimeoutStopSec, 15 minutes, when it misses the end of the check.
        assert state_after(bookworm, "running") == "auto-restart"
        assert host.run("pgrep --full 'sleep [8].25'").rc == 0
    finally:
        host.check_output(f"rm {folder}/check.conf && systemctl daemon-reload")
    wait_for_another(bookworm, before)


def test_a_run_after_that_changes_nothing(lab) -> None:
    run = lab.converge()
    assert run.status == 0, run.output
    assert not run.changed
    assert max(run.remote_calls.values()) <= 5, run.remote_calls


def test_nor_does_a_run_of_the_service_alone(lab) -> None:
    run = lab.converge("--tags", "mysql_service")
    assert (run.status, run.changed) == (0, frozenset()), run.output


@pytest.mark.usefixtures("mended")
def test_a_stopped_and_disabled_server_is_started_and_enabled(lab, bookworm) -> None:
    bookworm.host.check_output("systemctl disable --now mariadb")
    foretold = lab.converge("--limit", "bookworm", "--check")
    assert foretold.status == 0, foretold.output
    run = lab.converge("--limit", "bookworm")
    assert run.status == 0, run.output
    assert run.changed == foretold.changed
    assert bookworm.host.service("mariadb").is_enabled
    assert bookworm.client(ACME, "SELECT 1") == "1"


@pytest.mark.usefixtures("mended")
def test_a_configuration_read_later_is_named(lab, bookworm) -> None:
    bookworm.host.check_output("printf '[mysqld]\nport=3399\n' > /etc/mysql/mariadb.conf.d/99-other.cnf")
    bookworm.host.check_output("systemctl restart mariadb")
    try:
        run = lab.converge("--limit", "bookworm")
        assert run.status != 0
        assert "port is 3399, wanted 3306" in run.output
        assert "read later" in run.output
    finally:
        bookworm.host.check_output("rm /etc/mysql/mariadb.conf.d/99-other.cnf")
        bookworm.host.check_output("systemctl restart mariadb")


def test_another_application_keeps_its_database(lab) -> None:
    shared = mysql_on(lab, "shared")
    assert shared.root("SELECT item FROM webshop.orders") == "chair"
    assert "latin1" in shared.root("SHOW CREATE DATABASE webshop")
    done = shared.host.run(
        "MYSQL_PWD=not-ours mariadb --user=shop --execute %s", "INSERT INTO webshop.orders VALUES (2, 'x')"
    )
    assert done.rc == 0, done.stderr
    shared.root("DELETE FROM webshop.orders WHERE id = 2")
    assert "denied" in shared.client(ACME, "SELECT * FROM webshop.orders")


def test_a_root_with_a_password_is_asked_for_and_used(lab) -> None:
    shared = mysql_on(lab, "shared")
    shared.root("ALTER USER root@localhost IDENTIFIED BY 'plantedRoot7'")
    host = shared.host
    try:
        refused = lab.converge("--limit", "shared")
        assert refused.status != 0
        assert "mysql_login_defaults_file" in refused.output
        host.check_output("umask 077; printf '[client]\nuser=root\npassword=plantedRoot7\n' > /root/login.cnf")
        run = lab.converge("--limit", "shared", "-vvv", "-e", "mysql_login_defaults_file=/root/login.cnf")
        assert run.status == 0, run.output
        assert not run.changed
        assert "plantedRoot7" not in run.output
    finally:
        host.check_output(
            "MYSQL_PWD=plantedRoot7 mariadb --execute %s",
            "ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING 'invalid' OR unix_socket",
        )
        host.check_output("rm -f /root/login.cnf")


def test_lowered_limits_of_a_shared_server_are_said(lab) -> None:
    shared = mysql_on(lab, "shared")
    shared.root("SET GLOBAL max_connections = 500")
    run = lab.converge("--limit", "shared")
    assert run.status == 0, run.output
    assert "max_connections goes down from 500 to 151 on a server that also holds webshop" in run.output
