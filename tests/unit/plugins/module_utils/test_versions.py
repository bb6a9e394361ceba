"""What is known by version."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import versions


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(0.29, "is a float", id="float"),
        pytest.param(29, "is a int", id="int"),
        pytest.param(None, "is a NoneType", id="nothing"),
        pytest.param("0.29", "no full version", id="two numbers"),
        pytest.param("latest", "no full version", id="a tag"),
        pytest.param("^0.29.57", "no full version", id="a range"),
        pytest.param("0.29.57-beta", "no full version", id="a suffix"),
        pytest.param("0.29.57\n", "no full version", id="a line break"),
        pytest.param("0.29.\u0665\u0667", "no full version", id="other digits"),
    ],
)
def test_what_is_no_version_is_refused(value: object, reason: str) -> None:
    with pytest.raises(versions.VersionError, match=reason):
        versions.parse(value)
    assert '"0.29.57"' in str(versions.problem(value))


def test_versions_compare_as_numbers() -> None:
    assert versions.parse("0.9.10") < versions.parse("0.10.9")
    assert str(versions.parse("0.29.57")) == "0.29.57"


@pytest.mark.parametrize(
    ("version", "spec", "inside"),
    [
        pytest.param("0.27.0", ">=0.27", True, id="bound included"),
        pytest.param("0.26.999", ">=0.27", False, id="just below"),
        pytest.param("0.36.0", "<0.36", False, id="bound excluded"),
        pytest.param("0.27.46", ">=0.19.40,<0.27.46", False, id="both bounds"),
        pytest.param("0.27.1", "<=0.27.1", True, id="at most"),
        pytest.param("0.27.1", ">0.27.1", False, id="more than"),
        pytest.param("0.1.0", "", True, id="no bound"),
    ],
)
def test_ranges(version: str, spec: str, inside: bool) -> None:
    assert versions.within(version, spec) is inside


def test_a_misspelt_range_is_an_error() -> None:
    with pytest.raises(versions.VersionError, match="no bound"):
        versions.within("0.29.57", "=0.29")


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        pytest.param("0.19.0", None, id="oldest"),
        pytest.param("0.29.57", None, id="default"),
        pytest.param("0.35.81", None, id="newest"),
        pytest.param("0.18.37", "older than 0.19", id="too old"),
        pytest.param("0.36.0", "Redis", id="without redis"),
        pytest.param("1.3.0", "Cube Store", id="of today"),
    ],
)
def test_what_can_be_deployed(version: str, reason: str | None) -> None:
    problem = versions.problem(version)
    assert (problem is None) is (reason is None)
    if reason:
        assert reason in str(problem)


@pytest.mark.parametrize(
    ("version", "node", "works"),
    [
        pytest.param("0.20.10", "8.11.1", True, id="0.20 on 8"),
        pytest.param("0.20.10", "8.11.0", False, id="0.20 just below"),
        pytest.param("0.27.53", "10.8.0", True, id="0.27 on 10"),
        pytest.param("0.27.53", "8.17.0", False, id="0.27 on 8"),
        pytest.param("0.29.57", "v20.20.2", True, id="0.29 on 20, as node prints it"),
        pytest.param("0.29.57", "13.1.0", False, id="0.29 on 13"),
        pytest.param("0.29.57", "15.0.0", False, id="0.29 on 15"),
        pytest.param("0.29.57", "12.22.12", True, id="0.29 on 12"),
        pytest.param("0.32.9", "12.22.12", False, id="0.32 on 12"),
        pytest.param("0.35.81", "18.19.0", True, id="0.35 on 18"),
    ],
)
def test_node(version: str, node: str, works: bool) -> None:
    problem = versions.node_problem(version, node)
    assert (problem is None) is works
    assert works or node.lstrip("v") in str(problem)


def test_every_supported_version_has_one_engine() -> None:
    for minor in range(19, 36):
        matching = [row for row in versions.NODE_ENGINES if versions.within(f"0.{minor}.0", row.cube)]
        assert len(matching) == 1, minor


@pytest.mark.parametrize(
    ("version", "own_index"),
    [
        pytest.param("0.20.10", True, id="own index.js"),
        pytest.param("0.22.4", True, id="last with its own"),
        pytest.param("0.23.15", False, id="cubejs-server"),
        pytest.param("0.35.81", False, id="newest"),
    ],
)
def test_start(version: str, own_index: bool) -> None:
    start = versions.start(version)
    assert start.own_index is own_index
    assert start.command[0].endswith("index.js" if own_index else "cubejs-server")


@pytest.mark.parametrize(
    ("question", "last_without", "first_with"),
    [
        pytest.param(versions.has_health_endpoints, "0.24.11", "0.24.12", id="health endpoints"),
        pytest.param(versions.stops_gracefully, "0.25.14", "0.25.15", id="graceful stop"),
        pytest.param(versions.needs_install_scripts, "0.32.9", "0.33.0", id="native addon"),
    ],
)
def test_where_a_feature_begins(question: Callable[[str], bool], last_without: str, first_with: str) -> None:
    assert (question(last_without), question(first_with)) == (False, True)


def test_antlr4_is_pinned_where_its_range_drifts() -> None:
    assert versions.pins_antlr4("0.20.10")
    assert not versions.pins_antlr4("0.29.57")


@pytest.mark.parametrize(
    ("server", "works"),
    [
        pytest.param("10.5.26-MariaDB-0+deb11u2", True, id="MariaDB 10.5"),
        pytest.param("11.8.3-MariaDB", True, id="MariaDB 11.8"),
        pytest.param("9.9.9-MariaDB", True, id="a suffix decides"),
        pytest.param("8.0.36", True, id="MySQL 8.0"),
        pytest.param("8.4.3", True, id="MySQL 8.4"),
        pytest.param("9.0.1", False, id="MySQL 9"),
        pytest.param("9.4.0-0ubuntu1", False, id="MySQL 9 with a suffix"),
        pytest.param("unknown", False, id="no version"),
    ],
)
def test_mysql_servers(server: str, works: bool) -> None:
    assert (versions.mysql_server_problem(server) is None) is works


@pytest.mark.parametrize(
    ("product", "server", "says"),
    [
        pytest.param("redis", "6.0.16", None, id="first Redis"),
        pytest.param("redis", "8.2.1", None, id="last Redis"),
        pytest.param("redis", "5.0.14", "no longer repaired", id="old Redis"),
        pytest.param("redis", "9.0.0", "never tried", id="new Redis"),
        pytest.param("valkey", "8.1.1", None, id="Valkey"),
        pytest.param("valkey", "7.2.5", "never tried", id="old Valkey"),
        pytest.param("keydb", "6.3.4", "no server that is known", id="another product"),
        pytest.param("redis", "unstable", "no server that is known", id="no version"),
    ],
)
def test_redis_servers(product: str, server: str, says: str | None) -> None:
    problem = versions.redis_server_problem(product, server)
    assert (problem is None) is (says is None)
    assert (says or "") in str(problem)


def test_drivers() -> None:
    assert versions.driver_package("postgres") == "@cubejs-backend/postgres-driver"
    assert versions.driver_package("mysqll") is None
    assert set(versions.DATABASES_WITH_HOST) <= set(versions.database_types())


@pytest.mark.parametrize(
    ("version", "app", "prefix"),
    [
        ("0.19.61", None, "STANDALONE_default"), ("0.23.15", "a", "a_default"), ("0.25.0", "a", "a"),
        ("0.28.67", None, "STANDALONE"), ("0.29.57", "a", "STANDALONE"), ("0.35.81", None, "STANDALONE"),
        ("0.24.5", "a", None), ("0.24.5", None, None), ("0.29.3", "a", None), ("0.29.3", None, "STANDALONE"),
    ],
)  # fmt: skip
def test_what_redis_keys_begin_with(version: str, app: str | None, prefix: str | None) -> None:
    assert versions.redis_prefix(version, app) == prefix
