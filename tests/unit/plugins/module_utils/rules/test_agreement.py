"""Rules on what the processes of a tenant have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REFRESH_WORKER, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Packages, Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

ZONES, SCHEMA = "CUBEJS_SCHEDULED_REFRESH_TIMEZONES", "CUBEJS_PRE_AGGREGATIONS_SCHEMA"
CLOSED = (Unknown("process.environ", "permission denied", "Run the task with become: true"),)
RULES = ("time-zones-agree", "schema-files-agree", "package-versions-agree", "node-env-agrees", "storage-schema-agrees")


def with_project(digest: str) -> dict[str, Any]:
    return {"project": Project("/srv", "cube.js", (), "/srv/schema", digest, 3)}


def driver(version: str) -> dict[str, Any]:
    versions = {"@cubejs-backend/server": "0.29.57", "@cubejs-backend/mysql-driver": version}
    return {"packages": Packages("/srv/node_modules", "0.29.57", versions)}


def pair(seeing: Any, api: dict[str, Any], worker: dict[str, Any]) -> tuple[LiveInstance, LiveInstance]:
    return seeing.instance(**api), seeing.instance("worker", REFRESH_WORKER, host="two", **worker)


@pytest.mark.parametrize(
    ("rule", "api", "worker", "status"),
    [
        pytest.param("time-zones-agree", {}, {}, "pass", id="no time zones"),
        pytest.param("time-zones-agree", {"environment": {ZONES: "UTC,Asia/Tokyo"}},
                     {"environment": {ZONES: "Asia/Tokyo, UTC"}}, "pass", id="in another order"),
        pytest.param("time-zones-agree", {"environment": {ZONES: "UTC,Asia/Tokyo"}}, {"environment": {ZONES: "UTC"}},
                     "fail", id="one is missing"),
        pytest.param("time-zones-agree", {"environment": {ZONES: "UTC"}}, {}, "fail", id="set on one only"),
        pytest.param("time-zones-agree", {}, {"unknown": CLOSED}, "unknown", id="time zones not readable"),
        pytest.param("schema-files-agree", with_project("a"), with_project("a"), "pass", id="same files"),
        pytest.param("schema-files-agree", with_project("a"), with_project("b"), "fail", id="other files"),
        pytest.param("schema-files-agree", with_project("a"), {}, "unknown", id="files not readable"),
        pytest.param("package-versions-agree", driver("0.29.33"), driver("0.29.33"), "pass", id="packages"),
        pytest.param("package-versions-agree", driver("0.29.33"), driver("0.29.20"), "fail", id="a driver"),
        pytest.param("package-versions-agree", {}, {"version": "0.29.51"}, "fail", id="the server"),
        pytest.param("package-versions-agree", {}, {"packages": Packages()}, "unknown", id="packages not readable"),
        pytest.param("node-env-agrees", {}, {}, "pass", id="same mode"),
        pytest.param("node-env-agrees", {}, {"environment": {"NODE_ENV": "development"}}, "fail", id="another mode"),
        pytest.param("node-env-agrees", {}, {"unknown": CLOSED}, "unknown", id="mode not readable"),
        pytest.param("storage-schema-agrees", {}, {}, "pass", id="same schema"),
        pytest.param("storage-schema-agrees", {}, {"environment": {SCHEMA: "x"}}, "fail", id="another schema"),
        pytest.param("storage-schema-agrees", {"environment": {SCHEMA: None}},
                     {"environment": {SCHEMA: "prod_pre_aggregations"}}, "pass", id="the default, written out"),
        pytest.param("storage-schema-agrees", {"environment": {SCHEMA: None}},
                     {"environment": {SCHEMA: None, "NODE_ENV": "development"}}, "fail", id="of another mode"),
        pytest.param("storage-schema-agrees", {"version": "0.25.3"},
                     {"version": "0.25.3", "environment": {SCHEMA: "x"}}, "pass", id="a version without the variable"),
        pytest.param("storage-schema-agrees", {}, {"version": ""}, "unknown", id="schema not known"),
        pytest.param("storage-schema-agrees", {},
                     {"project": Project("/srv", "cube.js", ("preAggregationsSchema",), "/srv/schema", "a", 3)},
                     "unknown", id="a schema named in code"),
    ],
)  # fmt: skip
def test_agreement(rule: str, api: dict[str, Any], worker: dict[str, Any], status: str, seeing: Any) -> None:
    (found,) = seeing.judge(rule, seeing.live(*pair(seeing, api, worker)))
    assert (found.status, found.tenant) == (status, "acme")
    assert (len(found.evidence) == 2) == (status == "fail")


@pytest.mark.parametrize("rule", RULES)
def test_one_process_agrees_with_itself(rule: str, seeing: Any) -> None:
    stopped = seeing.instance("worker", REFRESH_WORKER, running=False)
    (found,) = seeing.judge(rule, seeing.live(seeing.instance(), stopped))
    assert found.status == "not_applicable"


@pytest.mark.parametrize("rule", RULES)
def test_a_host_that_was_not_looked_at_may_disagree(rule: str, seeing: Any) -> None:
    live = seeing.live(*pair(seeing, with_project("a"), with_project("a")), missing={"three": "unreachable"})
    assert [each.status for each in seeing.judge(rule, live)] == ["unknown"]


def test_what_is_known_to_differ_is_told_though_not_all_is_known(seeing: Any) -> None:
    third = seeing.instance("third", unknown=CLOSED)
    live = seeing.live(*pair(seeing, {}, {"environment": {"NODE_ENV": "development"}}), third)
    (found,) = seeing.judge("node-env-agrees", live)
    assert found.status == "fail"
    assert found.evidence == ("cubejs-api@acme-1.service on one: production", "worker on two: development")


def test_tenants_are_compared_with_themselves_only(seeing: Any) -> None:
    other = [replace(each, tenant="beta") for each in pair(seeing, with_project("b"), with_project("b"))]
    live = seeing.live(*pair(seeing, with_project("a"), with_project("a")), *other)
    assert [each.status for each in seeing.judge("schema-files-agree", live)] == ["pass", "pass"]
