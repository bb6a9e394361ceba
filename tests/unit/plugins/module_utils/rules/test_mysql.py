"""Rules on the storage, planned and seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import mysql

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
STORAGE = "cubejs_tenants[acme].pre_aggregations"
NOWHERE = {"cubejs_api": ["one"], "cubejs_refresh_worker": ["one"]}
EXTERNAL = {"host": "mysql.example", "user": "u", "password": "pppppppppppppppp"}
HERE = {"type": "mysql", "host": "127.0.0.1", "name": "shop", "user": "u"}
PROJECT = observation.Project("/srv/acme", "cube.js", schema_directory="/srv/acme/schema")
NO_STORAGE = {f"CUBEJS_EXT_DB_{name}": None for name in ("TYPE", "HOST", "NAME", "USER", "PASS")}


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
    expected = [("cubejs_tenants[beta].pre_aggregations.schema", "critical")] if fails else []
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
    ("changes", "status"),
    [
        pytest.param({}, "pass", id="a storage"),
        pytest.param({"environment": NO_STORAGE, "project": PROJECT}, "not_applicable", id="none, and none wanted"),
        pytest.param(
            {"environment": NO_STORAGE, "project": replace(PROJECT, pre_aggregations=2, external=1)},
            "fail",
            id="external without a storage",
        ),
        pytest.param(
            {"environment": NO_STORAGE, "project": replace(PROJECT, pre_aggregations=2)},
            "not_applicable",
            id="internal where that is the default",
        ),
        pytest.param(
            {"environment": NO_STORAGE, "project": replace(PROJECT, pre_aggregations=2), "version": "0.31.69"},
            "fail",
            id="external where that is the default",
        ),
        pytest.param(
            {"environment": NO_STORAGE, "project": replace(PROJECT, mentions=("externalDriverFactory",))},
            "unknown",
            id="given in code",
        ),
        pytest.param(
            {"environment": NO_STORAGE, "project": replace(PROJECT, mentions=("repositoryFactory",))},
            "unknown",
            id="a schema made by code",
        ),
        pytest.param({"environment": NO_STORAGE, "project": None}, "unknown", id="no project was read"),
        pytest.param(
            {
                "environment": NO_STORAGE,
                "project": PROJECT,
                "unknown": (Unknown("process.environ", "denied", "become"),),
            },
            "unknown",
            id="no settings were read",
        ),
    ],
)
def test_seen_endpoint(changes: dict[str, Any], status: str, seeing: Any) -> None:
    (finding,) = seeing.judge("storage-endpoint", seeing.live(seeing.instance(**changes)))
    assert (finding.status, finding.host, finding.tenant) == (status, "one", "acme")


def two(seeing: Any, schema: str = "cube_beta", on: str = "two", **other: Any) -> Live:
    """Return acme on host "one", and beta on another with what its look at its storage says."""
    keys = {"environment": {"CUBEJS_PRE_AGGREGATIONS_SCHEMA": schema}, "storage": "s"}
    return seeing.live(
        seeing.instance(storage="s"),
        seeing.instance("other.service", tenant="beta", host=on, **keys),
        hosts=(
            seeing.host("one", addresses=("192.0.2.1",), mysql={"s": seeing.mysql()}),
            seeing.host(on, mysql={"s": seeing.mysql(**{"host": "mysql.example", **other})}),
        ),
    )


def source(seeing: Any, database: str, **changes: Any) -> Live:
    """Return an instance with its storage, and its source on another login."""
    found = seeing.mysql(user="reader", database=database, **changes)
    return seeing.live(
        seeing.instance(storage="s", source="d"), hosts=(seeing.host(mysql={"s": seeing.mysql(), "d": found}),)
    )


@pytest.mark.parametrize(
    ("found", "statuses"),
    [
        pytest.param(lambda seeing: seeing.storing(), ["pass"], id="its own"),
        pytest.param(two, ["pass", "pass"], id="a schema each"),
        pytest.param(
            lambda seeing: two(seeing, "cube_acme"), ["fail", "fail"], id="one schema, reached by two names and hosts"
        ),
        pytest.param(
            lambda seeing: two(seeing, "cube_acme", identity="server-two"), ["pass", "pass"], id="one name, two servers"
        ),
        pytest.param(
            lambda seeing: two(seeing, "cube_acme", identity="", reachable=False, problem="refused"),
            ["pass", "unknown"],
            id="one was not reached",
        ),
        pytest.param(lambda seeing: source(seeing, "cube_acme"), ["fail"], id="the source database"),
        pytest.param(lambda seeing: source(seeing, "shop"), ["pass"], id="beside the source database"),
        pytest.param(
            lambda seeing: source(seeing, "cube_acme", identity="x"), ["pass"], id="another server's database"
        ),
        pytest.param(lambda seeing: seeing.live(), ["unknown"], id="not looked at"),
        pytest.param(
            lambda seeing: seeing.live(seeing.instance(environment=NO_STORAGE)), ["not_applicable"], id="no storage"
        ),
        pytest.param(
            lambda seeing: seeing.storing(project=replace(PROJECT, mentions=("preAggregationsSchema",))),
            ["unknown"],
            id="a schema named in code",
        ),
    ],
)
def test_seen_shared_schema(found: Callable[..., Live], statuses: list[str], seeing: Any) -> None:
    findings = seeing.judge("storage-schema-shared", found(seeing))
    assert [finding.status for finding in findings] == statuses
    assert {finding.severity for finding in findings} == {"critical"}


def test_a_shared_schema_names_the_others(seeing: Any) -> None:
    first, second = seeing.judge("storage-schema-shared", two(seeing, "cube_acme"))
    assert "beta" in first.message
    assert "acme's too" in second.message
    # One server has one name, whoever reaches it by which.
    assert "one:3306" in first.message
    assert "one:3306" in second.message


def test_a_tenant_on_a_host_that_was_not_seen_may_share_it(seeing: Any) -> None:
    found = replace(seeing.storing(), missing={"two": "unreachable"})
    assert [each.status for each in seeing.judge("storage-schema-shared", found)] == ["unknown"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({}, "pass", id="MariaDB"),
        pytest.param({"version": "9.1.0"}, "fail", id="MySQL 9"),
        pytest.param({"variables": {}, "version": ""}, "unknown", id="not told"),
    ],
)
def test_seen_server_version(changes: dict[str, Any], status: str, seeing: Any) -> None:
    (finding,) = seeing.judge("storage-server-version", seeing.storing(seeing.mysql(**changes)))
    assert (finding.status, finding.subject, finding.tenant) == (status, "one:3306", "acme")
