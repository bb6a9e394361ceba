"""The mysql role's variables judged against a host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_role import configuration, installed
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_settings import MysqlSettingsError

HOST = {"memory_bytes": 4 * 2**30, "packages": {"mariadb-server": "1:10.11.19-0+deb12u1"}}
VARIABLES: dict[str, Any] = {
    "mysql_distribution": "mariadb",
    "mysql_port": 3306,
    "mysql_bind_addresses": ["127.0.0.1", "10.0.0.1"],
    "mysql_memory_bytes": None,
    "mysql_max_connections": 65,
    "mysql_dedicated": False,
    "mysql_databases": [{"name": "cube_acme"}],
    "mysql_users": [{"name": "cube_acme", "password": "marked-secret", "privileges": {"cube_acme": ["SELECT"]}}],
    "mysql_settings": {},
}


def values(host: dict[str, Any] | None = None, candidate: str | None = None, **changes: Any) -> dict[str, str]:
    found = configuration({**VARIABLES, **changes}, {**HOST, **(host or {})}, candidate)
    return {setting.name: setting.value for setting in found}


def test_memory_follows_from_the_host_unless_it_is_given() -> None:
    assert values()["innodb_buffer_pool_size"] == "2048M"
    assert values(mysql_memory_bytes=2**30)["innodb_buffer_pool_size"] == "512M"


@pytest.mark.parametrize(
    ("packages", "expected"),
    [
        pytest.param({"mariadb-server": "1:10.5.29-0+deb11u1"}, "*", id="one that listens on one address or on all"),
        pytest.param({"mariadb-server": "1:10.11.19-0+deb12u1"}, "127.0.0.1,10.0.0.1", id="one that takes several"),
        pytest.param({}, "127.0.0.1,10.0.0.1", id="none yet"),
    ],
)
def test_the_installed_version_decides_how_it_listens(packages: dict[str, str], expected: str) -> None:
    assert values({"packages": packages})["bind_address"] == expected


@pytest.mark.parametrize(
    ("distribution", "packages", "expected"),
    [
        pytest.param("mariadb", {"mariadb-server": "1:10.11.6-0+deb12u1"}, "10.11.6", id="Debian"),
        pytest.param(
            "mariadb", {"mariadb-server-10.5": "1:10.5.29-0+deb11u1"}, "10.5.29", id="without its metapackage"
        ),
        pytest.param("mariadb", {"mariadb-client": "1:10.11.6", "mysql-common": "5.8"}, None, id="only clients"),
        pytest.param("mysql", {"mysql-server": "8.0.36-0ubuntu0.22.04.1"}, "8.0.36", id="Ubuntu"),
        pytest.param("mysql", {"mysql-community-server": "9.1.0-1debian12"}, "9.1.0", id="Oracle's own package"),
        pytest.param("mysql", {"mysql-server-core-9.4": "9.4.0-1"}, "9.4.0", id="the server's core"),
    ],
)
def test_installed(distribution: str, packages: dict[str, str], expected: str | None) -> None:
    assert installed(distribution, packages) == expected


@pytest.mark.parametrize(
    ("changes", "host", "candidate", "message"),
    [
        pytest.param(
            {"mysql_distribution": "mysql"},
            {"packages": {"mysql-server": "9.1.0-1"}},
            None,
            "MySQL 9.1.0 has no mysql_native_password.*Use MariaDB",
            id="MySQL 9 is installed",
        ),
        pytest.param(
            {"mysql_distribution": "mysql"},
            {"packages": {}},
            "9.4.0-1",
            "MySQL 9.4.0-1 has no mysql_native_password",
            id="MySQL 9 would be installed",
        ),
        pytest.param(
            {"mysql_distribution": "mysql"},
            {"packages": {}},
            "(none)",
            "package archives have no mysql-server: set it to mariadb",
            id="there is no MySQL to install",
        ),
        pytest.param(
            {"mysql_distribution": "mysql"},
            {},
            None,
            "mysql would replace the mariadb server 10.11.19 of this host, with its data",
            id="the other distribution's server is there",
        ),
        pytest.param(
            {}, {"packages": {"mysql-server": "8.0.36"}}, None, "set mysql_distribution to mysql", id="and back"
        ),
        pytest.param(
            {"mysql_databases": [{"name": "a-b"}]}, {}, None, "mysql_databases: 'a-b' is no name", id="schema"
        ),
        pytest.param({"mysql_bind_addresses": ["10.0.0.1"]}, {}, None, "127.0.0.1 is this host itself", id="loopback"),
        pytest.param(
            {}, {"memory_bytes": None}, None, "mysql_memory_bytes: this host does not say", id="memory unknown"
        ),
        pytest.param(
            {
                "mysql_users": [{"name": "!", "password": "marked-secret"}],
                "mysql_port": 0,
                "mysql_databases": [{"name": "-"}],
            },
            {"packages": {"mysql-server": "8.0.36"}},
            None,
            r"(?s)would replace.*mysql_databases.*mysql_users\.!.*mysql_port: 0",
            id="all problems at once",
        ),
    ],
)
def test_refusals(changes: dict[str, Any], host: dict[str, Any], candidate: str | None, message: str) -> None:
    with pytest.raises(MysqlSettingsError, match=message) as refusal:
        values(host, candidate, **changes)
    assert "marked-secret" not in str(refusal.value)


def test_mysql_8_and_a_package_manager_that_knows_nothing_are_fine() -> None:
    assert values({"packages": {}}, "8.4.3-1", mysql_distribution="mysql")["loose_mysql_native_password"] == "ON"
    assert values({"packages": {}}, None, mysql_distribution="mysql")


@pytest.mark.parametrize("addresses", [["*"], ["0.0.0.0"], ["::1"]])
def test_loopback_is_served(addresses: list[str]) -> None:
    assert values(mysql_bind_addresses=addresses)
