"""Definitions turned into tenants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets, tenants
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import Inventory

GROUPS = {
    "cubejs_redis": ["one", "two"],
    "cubejs_mysql": ["three"],
    "cubejs_api": ["one", "two"],
    "cubejs_refresh_worker": ["one", "two"],
    "west": ["two"],
}
EXTERNAL = {"host": "mysql.example", "user": "u", "password": "p"}


@pytest.fixture
def read(make_inventory: Callable[..., Inventory], make_tenant: Callable[..., dict[str, Any]]) -> Callable[..., Tenant]:
    def reader(
        groups: dict[str, list[str]] | None = None, variables: dict[str, Any] | None = None, **keys: Any
    ) -> Tenant:
        inventory = make_inventory([], groups=GROUPS if groups is None else groups, hosts=variables)
        return tenants.Reader(inventory, secrets.Vault({}, None), b"key").tenant(make_tenant(**keys), "t")

    return reader


def test_without_more_words_everything_is_ours(read: Callable[..., Tenant]) -> None:
    tenant = read()
    assert tenant.api_hosts == ("one", "two")
    assert tenant.worker_host in ("one", "two")
    assert tenant.redis
    assert tenant.redis.server in ("one", "two")
    assert (tenant.redis.port, tenant.redis.index, tenant.redis.pool_max) == (20001, 0, 30)
    assert tenant.storage
    assert (tenant.storage.server, tenant.storage.port) == ("three", 3306)
    assert (tenant.storage.schema, tenant.storage.user) == ("cube_acme", "cube_acme")
    assert tenant.missing == ()


@pytest.mark.parametrize(
    ("hosts", "api", "redis"),
    [
        pytest.param(["west"], ("two",), "two", id="group"),
        pytest.param(["one"], ("one",), "one", id="host"),
        pytest.param(["three"], (), None, id="a host of another group"),
    ],
)
def test_a_tenant_bound_to_hosts(
    hosts: list[str], api: tuple[str, ...], redis: str | None, read: Callable[..., Tenant]
) -> None:
    tenant = read(hosts=hosts)
    assert tenant.api_hosts == api
    assert tenant.worker_host == (api[0] if api else "")
    assert tenant.redis
    assert redis in (None, tenant.redis.server)


def test_a_tenant_without_a_worker(read: Callable[..., Tenant]) -> None:
    assert read(refresh_worker=False).worker_host == ""


@pytest.mark.parametrize(
    ("redis", "link"),
    [
        pytest.param({"host": "two"}, ("two", "", 20001), id="a host of ours"),
        pytest.param({"host": "redis.example"}, ("", "redis.example", 6379), id="external"),
        pytest.param({"host": "redis.example", "port": 7000}, ("", "redis.example", 7000), id="external port"),
        pytest.param({"url": "rediss://h:7001/2"}, ("", "h", 7001), id="url"),
    ],
)
def test_where_redis_is(redis: dict[str, Any], link: tuple[str, str, int], read: Callable[..., Tenant]) -> None:
    found = read(redis=redis).redis
    assert found
    assert (found.server, found.host, found.port) == link


def test_a_url_says_index_and_tls_too(read: Callable[..., Tenant]) -> None:
    found = read(redis={"url": "rediss://h:7001/2"}).redis
    assert found
    assert (found.index, found.tls, found.by_url) == (2, True, True)


@pytest.mark.parametrize(
    ("redis", "problem"),
    [
        pytest.param({"url": "nonsense"}, "no scheme", id="unreadable"),
        pytest.param({"url": "redis://:a@h", "password": "b"}, "redis.password is set too", id="two passwords"),
    ],
)
def test_urls_with_problems(redis: dict[str, Any], problem: str, read: Callable[..., Tenant]) -> None:
    tenant = read(redis=redis)
    assert tenant.redis
    assert [problem in found.message for found in tenant.redis.problems] == [True]
    assert "redis.host" not in tenant.missing


@pytest.mark.parametrize(
    ("keys", "groups", "missing"),
    [
        pytest.param({}, {"cubejs_api": ["one"]}, ("redis.host", "pre_aggregations.host"), id="neither server"),
        pytest.param(
            {"cache_and_queue_driver": "memory", "pre_aggregations": {"enabled": False}}, {}, (), id="neither wanted"
        ),
        pytest.param({"redis": {"host": "h"}, "pre_aggregations": EXTERNAL}, {}, (), id="both external"),
        pytest.param(
            {"redis": {"host": "h"}, "pre_aggregations": {"host": "m"}},
            {},
            ("pre_aggregations.user", "pre_aggregations.password"),
            id="external storage without a login",
        ),
        pytest.param(
            {"database": {"type": "postgres"}}, None, ("database.host", "database.name", "database.user"), id="source"
        ),
        pytest.param({"database": {"type": "bigquery"}}, None, (), id="source without a host"),
    ],
)
def test_what_is_missing(
    keys: dict[str, Any], groups: dict[str, list[str]] | None, missing: tuple[str, ...], read: Callable[..., Tenant]
) -> None:
    assert read(groups, **keys).missing == missing


@pytest.mark.parametrize(
    ("version", "schema"),
    [
        pytest.param("0.25.3", "stb_pre_aggregations", id="fixed by the version"),
        pytest.param("0.25.4", "cube_acme", id="named from here on"),
        pytest.param("nonsense", "cube_acme", id="a version that is refused anyway"),
    ],
)
def test_schema_by_version(version: str, schema: str, read: Callable[..., Tenant]) -> None:
    storage = read(version=version).storage
    assert storage
    assert storage.schema == schema


@pytest.mark.parametrize(
    ("own", "of_hosts", "versions", "subject"),
    [
        pytest.param("0.28.67", {}, ("0.28.67",), "t.version", id="its own"),
        pytest.param(None, {}, ("0.29.57",), "cubejs_version", id="default"),
        pytest.param(None, {"one": "0.31.69", "two": "0.31.69"}, ("0.31.69",), "cubejs_version", id="its hosts'"),
        pytest.param(None, {"one": "0.31.69"}, ("0.31.69", "0.29.57"), "cubejs_version", id="hosts that disagree"),
        pytest.param(0.29, {}, ("0.29 (a float)",), "t.version", id="float"),
    ],
)
def test_versions(
    own: Any, of_hosts: dict[str, str], versions: tuple[str, ...], subject: str, read: Callable[..., Tenant]
) -> None:
    variables = {host: {"cubejs_version": version} for host, version in of_hosts.items()}
    tenant = read(variables=variables, version=own)
    assert set(tenant.versions) == set(versions)
    assert tenant.version_subject == subject


def test_secrets_are_known_by_purpose(read: Callable[..., Tenant]) -> None:
    tenant = read(redis={"host": "redis.example", "password": "short"}, environment={"CUBEJS_JWT_KEY": "k"})
    known = {secret.purpose: (secret.given, secret.ours, bool(secret.problems)) for secret in tenant.secrets}
    assert known == {
        "api_secret": (False, True, False),
        "redis_password": (True, False, True),
        "storage_password": (False, True, False),
        "database_password": (True, False, False),
        "environment:CUBEJS_JWT_KEY": (True, False, False),
    }


def test_a_broken_definition_is_read_as_far_as_it_goes(make_inventory: Callable[..., Inventory]) -> None:
    reader = tenants.Reader(make_inventory([]), secrets.Vault({}, None), b"key")
    tenant = reader.tenant({}, "t")
    assert (tenant.name, tenant.number, tenant.database.type) == ("", None, "")


@pytest.mark.parametrize(
    ("database", "storage", "same"),
    [
        pytest.param({"type": "mysql", "host": "three"}, {}, True, id="by name"),
        pytest.param({"type": "mysql", "host": "192.0.2.3"}, {}, True, id="by address"),
        pytest.param({"type": "mysql", "host": "192.0.2.3", "port": 3307}, {}, False, id="another port"),
        pytest.param({"type": "postgres", "host": "three"}, {}, False, id="another kind"),
        pytest.param({"type": "mysql", "host": "127.0.0.1"}, {}, False, id="loopback of another host"),
        pytest.param({"type": "mysql", "host": "Mysql.example"}, EXTERNAL, True, id="external"),
        pytest.param({"type": "mysql", "host": "other.example"}, EXTERNAL, False, id="two external"),
    ],
)
def test_on_source_server(
    database: dict[str, Any], storage: dict[str, Any], same: bool, read: Callable[..., Tenant]
) -> None:
    assert tenants.on_source_server(read(database=database, pre_aggregations=storage), "192.0.2.3") is same


def test_loopback_is_the_same_server_where_cube_is_beside_it(read: Callable[..., Tenant]) -> None:
    groups = {"cubejs_mysql": ["one"], "cubejs_api": ["one"]}
    tenant = read(groups, database={"type": "mysql", "host": "localhost"})
    assert tenants.on_source_server(tenant, "192.0.2.1")
