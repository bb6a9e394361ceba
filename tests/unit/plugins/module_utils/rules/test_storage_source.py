"""Rules on the storage beside the source database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
STORAGE = "cubejs_tenants[acme].pre_aggregations"
EXTERNAL = {"host": "mysql.example", "user": "u", "password": "pppppppppppppppp"}
HERE = {"type": "mysql", "host": "127.0.0.1", "name": "shop", "user": "u"}
DRIVER = "@cubejs-backend/mysql-driver"


@pytest.mark.parametrize(
    ("version", "database", "severity"),
    [
        pytest.param("0.20.10", HERE, "error", id="collides"),
        pytest.param("0.27.34", HERE, "error", id="last that collides"),
        pytest.param("0.27.53", HERE, "warning", id="by its driver"),
        pytest.param("0.28.67", HERE, None, id="later"),
        pytest.param("0.20.10", {**HERE, "host": "db.example"}, None, id="two servers"),
        pytest.param("0.20.10", {**HERE, "port": 3307}, None, id="another port"),
        pytest.param("0.20.10", {**HERE, "type": "postgres"}, None, id="another kind"),
    ],
)
def test_source_and_storage_on_one_server(
    version: str, database: dict[str, Any], severity: str | None, subjects: Subjects, make_tenant: MakeTenant
) -> None:
    expected = [(f"{STORAGE}.host", severity)] if severity else []
    assert subjects("storage-on-source-server", [make_tenant(version=version, database=database)]) == expected


@pytest.mark.parametrize(
    ("ssl", "storage", "version", "fails"),
    [
        pytest.param(False, {}, "0.29.57", False, id="no TLS"),
        pytest.param(True, {}, "0.29.57", True, id="our storage does not speak it"),
        pytest.param(True, {**EXTERNAL, "tls": True}, "0.29.57", False, id="a storage that does"),
        pytest.param(True, {"enabled": False}, "0.29.57", False, id="no storage"),
        pytest.param(True, {}, "0.20.10", False, id="the driver does not read it"),
    ],
)
def test_tls(
    ssl: bool, storage: dict[str, Any], version: str, fails: bool, subjects: Subjects, make_tenant: MakeTenant
) -> None:
    tenant = make_tenant(version=version, database={**HERE, "ssl": ssl}, pre_aggregations=storage)
    expected = [("cubejs_tenants[acme].database.ssl", "error")] if fails else []
    assert subjects("storage-tls", [tenant]) == expected


def packages(version: str, driver: str) -> observation.Packages:
    versions = {"@cubejs-backend/server": version, **({DRIVER: driver} if driver else {})}
    return observation.Packages("/srv/acme/node_modules", version, versions)


@pytest.mark.parametrize(
    ("version", "driver", "source", "changes", "status", "severity"),
    [
        pytest.param("0.20.10", "0.20.9", {}, {}, "fail", "error", id="one server"),
        pytest.param("0.27.53", "0.27.33", {}, {}, "fail", "error", id="by its driver"),
        pytest.param("0.27.53", "0.27.35", {}, {}, "not_applicable", "error", id="a driver that does not"),
        pytest.param("0.27.53", "", {}, {}, "fail", "warning", id="a driver that was not read"),
        pytest.param("0.28.67", "", {}, {}, "not_applicable", "error", id="later"),
        pytest.param("0.20.10", "0.20.9", {"identity": "x"}, {}, "pass", "error", id="two servers behind one name"),
        pytest.param("0.20.10", "0.20.9", {"identity": ""}, {}, "unknown", "error", id="a source that was not reached"),
        pytest.param("", "", {}, {}, "unknown", "error", id="no version"),
        pytest.param(
            "0.20.10", "0.20.9", {}, {"CUBEJS_DB_TYPE": "postgres"}, "not_applicable", "error", id="another kind"
        ),
        pytest.param("0.20.10", "0.20.9", {}, {"CUBEJS_EXT_DB_TYPE": None}, "not_applicable", "error", id="no storage"),
    ],
)
def test_seen_source_and_storage_on_one_server(
    version: str,
    driver: str,
    source: dict[str, Any],
    changes: dict[str, Any],
    status: str,
    severity: str,
    seeing: Any,
) -> None:
    instance = seeing.instance(
        storage="" if "CUBEJS_EXT_DB_TYPE" in changes else "s",
        source="d",
        environment=changes,
        packages=packages(version, driver),
    )
    found = {"s": seeing.mysql(), "d": seeing.mysql(host="mysql.example", **source)}
    (finding,) = seeing.judge("storage-on-source-server", seeing.live(instance, hosts=(seeing.host(mysql=found),)))
    assert (finding.status, finding.severity) == (status, severity)


@pytest.mark.parametrize(
    ("environment", "has_ssl", "version", "status"),
    [
        pytest.param({}, "YES", "0.29.57", "not_applicable", id="no TLS"),
        pytest.param({"CUBEJS_DB_SSL": "true"}, "YES", "0.29.57", "pass", id="both"),
        pytest.param({"CUBEJS_DB_SSL": "true"}, "DISABLED", "0.29.57", "fail", id="the storage does not"),
        pytest.param({"CUBEJS_DB_SSL": "true"}, None, "0.29.57", "unknown", id="not told"),
        pytest.param({"CUBEJS_DB_SSL": "true"}, "DISABLED", "0.20.10", "not_applicable", id="a driver that has none"),
    ],
)
def test_seen_tls(environment: dict[str, str], has_ssl: str | None, version: str, status: str, seeing: Any) -> None:
    variables = {"version": "8.4.3"} if has_ssl is None else {"have_ssl": has_ssl}
    found = seeing.storing(seeing.mysql(variables=variables), environment=environment, version=version)
    assert [each.status for each in seeing.judge("storage-tls", found)] == [status]


@pytest.mark.parametrize(
    ("environment", "changes", "status"),
    [
        pytest.param({}, {}, "not_applicable", id="loopback"),
        pytest.param({"CUBEJS_EXT_DB_HOST": "192.0.2.1"}, {}, "not_applicable", id="its own address"),
        pytest.param({"CUBEJS_EXT_DB_HOST": "192.0.2.9"}, {}, "fail", id="in the clear"),
        pytest.param({"CUBEJS_EXT_DB_HOST": "192.0.2.9", "CUBEJS_DB_SSL": "true"}, {}, "fail", id="not verified"),
        pytest.param(
            {
                "CUBEJS_EXT_DB_HOST": "192.0.2.9",
                "CUBEJS_DB_SSL": "true",
                "CUBEJS_DB_SSL_REJECT_UNAUTHORIZED": "true",
            },
            {},
            "pass",
            id="verified",
        ),
        pytest.param(
            {
                "CUBEJS_EXT_DB_HOST": "192.0.2.9",
                "CUBEJS_DB_SSL": "true",
                "CUBEJS_DB_SSL_REJECT_UNAUTHORIZED": "true",
            },
            {"version": "0.20.10"},
            "fail",
            id="a driver that has none",
        ),
        pytest.param(
            {"CUBEJS_EXT_DB_HOST": "192.0.2.9"}, {"unknown": (Unknown("dotenv", "denied"),)}, "unknown", id="not read"
        ),
        pytest.param({"CUBEJS_EXT_DB_TYPE": None}, {"storage": ""}, "not_applicable", id="no storage"),
    ],
)
def test_tls_is_verified(environment: dict[str, str], changes: dict[str, Any], status: str, seeing: Any) -> None:
    instance = seeing.instance(environment=environment, **{"storage": "s", **changes})
    host = seeing.host(addresses=("192.0.2.1",), mysql={"s": seeing.mysql()})
    findings = seeing.judge("storage-tls-verified", seeing.live(instance, hosts=(host,)))
    assert [each.status for each in findings] == [status]


@pytest.mark.parametrize(
    ("address", "has_ssl", "severity"),
    [
        pytest.param("192.0.2.9", "DISABLED", "info", id="a server without TLS"),
        pytest.param("10.0.0.9", "NO", "info", id="one that was built without"),
        pytest.param("8.8.8.8", "DISABLED", "warning", id="on the Internet"),
        pytest.param("192.0.2.9", "YES", "warning", id="a server that would speak it"),
    ],
)
def test_a_storage_without_tls_is_worth_knowing(address: str, has_ssl: str, severity: str, seeing: Any) -> None:
    instance = seeing.instance(environment={"CUBEJS_EXT_DB_HOST": address}, storage="s")
    host = seeing.host(addresses=("192.0.2.1",), mysql={"s": seeing.mysql(variables={"have_ssl": has_ssl})})
    (finding,) = seeing.judge("storage-tls-verified", seeing.live(instance, hosts=(host,)))
    assert (finding.status, finding.severity) == ("fail", severity)
    assert ("speaks no TLS" in finding.message) == (has_ssl != "YES")
