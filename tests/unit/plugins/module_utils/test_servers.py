"""Role variables of Redis, MySQL and Nginx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.memory import GIBIBYTE, MEBIBYTE
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan

SPREAD = {
    "cubejs_redis": ["one"],
    "cubejs_mysql": ["two"],
    "cubejs_api": ["two", "three"],
    "cubejs_refresh_worker": ["three"],
    "cubejs_nginx": ["one"],
}


@pytest.fixture
def role(make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return a role's variables on a host."""

    def build(name: str, host: str = "one", groups: Any = None, hosts: Any = None, **keys: Any) -> dict[str, Any]:
        made = make_plan([make_tenant(**keys)], groups=groups, hosts=hosts)
        found: dict[str, Any] = made.data["hosts"][host][name]
        return found

    return build


def test_redis_beside_cube_listens_to_loopback_only(role: Callable[..., dict[str, Any]]) -> None:
    assert role("redis") == {
        "redis_memory_bytes": None,
        "redis_ca_directory": "/ca",
        "redis_instances": [
            {
                "name": "acme",
                "port": 20001,
                "bind": ["127.0.0.1"],
                "password": {"__secret__": "acme/redis_password/0"},
                "maxclients": 160,
                "maxmemory_bytes": None,
                "databases": 16,
                "tls": False,
                "tls_names": [],
                "settings": {},
            }
        ],
        "redis_other_instances": [],
        "redis_sentinel_enabled": False,
        "redis_sentinel_bind": ["127.0.0.1"],
        "redis_sentinel_port": 26379,
        "redis_sentinel_peers": [],
        "redis_sentinel_watched": [],
    }


def test_redis_elsewhere_listens_to_its_own_address_too(role: Callable[..., dict[str, Any]]) -> None:
    instance = role("redis", groups=SPREAD, redis={"tls": True, "index": 40})["redis_instances"][0]
    assert instance["bind"] == instance["tls_names"] == ["127.0.0.1", "192.0.2.1"]
    assert instance["databases"] == 41
    assert instance["maxclients"] == 3 * 30 + 100


@pytest.mark.parametrize(
    ("keys", "maxclients"),
    [
        pytest.param({"max_in_flight": 50}, 2 * 110 + 100, id="in flight"),
        pytest.param({"api_instances": 3}, 4 * 30 + 100, id="instances"),
        pytest.param({"orchestrators": 4}, 8 * 30 + 100, id="orchestrators"),
        pytest.param({"redis": {"pool_max": 0}}, 2 * 30 + 100, id="on demand"),
        pytest.param({"redis": {"pool_max": 200}}, 2 * 200 + 100, id="given pool"),
        pytest.param({"redis": {"maxclients": 5000}}, 5000, id="given"),
    ],
)
def test_maxclients(keys: dict[str, Any], maxclients: int, role: Callable[..., dict[str, Any]]) -> None:
    assert role("redis", **keys)["redis_instances"][0]["maxclients"] == maxclients


@pytest.mark.parametrize(
    ("hosts", "keys", "memory"),
    [
        pytest.param({"cubejs_host_memory_bytes": 4 * GIBIBYTE}, {}, 256 * MEBIBYTE, id="from the host"),
        pytest.param({"redis_memory_bytes": 200 * MEBIBYTE}, {}, 100 * MEBIBYTE, id="from the share"),
        pytest.param({}, {"redis": {"maxmemory_bytes": 50 * MEBIBYTE}}, 50 * MEBIBYTE, id="given"),
    ],
)
def test_redis_memory(
    hosts: dict[str, Any], keys: dict[str, Any], memory: int, role: Callable[..., dict[str, Any]]
) -> None:
    assert role("redis", hosts={"one": hosts}, **keys)["redis_instances"][0]["maxmemory_bytes"] == memory


def test_no_instance_for_what_is_external(role: Callable[..., dict[str, Any]]) -> None:
    assert role("redis", redis={"host": "redis.example"})["redis_instances"] == []
    assert role("redis", cache_and_queue_driver="memory", refresh_worker=False)["redis_instances"] == []


def test_mysql_beside_cube(role: Callable[..., dict[str, Any]]) -> None:
    assert role("mysql") == {
        "mysql_port": 3306,
        "mysql_bind_addresses": ["127.0.0.1"],
        "mysql_memory_bytes": None,
        "mysql_max_connections": 151,
        "mysql_databases": [{"name": "cube_acme"}],
        "mysql_users": [
            {
                "name": "cube_acme",
                "hosts": ["127.0.0.1"],
                "password": {"__secret__": "acme/storage_password/0"},
                "privileges": {"cube_acme": ["SELECT", "INSERT", "CREATE", "DROP", "INDEX"]},
            }
        ],
    }


def test_mysql_elsewhere_grants_to_each_client(role: Callable[..., dict[str, Any]]) -> None:
    found = role("mysql", "two", SPREAD)
    assert found["mysql_bind_addresses"] == ["127.0.0.1", "192.0.2.2"]
    assert found["mysql_users"][0]["hosts"] == ["127.0.0.1", "192.0.2.3"]


@pytest.mark.parametrize(
    ("keys", "hosts", "connections"),
    [
        pytest.param({"orchestrators": 10}, {}, 192, id="orchestrators: 2 * 82 + 25"),
        pytest.param(
            {"orchestrators": 10, "database": {"type": "mysql", "host": "one"}},
            {},
            384,
            id="with the source: 4 * 82 + 25",
        ),
        pytest.param({"orchestrators": 10, "api_instances": 3}, {}, 384, id="instances: 4 * 82 + 25"),
        pytest.param({}, {"mysql_max_connections": 500}, 500, id="given"),
    ],
)
def test_max_connections(
    keys: dict[str, Any], hosts: dict[str, Any], connections: int, role: Callable[..., dict[str, Any]]
) -> None:
    assert role("mysql", hosts={"one": hosts}, **keys)["mysql_max_connections"] == connections


def test_mysql_on_another_port(role: Callable[..., dict[str, Any]]) -> None:
    assert role("mysql", hosts={"one": {"mysql_port": 3307}})["mysql_port"] == 3307


def test_nginx_beside_cube(role: Callable[..., dict[str, Any]]) -> None:
    assert role("nginx", api_instances=2, web_sockets=True) == {
        "nginx_servers": [
            {
                "name": "acme",
                "server_name": "cube.acme.example",
                "upstreams": ["unix:/run/cubejs/acme-1/cube.sock", "unix:/run/cubejs/acme-2/cube.sock"],
                "web_sockets": True,
                "maintenance": False,
                "certificate": {"source": "own_ca"},
            }
        ],
        "nginx_other_servers": [],
    }


def test_nginx_elsewhere(role: Callable[..., dict[str, Any]]) -> None:
    certificate = {"source": "provided", "certificate_path": "tls/a.crt", "key_path": "/tls/a.key"}
    server = role("nginx", groups=SPREAD, certificate=certificate)["nginx_servers"][0]
    assert server["upstreams"] == ["192.0.2.2:10010", "192.0.2.3:10010"]
    assert server["certificate"] == {**certificate, "certificate_path": "/inventory/tls/a.crt"}


def test_an_upstream_of_ipv6_is_bracketed(role: Callable[..., dict[str, Any]]) -> None:
    server = role("nginx", groups=SPREAD, hosts={"two": {"cubejs_address": "2001:db8::2"}})["nginx_servers"][0]
    assert server["upstreams"][0] == "[2001:db8::2]:10010"


def test_tenants_share_an_instance_by_their_numbers(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    shared = {"redis": {"shared": True}}
    tenants = [make_tenant(), make_tenant("beta", 2, **shared), make_tenant("corner", 3, **shared)]
    given = {"rotation": 4, "tls": True, "settings": {"timeout": 0}}
    made = make_plan(tenants, groups=SPREAD, cubejs_shared_redis=given, hosts={"one": {"redis_memory_bytes": GIBIBYTE}})
    assert [finding.rule for finding in made.findings] == ["redis-index-shared-server"]
    own, together = made.data["hosts"]["one"]["redis"]["redis_instances"]
    assert own["name"] == "acme"
    assert together == {
        "name": "shared-by-tenants",
        "port": 20000,
        "bind": ["127.0.0.1", "192.0.2.1"],
        "password": {"__secret__": "shared-by-tenants/redis_password/4"},
        "maxclients": 2 * 3 * 30 + 100,
        "maxmemory_bytes": GIBIBYTE // 2,
        "databases": 1000,
        "tls": True,
        "tls_names": ["127.0.0.1", "192.0.2.1"],
        "settings": {"timeout": 0},
    }
    beta, corner = made.data["hosts"]["three"]["cubejs"]["cubejs_deployments"][1:]
    assert beta["settings"]["redis_url"] == "redis://192.0.2.1:20000/2"
    assert corner["settings"]["redis_url"] == "redis://192.0.2.1:20000/3"
    assert beta["settings"]["redis_password"] == corner["settings"]["redis_password"] == together["password"]
    assert beta["settings"]["redis_tls"] is True
    assert beta["ca_certificates"] == ["/ca/ca.crt"]
    assert "shared-by-tenants/redis_password/4" in made.data["fingerprints"]


def test_the_index_on_a_shared_instance_can_be_chosen_and_its_limits_given(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    limits = {"maxclients": 4000, "maxmemory_bytes": 64 * MEBIBYTE}
    made = make_plan([make_tenant(redis={"shared": True, "index": 0})], cubejs_shared_redis=limits)
    (instance,) = made.data["hosts"]["one"]["redis"]["redis_instances"]
    assert {key: instance[key] for key in limits} == limits
    assert made.data["hosts"]["one"]["cubejs"]["cubejs_deployments"][0]["settings"]["redis_url"].endswith(":20000/0")
    assert made.findings == ()


def test_a_shared_instance_with_too_little_room_is_refused_by_its_own_name(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    made = make_plan([make_tenant(redis={"shared": True})], cubejs_shared_redis={"maxclients": 50})
    assert [finding.subject for finding in made.findings] == ["cubejs_shared_redis.maxclients"]


def test_nginx_answers_for_a_suspended_tenant_itself(role: Callable[..., dict[str, Any]]) -> None:
    assert role("nginx", suspended=True)["nginx_servers"][0]["maintenance"] is True


SENTINELS = {**SPREAD, "cubejs_redis": ["one", "two"], "cubejs_redis_sentinels": ["one", "two", "three"]}


def test_a_replicated_redis_has_an_instance_a_host_and_one_first_primary(role: Callable[..., dict[str, Any]]) -> None:
    given = {"groups": SENTINELS, "redis": {"sentinel": True, "host": "two"}}
    found = {host: role("redis", host, **given) for host in ("one", "two", "three")}
    assert [len(found[host]["redis_instances"]) for host in found] == [1, 1, 0]
    for host, address in (("one", "192.0.2.1"), ("two", "192.0.2.2")):
        instance = found[host]["redis_instances"][0]
        assert instance["bind"] == [address, "127.0.0.1"]
        assert instance["replication"] == {"primary": "192.0.2.2"}
        assert instance["password"] == {"__secret__": "acme/redis_password/0"}


def test_every_sentinel_watches_every_replicated_redis(role: Callable[..., dict[str, Any]]) -> None:
    for host, address in (("one", "192.0.2.1"), ("three", "192.0.2.3")):
        found = role("redis", host, groups=SENTINELS, redis={"sentinel": True, "host": "two"})
        assert found["redis_sentinel_enabled"]
        assert found["redis_sentinel_bind"] == [address, "127.0.0.1"]
        assert found["redis_sentinel_peers"] == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        assert found["redis_sentinel_watched"] == [
            {
                "name": "acme",
                "hosts": ["192.0.2.2", "192.0.2.1"],
                "port": 20001,
                "password": {"__secret__": "acme/redis_password/0"},
                "quorum": 2,
            }
        ]
    assert role("redis", "three", groups=SENTINELS)["redis_sentinel_watched"] == []
