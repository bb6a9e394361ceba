"""Settings: in effect, changed live, refused when they are wrong, and completed by the next run when one was killed."""

from __future__ import annotations

import pytest

LIVE = ("--extra-vars", '{"mysql_max_connections": 222, "mysql_memory_bytes": 1610612736}')
FIXED = ("--extra-vars", '{"mysql_port": 3307}')


def test_settings_are_in_effect(mysql) -> None:
    assert mysql.variable("innodb_buffer_pool_size") == str(512 * 2**20)
    assert mysql.variable("max_allowed_packet") == str(128 * 2**20)
    assert mysql.variable("character_set_server") == "utf8mb4"
    assert "STRICT_TRANS_TABLES" in mysql.variable("sql_mode")
    assert mysql.variable("max_connections") == "151"
    assert mysql.variable("log_bin") == "0"


def test_every_setting_says_why(mysql) -> None:
    lines = [line for line in mysql.config.partition("[mysqld]")[2].splitlines() if line]
    assert lines
    assert all(reason.startswith("# ") and " = " in setting for reason, setting in zip(lines[::2], lines[1::2]))


def test_it_listens_only_where_its_clients_are(mysql) -> None:
    listening = mysql.host.check_output("ss -Hltn 'sport = :3306'")
    addresses = {line.split()[3] for line in listening.splitlines()}
    # MariaDB 10.5 (bullseye) listens on one address or on all.
    one_or_all = mysql.root("SELECT VERSION()").startswith("10.5.")
    assert addresses == ({"*:3306"} if one_or_all else {"127.0.0.1:3306", f"{mysql.address}:3306"})


@pytest.mark.usefixtures("mended")
def test_what_can_change_live_is_changed_live(lab, bookworm) -> None:
    before = bookworm.pid
    run = lab.converge("--limit", "bookworm", "--diff", *LIVE)
    assert run.status == 0, run.output
    assert "max_connections: 222" in run.output
    assert "restart for" not in run.output
    assert (bookworm.variable("max_connections"), bookworm.pid) == ("222", before)
    assert bookworm.variable("innodb_buffer_pool_size") == str(768 * 2**20)
    assert "max_connections = 222" in bookworm.config
    assert not lab.converge("--limit", "bookworm", *LIVE).changed


@pytest.mark.usefixtures("mended")
def test_what_cannot_is_a_restart_and_check_mode_says_so(lab, bookworm) -> None:
    before = bookworm.pid
    foretold = lab.converge("--limit", "bookworm", "--check", "--diff", *FIXED)
    assert foretold.status == 0, foretold.output
    assert "restart for port" in foretold.output
    assert bookworm.pid == before
    run = lab.converge("--limit", "bookworm", *FIXED)
    assert run.status == 0, run.output
    assert run.changed == foretold.changed
    assert bookworm.pid != before
    assert bookworm.variable("port") == "3307"
    assert not lab.converge("--limit", "bookworm", *FIXED).changed


@pytest.mark.usefixtures("mended")
def test_a_run_killed_before_its_restart_is_completed(lab, bookworm) -> None:
    before = bookworm.pid
    killed = lab.converge("--limit", "bookworm", "--tags", "mysql_install,mysql_configure", *FIXED)
    assert killed.status == 0, killed.output
    assert "port = 3307" in bookworm.config
    assert (bookworm.variable("port"), bookworm.pid) == ("3306", before)
    run = lab.converge("--limit", "bookworm", *FIXED)
    assert run.status == 0, run.output
    assert bookworm.variable("port") == "3307"


@pytest.mark.parametrize("mode", [(), ("--check",)], ids=["run", "check mode"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param('{"no_such_setting": 1}', "unknown variable", id="unknown to the server"),
        pytest.param('{"max_allowed_packet": "lots"}', "Unknown suffix", id="no value of its kind"),
        pytest.param('{"table_open_cache": 99999999}', "adjusted to", id="out of range"),
        pytest.param('{"bind_address": "*"}', "set mysql_bind_addresses", id="decided elsewhere"),
    ],
)
def test_a_bad_setting_is_refused_with_the_running_server_untouched(
    lab, bookworm, mode: tuple[str, ...], settings: str, message: str
) -> None:
    before = (bookworm.pid, bookworm.config)
    run = lab.converge("--limit", "bookworm", *mode, "--extra-vars", f'{{"mysql_settings": {settings}}}')
    assert run.status != 0
    assert message in run.output
    assert (bookworm.pid, bookworm.config) == before


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        pytest.param('{"mysql_distribution": "mysql"}', "would replace the mariadb server", id="another distribution"),
        pytest.param('{"mysql_memory_bytes": 1000000, "mysql_port": 99999}', "mysql_port: 99999", id="no port"),
        pytest.param('{"mysql_memory_bytes": 1000000, "mysql_port": 99999}', "1000000 is too little", id="all at once"),
        pytest.param(
            '{"mysql_users": [{"name": "u", "password": "planted!", "hosts": []}]}', "u: has no hosts", id="user"
        ),
    ],
)
def test_bad_variables_are_refused_before_the_host_is_touched(lab, variables: str, message: str) -> None:
    run = lab.converge("--limit", "bookworm", "--extra-vars", variables)
    assert run.status != 0
    assert message in run.output
    assert "planted" not in run.output
    assert not run.changed
