"""What a specification cannot say, said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import checks


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param("../shop", "/shop", id="relative to the inventory"),
        pytest.param("/srv/shop", "/srv/shop", id="absolute"),
        pytest.param("~/shop", "/home/me/shop", id="home"),
    ],
)
def test_paths(path: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    definition = {"project": {"path": path, "git": None}, "redis": {"ca": None}, "database": {"ca": path}}
    assert checks.absolute(definition, "/inventory") == {
        "project": {"path": found, "git": None},
        "redis": {"ca": None},
        "database": {"ca": found},
    }
    assert definition["project"]["path"] == path


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        pytest.param({}, [], id="all is right"),
        pytest.param({"max_in_flight": 0}, [("value-range", "t.max_in_flight")], id="too low"),
        pytest.param({"redis": {"port": 65536}}, [("value-range", "t.redis.port")], id="port too high"),
        pytest.param(
            {"pre_aggregations": {"max_age_seconds": 30}},
            [("value-range", "t.pre_aggregations.max_age_seconds")],
            id="an age that nothing keeps",
        ),
        pytest.param({"rotation": {"api": -1}}, [("value-range", "t.rotation.api")], id="negative"),
        pytest.param({"graceful_shutdown_seconds": 1}, [], id="lowest"),
        pytest.param({"project": {}}, [("project-source", "t.project")], id="no source"),
        pytest.param({"project": {"path": "/p", "git": "g"}}, [("project-source", "t.project")], id="two sources"),
        pytest.param({"project": {"git": "g"}}, [("project-source", "t.project")], id="git without a version"),
        pytest.param({"project": {"git": "g", "version": "v1"}}, [], id="git"),
        pytest.param({"project": {"path": "/missing"}}, [("path-exists", "t.project.path")], id="no such folder"),
        pytest.param({"database": {"ca": "/missing"}}, [("path-exists", "t.database.ca")], id="no such CA"),
        pytest.param(
            {"certificate": {"source": "provided"}},
            [("value-required", "t.certificate.certificate_path"), ("value-required", "t.certificate.key_path")],
            id="certificate without files",
        ),
        pytest.param({"certificate": {"source": "own_ca"}}, [], id="own CA"),
        pytest.param({"redis": {"shared": True, "index": 999, "port": 6379}}, [], id="an index of the shared Redis"),
        pytest.param(
            {"redis": {"shared": True, "index": 1000, "password": "x"}, "rotation": {"redis": 1}},
            [
                ("value-range", "t.redis.index"),
                ("redis-shared-key", "t.redis.password"),
                ("redis-shared-key", "t.rotation.redis"),
            ],
            id="what is the shared Redis' own",
        ),
        pytest.param({"environment": ["A=1"]}, [("value-type", "t.environment")], id="environment of lines"),
        pytest.param({"environment": {"A": 1}}, [("value-type", "t.environment.A")], id="number in the environment"),
    ],
)
def test_checks(keys: dict[str, Any], found: list[tuple[str, str]], make_tenant: Callable[..., dict[str, Any]]) -> None:
    findings = checks.check(make_tenant(**keys), "t", lambda path: path != "/missing")
    assert [(finding.rule, finding.subject) for finding in findings] == found


def test_values_of_the_environment_are_masked() -> None:
    findings = list(checks.check({"environment": {"A": ["MARKED"]}}, "t", lambda _path: True))
    assert "MARKED" not in findings[0].text()


def test_every_range_and_path_is_specified(spec: dict[str, Any]) -> None:
    for key in (*checks.RANGES, *checks.PATHS):
        options: Any = spec["cubejs_tenants"]["options"]
        for part in key.split("."):
            option = options[part]
            options = option.get("options")
        assert option["type"] == ("path" if key in checks.PATHS else "int"), key


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param("7.0", [], id="right"),
        pytest.param("8.10", [], id="two digits"),
        pytest.param(None, [], id="the distribution's"),
        pytest.param(7.0, ["version-series"], id="a float"),
        pytest.param(7, ["version-series"], id="a number"),
        pytest.param("7", ["version-series"], id="major only"),
        pytest.param("7.0.15", ["version-series"], id="in full"),
        pytest.param("7.0*", ["version-series"], id="a pattern"),
    ],
)
def test_a_series_of_versions(value: Any, found: list[str]) -> None:
    assert [finding.rule for finding in checks.check_host({"redis_version": value, "other": 1})] == found


@pytest.mark.parametrize(
    ("settings", "subjects"),
    [
        pytest.param({"rotation": 1, "maxclients": 1}, [], id="right"),
        pytest.param({"rotation": -1, "maxclients": 0}, ["rotation", "maxclients"], id="too low"),
        pytest.param({"maxmemory_bytes": 5}, ["maxmemory_bytes"], id="bytes meant as something else"),
    ],
)
def test_the_shared_redis(settings: dict[str, int], subjects: list[str]) -> None:
    found = [finding.subject for finding in checks.check_host({"cubejs_shared_redis": settings})]
    assert found == [f"cubejs_shared_redis.{key}" for key in subjects]


def test_further_clients_of_the_firewall() -> None:
    given = {"firewall_clients": {"redis": ["192.0.2.7", "monitor.example"], "mysql": ["192.0.2.1/24"], "sentinel": []}}
    found = [(finding.rule, finding.subject) for finding in checks.check_host(given)]
    assert found == [
        ("client-address", "firewall_clients.redis[1]"),
        ("client-address", "firewall_clients.mysql[0]"),
    ]
    assert not list(checks.check_host({"firewall_clients": None}))
