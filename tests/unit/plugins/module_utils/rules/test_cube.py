"""Rules on Cube.js: pass and fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.memory import MEBIBYTE

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("version", "fails"),
    [
        pytest.param("0.29.57", False, id="default"),
        pytest.param(0.29, True, id="float"),
        pytest.param("0.29", True, id="two numbers"),
        pytest.param("0.36.0", True, id="without redis"),
        pytest.param("0.18.0", True, id="too old"),
    ],
)
def test_versions(version: Any, fails: bool, subjects: Subjects, make_tenant: MakeTenant) -> None:
    own = [("cubejs_tenants[acme].version", "error")] if fails else []
    everybodys = [("cubejs_version", "error")] if fails else []
    assert subjects("version-works", [make_tenant(version=version)]) == own
    # Told once, however many tenants inherit it.
    assert subjects("version-works", [make_tenant(), make_tenant("beta", 2)], cubejs_version=version) == everybodys


def test_hosts_of_a_tenant_agree_on_its_version(subjects: Subjects) -> None:
    groups = {"cubejs_api": ["one", "two"], "cubejs_refresh_worker": ["one"]}
    hosts = {"two": {"cubejs_version": "0.28.67"}}
    assert subjects("version-works", groups=groups, hosts=hosts) == [("cubejs_version", "error")]


@pytest.mark.parametrize(
    ("version", "worker", "fails"),
    [
        pytest.param("0.19.39", True, True, id="no flag"),
        pytest.param("0.19.40", True, False, id="first with the flag"),
        pytest.param("0.19.39", False, False, id="no worker"),
    ],
)
def test_refresh_worker(version: str, worker: bool, fails: bool, subjects: Subjects, make_tenant: MakeTenant) -> None:
    tenant = make_tenant(version=version, refresh_worker=worker)
    assert bool(subjects("refresh-worker-version", [tenant])) is fails


@pytest.mark.parametrize(
    ("name", "version", "severity"),
    [
        pytest.param("CUBEJS_JWT_AUDIENCE", "0.29.57", None, id="the tenant's to set"),
        pytest.param("CUBEJS_DB_BQ_PROJECT_ID", "0.29.57", None, id="a driver's own"),
        pytest.param("MY_OWN", "0.29.57", None, id="the project's own"),
        pytest.param("CUBEJS_DEV_MODE", "0.29.57", "error", id="opens everything"),
        pytest.param("CUBEJS_DB_SOCKET_PATH", "0.29.57", "error", id="leaks into the storage"),
        pytest.param("CUBEJS_SCHEDULED_REFRESH", "0.29.57", "error", id="contradicts the flag"),
        pytest.param("NODE_ENV", "0.29.57", "error", id="the role's"),
        pytest.param("CUBEJS_SCHEDULED_REFRESH_TIMER", "0.29.57", "error", id="the role's in another version"),
        pytest.param("CUBEJS_REDIS_URL", "0.20.10", "error", id="the role's in a later version"),
        pytest.param("1BAD", "0.29.57", "error", id="no name"),
        pytest.param("CUBEJS_CONCURRENCY", "0.29.57", "warning", id="not read yet"),
        pytest.param("CUBEJS_JWT_AUDIENCES", "0.29.57", "warning", id="misspelt"),
    ],
)
def test_own_variables(
    name: str, version: str, severity: str | None, subjects: Subjects, make_tenant: MakeTenant
) -> None:
    tenant = make_tenant(version=version, environment={name: "MARKED"})
    expected = [(f"cubejs_tenants[acme].environment.{name}", severity)] if severity else []
    assert subjects("environment-free", [tenant]) == expected


@pytest.mark.parametrize(
    ("database", "found"),
    [
        pytest.param({"type": "postgres", "host": "h", "name": "n", "user": "u"}, [], id="known"),
        pytest.param({"type": "mysqll"}, ["type"], id="unknown"),
        pytest.param({"type": "postgres", "host": "h"}, ["name", "user"], id="not all of it"),
        pytest.param({"type": "bigquery"}, [], id="without a host"),
    ],
)
def test_databases(database: dict[str, str], found: list[str], subjects: Subjects, make_tenant: MakeTenant) -> None:
    expected = [(f"cubejs_tenants[acme].database.{key}", "error") for key in found]
    assert subjects("database-type", [make_tenant(database=database)]) == expected


@pytest.mark.parametrize(
    ("memory", "fails"),
    [
        pytest.param({}, False, id="not known"),
        pytest.param({"cubejs_memory_bytes": 320 * MEBIBYTE}, False, id="just enough for two"),
        pytest.param({"cubejs_memory_bytes": 319 * MEBIBYTE}, True, id="too little for two"),
        pytest.param({"cubejs_host_memory_bytes": 600 * MEBIBYTE}, True, id="too little after the others' shares"),
    ],
)
def test_memory(memory: dict[str, int], fails: bool, subjects: Subjects) -> None:
    expected = [("cubejs_host_memory_bytes", "error")] if fails else []
    assert subjects("memory-suffices", hosts={"one": memory}) == expected
