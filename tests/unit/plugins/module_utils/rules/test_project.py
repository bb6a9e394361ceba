"""Rules on code that serves many tenants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project

APP, ORCHESTRATOR, CONTEXTS = "contextToAppId", "contextToOrchestratorId", "scheduledRefreshContexts"


def project(*mentions: str, driver: bool | None = False, scheduled: int = 1) -> Project:
    return Project("/srv", "cube.js", mentions, "/srv/schema", "d", 1, 1, 1, scheduled, driver)


@pytest.mark.parametrize(
    ("version", "found", "status", "severity"),
    [
        pytest.param("0.29.57", project(), "not_applicable", "critical", id="one tenant"),
        pytest.param("0.29.57", project("driverFactory", "securityContext"), "not_applicable", "critical",
                     id="a driver for all, and a context for something else"),
        pytest.param("0.29.57", project(driver=True), "fail", "critical", id="a driver by context alone"),
        pytest.param("0.29.57", project(APP, driver=True), "fail", "critical", id="the app id is not enough"),
        pytest.param("0.29.57", project(ORCHESTRATOR, driver=True), "pass", "critical", id="the orchestrator id is"),
        pytest.param("0.28.67", project(APP, driver=True), "pass", "critical", id="the app id was, up to 0.28"),
        pytest.param("0.20.10", project("contextToDataSourceId", driver=True), "pass", "critical", id="or that"),
        pytest.param("0.28.67", project(driver=True), "fail", "critical", id="nothing is"),
        pytest.param("0.29.57", project(APP), "fail", "warning", id="one database, and one queue for all"),
        pytest.param("0.29.57", project(driver=None), "unknown", "critical", id="code elsewhere"),
        pytest.param("0.29.57", None, "unknown", "critical", id="no project"),
        pytest.param("", project(driver=True), "unknown", "critical", id="no version"),
    ],
)  # fmt: skip
def test_tenants_of_code(version: str, found: Project | None, status: str, severity: str, seeing: Any) -> None:
    (finding,) = seeing.judge("code-tenants-apart", seeing.live(seeing.instance(version=version, project=found)))
    assert (finding.status, finding.severity) == (status, severity)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        pytest.param(project(), "not_applicable", id="one tenant"),
        pytest.param(project(APP, CONTEXTS), "pass", id="contexts are listed"),
        pytest.param(project(APP), "fail", id="they are not"),
        pytest.param(project(driver=True), "fail", id="nor for a driver by context"),
        pytest.param(project(APP, scheduled=0), "not_applicable", id="nothing is scheduled"),
        pytest.param(project(driver=None), "unknown", id="code elsewhere"),
        pytest.param(project(APP, "repositoryFactory"), "unknown", id="a schema that is made by code"),
        pytest.param(None, "unknown", id="no project"),
    ],
)
def test_contexts(found: Project | None, status: str, seeing: Any, verdicts: Callable[..., list[str]]) -> None:
    assert verdicts("refresh-contexts", seeing.instance(project=found)) == [status]


@pytest.mark.parametrize("rule", ["code-tenants-apart", "refresh-contexts"])
def test_a_tenant_without_processes_has_no_code_to_judge(
    rule: str, seeing: Any, make_fleet: Callable[..., Fleet]
) -> None:
    assert seeing.judge(rule, Live(observations={"one": seeing.host()}), make_fleet()) == []
