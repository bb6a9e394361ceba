"""Rules on what is installed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Packages
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

SERVER, DRIVER = "@cubejs-backend/server", "@cubejs-backend/mysql-driver"
CLOSED = (Unknown("process.environ", "permission denied"),)


def installed(seeing: Any, version: str = "0.29.57", **changes: Any) -> LiveInstance:
    found: LiveInstance = seeing.instance(version=version)
    return replace(found, seen=replace(found.seen, packages=replace(found.seen.packages, **changes)))


@pytest.mark.parametrize(
    ("version", "node", "status"),
    [
        pytest.param("0.29.57", "20.20.2", "pass", id="accepted"),
        pytest.param("0.29.57", "15.0.0", "fail", id="refused"),
        pytest.param("0.29.57", "10.24.1", "fail", id="too old"),
        pytest.param("0.32.9", "12.22.0", "fail", id="too old for a later release"),
        pytest.param("0.20.10", "8.11.1", "pass", id="old and accepted"),
        pytest.param("0.29.57", "", "unknown", id="node not readable"),
        pytest.param("1.0.0", "20.20.2", "unknown", id="a release beyond the table"),
        pytest.param("", "20.20.2", "unknown", id="no release"),
    ],
)
def test_node(version: str, node: str, status: str, seeing: Any) -> None:
    instance = seeing.instance(version=version)
    instance = replace(instance, seen=replace(instance.seen, process=replace(instance.seen.process, node_version=node)))
    (found,) = seeing.judge("node-version", seeing.live(instance))
    assert found.status == status


@pytest.mark.parametrize(
    ("versions", "status"),
    [
        pytest.param({SERVER: "0.29.57", DRIVER: "0.29.33"}, "pass", id="one minor"),
        pytest.param({SERVER: "0.29.57", DRIVER: "0.28.50"}, "fail", id="another minor"),
        pytest.param({SERVER: "0.29.57", DRIVER: "0.29.33-alpha.1"}, "pass", id="a pre-release of it"),
        pytest.param({SERVER: "0.29.57", "@cubejs-backend/dotenv": "9.0.2"}, "pass", id="a fork with its own numbers"),
    ],
)
def test_minors(versions: dict[str, str], status: str, seeing: Any) -> None:
    (found,) = seeing.judge("packages-of-one-line", seeing.live(installed(seeing, versions=versions)))
    assert found.status == status
    assert ("mysql-driver 0.28.50" in found.message) == (status == "fail")


@pytest.mark.parametrize(
    ("files", "status"),
    [
        pytest.param(("/srv/package-lock.json",), "pass", id="one"),
        pytest.param(("/srv/project/package-lock.json", "/srv/package-lock.json"), "pass", id="one in each folder"),
        pytest.param(("/srv/package-lock.json", "/srv/yarn.lock"), "fail", id="two in one folder"),
        pytest.param((), "fail", id="none"),
    ],
)
def test_lockfiles(files: tuple[str, ...], status: str, seeing: Any) -> None:
    assert [each.status for each in seeing.judge("one-lockfile", seeing.live(installed(seeing, lockfiles=files)))] == [
        status
    ]


@pytest.mark.parametrize(
    ("version", "antlr4", "status"),
    [
        pytest.param("0.20.10", "4.8.0", "pass", id="the one"),
        pytest.param("0.20.10", "4.13.2", "fail", id="what its range lets in"),
        pytest.param("0.20.10", "", "unknown", id="not found"),
        pytest.param("0.25.0", "4.13.2", "not_applicable", id="another parser"),
        pytest.param("", "4.8.0", "unknown", id="no release"),
    ],
)
def test_antlr(version: str, antlr4: str, status: str, seeing: Any) -> None:
    live = seeing.live(installed(seeing, version, antlr4=antlr4))
    assert [each.status for each in seeing.judge("antlr-pinned", live)] == [status]


@pytest.mark.parametrize(
    ("changes", "status", "severity"),
    [
        pytest.param({}, "pass", "error", id="all there"),
        pytest.param({"missing": ("lodash",)}, "fail", "error", id="one is missing"),
        pytest.param({"in_development": (SERVER,)}, "fail", "info", id="Cube itself is for development"),
        pytest.param({"in_development": (DRIVER,)}, "fail", "error", id="and was left out"),
    ],
)
def test_missing_packages(changes: dict[str, Any], status: str, severity: str, seeing: Any) -> None:
    (found,) = seeing.judge("packages-installed", seeing.live(installed(seeing, **changes)))
    assert (found.status, found.severity) == (status, severity)


@pytest.mark.parametrize("rule", ["packages-of-one-line", "one-lockfile", "packages-installed"])
def test_packages_that_were_not_found(rule: str, seeing: Any) -> None:
    (found,) = seeing.judge(rule, seeing.live(seeing.instance(packages=Packages())))
    assert found.status == "unknown"


@pytest.mark.parametrize(
    ("version", "environment", "changes", "status", "says"),
    [
        pytest.param("0.29.57", {}, {"redis": "r"}, "pass", "", id="neither is deprecated"),
        pytest.param("0.30.0", {}, {"redis": "r"}, "fail", "storage is deprecated since 0.30", id="the storage"),
        pytest.param("0.32.0", {"CUBEJS_EXT_DB_TYPE": "cubestore"}, {"redis": "r"}, "fail", "Redis", id="Redis"),
        pytest.param(
            "0.32.0", {"CUBEJS_EXT_DB_TYPE": None, "CUBEJS_REDIS_URL": None}, {}, "pass", "", id="none is used"
        ),
        pytest.param("0.29.57", {"CUBEJS_EXT_DB_TYPE": None}, {"unknown": CLOSED}, "unknown", "", id="not readable"),
        pytest.param("", {}, {}, "unknown", "no version", id="no release"),
    ],
)
def test_end_of_life(
    version: str, environment: dict[str, Any], changes: dict[str, Any], status: str, says: str, seeing: Any
) -> None:
    instance = seeing.instance(version=version, environment=environment, **changes)
    (found,) = seeing.judge("end-of-life", seeing.live(instance))
    assert (found.status, found.severity, says in found.message) == (status, "info", True)
