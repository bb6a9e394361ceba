"""Users that can do what Cube does, in their own schema and nowhere else."""

from __future__ import annotations

import pytest

from tests.infra.mysql.conftest import ACME, GLOBEX

BUILD = (
    "CREATE TABLE cube_acme.t (a VARCHAR(255) CHARACTER SET utf8mb4, b DECIMAL(38,10)); "
    "INSERT INTO cube_acme.t VALUES ('ü', 1), ('b', 2); CREATE INDEX i ON cube_acme.t (a); "
    "SELECT COUNT(*) FROM cube_acme.t; DROP TABLE cube_acme.t"
)


def test_a_user_can_do_what_cube_does(mysql) -> None:
    assert mysql.client(ACME, BUILD) == "2"
    assert mysql.client(ACME, "SET time_zone = '+00:00'; SELECT DATABASE()", "127.0.0.1", "cube_acme") == "cube_acme"


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("CREATE TABLE cube_globex.t (a INT)", id="another tenant's schema"),
        pytest.param("SELECT * FROM mysql.user", id="the server's own schema"),
        pytest.param("CREATE DATABASE another", id="a schema of its own making"),
        pytest.param("GRANT SELECT ON cube_acme.* TO CURRENT_USER", id="granting"),
        pytest.param("SET GLOBAL max_connections = 1", id="the server's settings"),
        pytest.param("SELECT LOAD_FILE('/etc/passwd') IS NULL OR 1/0; USE mysql", id="files"),
        pytest.param(
            "CREATE TABLE cube_acme.t (a INT); DELETE FROM cube_acme.t", id="a privilege that was not asked for"
        ),
    ],
)
def test_a_user_can_do_nothing_else(mysql, sql: str) -> None:
    try:
        assert "denied" in mysql.client(ACME, sql)
    finally:
        mysql.root("DROP TABLE IF EXISTS cube_acme.t")


def test_an_underscore_in_a_schema_is_no_wildcard(mysql) -> None:
    mysql.root("CREATE DATABASE cubeXacme")
    try:
        assert "denied" in mysql.client(ACME, "CREATE TABLE cubeXacme.t (a INT)")
        assert "cubeXacme" not in mysql.client(ACME, "SHOW DATABASES")
    finally:
        mysql.root("DROP DATABASE cubeXacme")


def test_a_user_is_refused_elsewhere_and_with_another_password(mysql) -> None:
    assert "Access denied" in mysql.client(GLOBEX, "SELECT 1", "127.0.0.1"), "not among its hosts"
    assert "Access denied" in mysql.client((ACME[0], GLOBEX[1]), "SELECT 1")
    assert "Access denied" in mysql.client(("root", ""), "SELECT 1", "127.0.0.1"), "root is for the socket only"


def test_the_login_is_the_one_that_cube_knows(mysql) -> None:
    plugins = mysql.root("SELECT DISTINCT plugin FROM mysql.user WHERE User LIKE 'cube%'")
    assert plugins == "mysql_native_password"


@pytest.mark.usefixtures("mended")
def test_what_was_changed_by_hand_is_taken_back(lab, bookworm) -> None:
    who = f"cube_acme@'{bookworm.address}'"
    bookworm.root(
        f"GRANT ALL ON cube_globex.* TO {who}; GRANT FILE ON *.* TO {who}; GRANT ALTER ON `cube\\_acme`.* TO {who}; "
        f"REVOKE DROP ON `cube\\_acme`.* FROM {who}; DROP USER cube_acme@127.0.0.1; "
        f"SET PASSWORD FOR cube_globex@'{bookworm.address}' = PASSWORD('by hand')"
    )
    before = bookworm.pid
    foretold = lab.converge("--limit", "bookworm", "--check", "--diff")
    assert "account cube_acme@127.0.0.1: create" in foretold.output
    run = lab.converge("--limit", "bookworm")
    assert run.status == 0, run.output
    assert run.changed == foretold.changed
    assert bookworm.client(ACME, BUILD) == "2"
    assert bookworm.client(GLOBEX, "SELECT 1") == "1"
    assert "denied" in bookworm.client(ACME, "CREATE TABLE cube_globex.t (a INT)")
    assert "FILE" not in bookworm.root(f"SHOW GRANTS FOR {who}")
    assert not lab.converge("--limit", "bookworm").changed
    assert bookworm.pid == before


@pytest.mark.usefixtures("mended")
def test_a_password_changes_without_a_restart_and_shows_nowhere(lab, bookworm) -> None:
    before = bookworm.pid
    run = lab.converge("--limit", "bookworm", "-vvv", "--diff", "-e", "acme_secret=Changed4dQ")
    assert run.status == 0, run.output
    assert "account cube_acme@127.0.0.1: set its password" in run.output
    assert "planted" not in run.output
    assert bookworm.client(("cube_acme", "plantedAcmeChanged4dQ"), "SELECT 1") == "1"
    assert "Access denied" in bookworm.client(ACME, "SELECT 1")
    assert bookworm.pid == before


def test_a_first_run_shows_no_secret_and_leaves_none_behind(lab, mysql) -> None:
    found = mysql.host.run("grep -rl planted /etc /var/lib/cubeops /root /tmp /var/log --include=* 2>/dev/null")
    assert found.stdout.strip() == ""
    assert "planted" not in mysql.host.check_output("journalctl --no-pager --output=cat")
