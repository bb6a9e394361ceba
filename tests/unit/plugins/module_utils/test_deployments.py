"""What runs on a host, by version and by where the servers are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import deployments, environment, secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import Inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.memory import GIBIBYTE
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import MASTER

TWO = {
    "cubejs_redis": ["one"],
    "cubejs_mysql": ["one"],
    "cubejs_api": ["one", "two"],
    "cubejs_refresh_worker": ["one"],
    "cubejs_nginx": ["one"],
}


@pytest.fixture
def deployment(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    """Return the deployment of one tenant on a host."""

    def build(host: str = "one", groups: Any = None, hosts: Any = None, **keys: Any) -> dict[str, Any]:
        made = make_plan([make_tenant(**keys)], groups=groups, hosts=hosts)
        found: dict[str, Any] = made.data["hosts"][host]["cubejs"]["cubejs_deployments"][0]
        return found

    return build


def variables(deployment: dict[str, Any], index: int = 0, **keys: Any) -> dict[str, str]:
    """Return the environment of an instance, secrets revealed."""
    definition = {"name": "acme", "database": {"password": "pw"}, **keys}
    revealed = secrets.Vault.of([definition], MASTER).reveal(deployment)
    return environment.of_instance(revealed, revealed["instances"][index])


def test_the_environment_of_the_default_version(deployment: Callable[..., dict[str, Any]]) -> None:
    found = variables(deployment())
    derived = {name: found.pop(name) for name in ("CUBEJS_API_SECRET", "CUBEJS_REDIS_PASSWORD", "CUBEJS_EXT_DB_PASS")}
    assert len(set(derived.values())) == 3
    assert found == {
        "CUBEJS_CACHE_AND_QUEUE_DRIVER": "redis",
        "CUBEJS_DB_HOST": "db.example",
        "CUBEJS_DB_MAX_POOL": "8",
        "CUBEJS_DB_NAME": "shop",
        "CUBEJS_DB_PASS": "pw",
        "CUBEJS_DB_TYPE": "mysql",
        "CUBEJS_DB_USER": "reader",
        "CUBEJS_EXT_DB_HOST": "127.0.0.1",
        "CUBEJS_EXT_DB_NAME": "cube_acme",
        "CUBEJS_EXT_DB_PORT": "3306",
        "CUBEJS_EXT_DB_TYPE": "mysql",
        "CUBEJS_EXT_DB_USER": "cube_acme",
        "CUBEJS_GRACEFUL_SHUTDOWN": "20",
        "CUBEJS_LOG_LEVEL": "warn",
        "CUBEJS_PRE_AGGREGATIONS_SCHEMA": "cube_acme",
        "CUBEJS_REDIS_POOL_MAX": "30",
        "CUBEJS_REDIS_POOL_MIN": "2",
        "CUBEJS_REDIS_TLS": "false",
        "CUBEJS_REDIS_URL": "redis://127.0.0.1:20001/0",
        "CUBEJS_REFRESH_WORKER": "false",
        "CUBEJS_TELEMETRY": "false",
        "CUBEJS_WEB_SOCKETS": "false",
        "NODE_ENV": "production",
        "PORT": "/run/cubejs/acme-1/cube.sock",
    }


def test_the_environment_of_an_old_version(deployment: Callable[..., dict[str, Any]]) -> None:
    found = variables(deployment(version="0.20.10"))
    assert {"REDIS_URL", "REDIS_PASSWORD", "REDIS_TLS"} <= set(found)
    assert found["CUBEJS_EXT_DB_NAME"] == "stb_pre_aggregations"
    assert not set(found) & {
        "CUBEJS_GRACEFUL_SHUTDOWN",
        "CUBEJS_PRE_AGGREGATIONS_SCHEMA",
        "CUBEJS_REDIS_URL",
        "CUBEJS_REFRESH_WORKER",
        "CUBEJS_SCHEDULED_REFRESH_TIMER",
    }
    worker = variables(deployment(version="0.20.10"), 1)
    assert worker["CUBEJS_SCHEDULED_REFRESH_TIMER"] == "true"


def test_the_storage_is_given_whole_or_not_at_all(deployment: Callable[..., dict[str, Any]]) -> None:
    """Any of these variables without the type selects Cube Store."""
    found = variables(deployment(pre_aggregations={"enabled": False}))
    assert not [name for name in found if name.startswith(("CUBEJS_EXT_DB_", "CUBEJS_PRE_AGG"))]


def test_no_redis_at_all_with_the_memory_driver(deployment: Callable[..., dict[str, Any]]) -> None:
    found = variables(deployment(cache_and_queue_driver="memory", refresh_worker=False))
    assert found["CUBEJS_CACHE_AND_QUEUE_DRIVER"] == "memory"
    assert not [name for name in found if "REDIS" in name]


@pytest.mark.parametrize(
    ("host", "address"),
    [pytest.param("one", "127.0.0.1", id="beside it"), pytest.param("two", "192.0.2.1", id="elsewhere")],
)
def test_servers_are_reached_from_each_host(host: str, address: str, deployment: Callable[..., dict[str, Any]]) -> None:
    settings = deployment(host, TWO)["settings"]
    assert settings["redis_url"] == f"redis://{address}:20001/0"
    assert settings["storage_host"] == address


def test_external_servers(deployment: Callable[..., dict[str, Any]]) -> None:
    settings = deployment(
        redis={"host": "redis.example", "index": 2, "tls": True, "ca": "ca/redis.pem"},
        pre_aggregations={"host": "mysql.example", "port": 3307, "user": "u", "password": "p", "schema": "s"},
    )["settings"]
    assert settings["redis_url"] == "redis://redis.example:6379/2"
    assert "redis_password" not in settings
    assert settings["redis_tls"] is True
    assert settings["extra_ca_certificates"] == "/opt/cubejs/tenants/acme/current/ca.crt"
    assert (settings["storage_host"], settings["storage_port"], settings["storage_name"]) == (
        "mysql.example",
        3307,
        "s",
    )
    assert settings["storage_password"] == {"__secret__": "acme/storage_password/0"}


def test_a_url_is_passed_on_as_a_secret(deployment: Callable[..., dict[str, Any]]) -> None:
    made = deployment(redis={"url": "redis://:MARKED@h:7000/3"})
    assert made["settings"]["redis_url"] == {"__secret__": "acme/redis_url/0"}
    assert "MARKED" not in repr(made)
    found = variables(made, redis={"url": "redis://:MARKED@h:7000/3"})
    assert found["CUBEJS_REDIS_URL"] == "redis://:MARKED@h:7000/3"


def test_tls_to_redis_of_ours_trusts_our_own_ca(deployment: Callable[..., dict[str, Any]]) -> None:
    assert deployment(redis={"tls": True})["ca_certificates"] == ["/ca/ca.crt"]
    elsewhere = {"one": {"redis_ca_directory": "/other"}}
    assert deployment(hosts=elsewhere, redis={"tls": True})["ca_certificates"] == ["/other/ca.crt"]
    assert deployment()["ca_certificates"] == []


def test_tls_to_the_source(deployment: Callable[..., dict[str, Any]]) -> None:
    source = {"type": "mysql", "host": "h", "name": "n", "user": "u", "ca": "/ca.pem", "ssl": True}
    made = deployment(database=source)
    assert (made["settings"]["database_ssl"], made["settings"]["database_ssl_reject_unauthorized"]) == (True, True)
    assert made["ca_certificates"] == ["/ca.pem"]
    assert "database_ssl" not in deployment()["settings"]


@pytest.mark.parametrize(
    ("keys", "version", "builder"),
    [
        pytest.param({"refresh_worker": False}, "0.31.69", True, id="no worker: the API must build"),
        pytest.param({}, "0.31.69", None, id="the worker builds"),
        pytest.param({"refresh_worker": False}, "0.29.57", None, id="older ones build anyway"),
        pytest.param(
            {"refresh_worker": False, "pre_aggregations": {"enabled": False}}, "0.31.69", None, id="no storage"
        ),
    ],
)
def test_who_builds(
    keys: dict[str, Any], version: str, builder: bool | None, deployment: Callable[..., dict[str, Any]]
) -> None:
    settings = deployment(version=version, **keys)["instances"][0]["settings"]
    assert settings.get("pre_aggregations_builder") is builder


def test_what_a_deployment_says_besides(deployment: Callable[..., dict[str, Any]]) -> None:
    made = deployment(environment={"CUBEJS_JWT_KEY": "MARKED"}, database={"type": "postgres"}, version="0.31.69")
    assert made["drivers"] == ["@cubejs-backend/postgres-driver", "@cubejs-backend/mysql-driver"]
    assert made["environment"] == {"CUBEJS_JWT_KEY": {"__secret__": "acme/environment:CUBEJS_JWT_KEY/0"}}
    assert (made["user"], made["number"], made["version"]) == ("cube-acme", 1, "0.31.69")
    assert made["project"]["path"] == "/inventory/projects/acme"
    assert made["install_scripts"] is False
    assert deployment(version="0.33.7")["install_scripts"] is True
    assert deployment(hosts={"one": {"cubejs_install_scripts": True}})["install_scripts"] is True


def test_what_a_tenant_asks_of_cube(deployment: Callable[..., dict[str, Any]]) -> None:
    found = variables(deployment(time_zones=["UTC", "Asia/Tokyo"], web_sockets=True, log_level="info"))
    assert found["CUBEJS_SCHEDULED_REFRESH_TIMEZONES"] == "UTC,Asia/Tokyo"
    assert (found["CUBEJS_WEB_SOCKETS"], found["CUBEJS_LOG_LEVEL"]) == ("true", "info")


def test_health_and_start(deployment: Callable[..., dict[str, Any]]) -> None:
    assert deployment()["health"] == {"claims": {}, "steady_seconds": 3}
    assert deployment(health_claims={"role": "probe"})["health"]["claims"] == {"role": "probe"}
    assert deployment()["start"]["own_index"] is False
    assert deployment(version="0.20.10")["start"]["own_index"] is True


@pytest.mark.parametrize(
    ("keys", "groups", "hosts", "listen"),
    [
        pytest.param({}, None, {}, ["socket", "socket"], id="one host: sockets"),
        pytest.param({}, TWO, {}, ["tcp", "socket"], id="a proxy elsewhere: tcp; nobody proxies to a worker"),
        pytest.param({"listen": "tcp"}, None, {}, ["tcp", "socket"], id="the tenant's own word"),
        pytest.param({}, None, {"one": {"cubejs_listen": "tcp"}}, ["tcp", "socket"], id="the host's word"),
    ],
)
def test_how_instances_listen(
    keys: dict[str, Any], groups: Any, hosts: Any, listen: list[str], deployment: Callable[..., dict[str, Any]]
) -> None:
    host = "two" if groups else "one"
    made = deployment(host, groups, hosts, **keys)
    assert [instance["listen"] for instance in made["instances"]] == listen[: len(made["instances"])]
    api = made["instances"][0]
    assert api["settings"]["port"] == (10010 if api["listen"] == "tcp" else "/run/cubejs/acme-1/cube.sock")


def test_instances_restart_apart_and_stop_after_their_grace(deployment: Callable[..., dict[str, Any]]) -> None:
    made = deployment(api_instances=4, graceful_shutdown_seconds=60)
    assert len({instance["restart_seconds"] for instance in made["instances"]}) == 5
    assert {instance["stop_seconds"] for instance in made["instances"]} == {65}
    assert deployment(version="0.20.10")["instances"][0]["stop_seconds"] == 10


def test_memory_is_worked_out_where_it_is_known(deployment: Callable[..., dict[str, Any]]) -> None:
    assert deployment()["instances"][0]["memory_bytes"] is None
    known = deployment(hosts={"one": {"cubejs_memory_bytes": 2 * GIBIBYTE}}, api_memory_bytes=GIBIBYTE)["instances"]
    assert [instance["memory_bytes"] for instance in known] == [GIBIBYTE, 2 * GIBIBYTE * 60 // 100]
    assert [instance["heap_mb"] for instance in known] == [768, 921]


def test_products_and_cubes_share_of_a_host(make_inventory: Callable[..., Inventory]) -> None:
    inventory = make_inventory([], groups=TWO, hosts={"two": {"cubejs_host_memory_bytes": 10 * GIBIBYTE}})
    assert deployments.products(inventory, "one") == {"redis", "mysql", "cubejs"}
    assert deployments.products(inventory, "two") == {"cubejs"}
    assert deployments.cube_share(inventory, "one") is None
    assert deployments.cube_share(inventory, "two") == 9 * GIBIBYTE


WITH_SENTINELS = {
    "cubejs_redis": ["one", "two"],
    "cubejs_redis_sentinels": ["one", "two", "three"],
    "cubejs_api": ["one", "two", "four"],
    "cubejs_mysql": ["three"],
    "cubejs_refresh_worker": ["three"],
}


def test_the_environment_names_sentinels_and_ioredis(deployment: Callable[..., dict[str, Any]]) -> None:
    for version, name in (("0.29.57", "CUBEJS_REDIS_URL"), ("0.26.103", "REDIS_URL")):
        found = variables(deployment("one", WITH_SENTINELS, redis={"sentinel": True}, version=version))
        assert found[name] == "redis+sentinel://192.0.2.1:26379,192.0.2.2:26379,192.0.2.3:26379/acme/0"
        assert found["CUBEJS_REDIS_USE_IOREDIS"] == "true"
        assert found["CUBEJS_REDIS_PASSWORD" if name.startswith("CUBEJS") else "REDIS_PASSWORD"]


@pytest.mark.parametrize(
    ("host", "order"), [("one", [1, 2, 3]), ("two", [2, 1, 3]), ("three", [3, 1, 2]), ("four", [1, 2, 3])]
)
def test_the_sentinel_of_its_own_host_is_asked_first(
    deployment: Callable[..., dict[str, Any]], host: str, order: list[int]
) -> None:
    found = variables(deployment(host, WITH_SENTINELS, redis={"sentinel": True}))["CUBEJS_REDIS_URL"]
    assert found == f"redis+sentinel://{','.join(f'192.0.2.{each}:26379' for each in order)}/acme/0"
