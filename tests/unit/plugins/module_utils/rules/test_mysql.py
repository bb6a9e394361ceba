"""Rules on the storage: pass and fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import mysql

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
STORAGE = "cubejs_tenants[acme].pre_aggregations"
NOWHERE = {"cubejs_api": ["one"], "cubejs_refresh_worker": ["one"]}
EXTERNAL = {"host": "mysql.example", "user": "u", "password": "pppppppppppppppp"}
HERE = {"type": "mysql", "host": "127.0.0.1", "name": "shop", "user": "u"}


@pytest.mark.parametrize(
    ("storage", "groups", "version", "found"),
    [
        pytest.param({}, None, "0.29.57", [], id="of ours"),
        pytest.param({}, NOWHERE, "0.29.57", [STORAGE], id="no group and no address"),
        pytest.param({"enabled": False}, NOWHERE, "0.29.57", [], id="none wanted"),
        pytest.param(EXTERNAL, NOWHERE, "0.29.57", [], id="external"),
        pytest.param({"host": "h"}, NOWHERE, "0.29.57", [f"{STORAGE}.user", f"{STORAGE}.password"], id="no login"),
        pytest.param({}, None, "0.19.42", [STORAGE], id="a version without it"),
        pytest.param({}, None, "0.19.43", [], id="first version with it"),
    ],
)
def test_endpoint(
    storage: dict[str, Any], groups: Any, version: str, found: list[str], subjects: Subjects, make_tenant: MakeTenant
) -> None:
    tenants = [make_tenant(pre_aggregations=storage, version=version)]
    assert subjects("storage-endpoint", tenants, groups=groups) == [(subject, "error") for subject in found]


@pytest.mark.parametrize(
    ("first", "second", "version", "fails"),
    [
        pytest.param({}, {}, "0.29.57", False, id="a schema each"),
        pytest.param({}, {}, "0.25.3", True, id="a version that fixes the name"),
        pytest.param({"schema": "s"}, {"schema": "s"}, "0.29.57", True, id="one schema"),
        pytest.param(EXTERNAL, EXTERNAL, "0.29.57", False, id="external, a schema each"),
        pytest.param(
            {**EXTERNAL, "schema": "s"}, {**EXTERNAL, "schema": "s"}, "0.29.57", True, id="external, one schema"
        ),
        pytest.param({"schema": "s"}, {**EXTERNAL, "schema": "s"}, "0.29.57", False, id="two servers"),
    ],
)
def test_shared_schema(
    first: dict[str, Any],
    second: dict[str, Any],
    version: str,
    fails: bool,
    subjects: Subjects,
    make_tenant: MakeTenant,
) -> None:
    tenants = [
        make_tenant(pre_aggregations=first, version=version),
        make_tenant("beta", 2, pre_aggregations=second, version=version),
    ]
    expected = [("cubejs_tenants[beta].pre_aggregations.schema", "error")] if fails else []
    assert subjects("storage-schema-shared", tenants) == expected


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        pytest.param("0.25.3", "0.25.4 or newer", id="the version fixes the name"),
        pytest.param("0.29.57", "Use another schema", id="the tenant can name it"),
    ],
)
def test_the_remedy_for_a_shared_schema_fits_the_version(
    version: str, remedy: str, make_plan: Callable[..., Any], make_tenant: MakeTenant
) -> None:
    keys = {"pre_aggregations": {"schema": "s"}, "version": version}
    findings = make_plan([make_tenant(**keys), make_tenant("beta", 2, **keys)]).findings
    assert [remedy in finding.remedy for finding in findings if finding.rule == "storage-schema-shared"] == [True]


@pytest.mark.parametrize(
    ("host", "schema", "fails"),
    [
        pytest.param("127.0.0.1", "shop", True, id="the source itself"),
        pytest.param("127.0.0.1", "cube_acme", False, id="beside it"),
        pytest.param("db.example", "shop", False, id="the same name elsewhere"),
    ],
)
def test_the_source_is_no_storage(
    host: str, schema: str, fails: bool, subjects: Subjects, make_tenant: MakeTenant
) -> None:
    tenant = make_tenant(database={**HERE, "host": host}, pre_aggregations={"schema": schema})
    assert bool(subjects("storage-schema-shared", [tenant])) is fails


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


@pytest.mark.parametrize(
    ("version", "fails"),
    [
        pytest.param(None, False, id="not known: judged on the host"),
        pytest.param("9.1.0", True, id="MySQL 9"),
        pytest.param("8.4.3", False, id="MySQL 8"),
        pytest.param("11.8.3-MariaDB", False, id="MariaDB"),
    ],
)
def test_server_version(version: str | None, fails: bool, make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet()
    observed = replace(fleet, stores=(replace(fleet.stores[0], version=version),))
    assert bool(list(mysql.StorageServerWorks().planned(observed))) is fails


@pytest.mark.parametrize(
    ("given", "fails"),
    [
        pytest.param(None, False, id="derived"),
        pytest.param(45, False, id="just enough"),
        pytest.param(44, True, id="one too few"),
    ],
)
def test_max_connections(given: int | None, fails: bool, subjects: Subjects) -> None:
    expected = [("mysql_max_connections", "error")] if fails else []
    assert subjects("storage-max-connections", mysql_max_connections=given) == expected
