"""Rules on what becomes of pre-aggregations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REFRESH_WORKER
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import MysqlSeen, Tables, Unknown

Verdicts = Callable[..., list[str]]
WORKER = "cubejs-worker@acme.service"
BUILDER, ROLLUP_ONLY = {"CUBEJS_PRE_AGGREGATIONS_BUILDER": "true"}, {"CUBEJS_ROLLUP_ONLY": "true"}
CLOSED = (Unknown("process.environ", "permission denied"),)


def project(total: int = 2, external: int = 2, scheduled: int = 2, mentions: tuple[str, ...] = ()) -> Project:
    return Project("/srv/acme", "cube.js", mentions, "/srv/acme/schema", "d", 1, total, external, scheduled)


@pytest.mark.parametrize(
    ("version", "environment", "changes", "status"),
    [
        pytest.param("0.30.33", {}, {}, "pass", id="an API instance builds up to 0.30.33"),
        pytest.param("0.30.34", {}, {}, "fail", id="and not from 0.30.34 on"),
        pytest.param("0.30.34", BUILDER, {}, "pass", id="unless it is told to"),
        pytest.param("0.30.34", {"CUBEJS_REFRESH_WORKER": "true"}, {}, "pass", id="or refreshes itself"),
        pytest.param("0.30.34", {"NODE_ENV": "development"}, {}, "pass", id="or is in development"),
        pytest.param("0.29.57", ROLLUP_ONLY, {}, "fail", id="nor one that answers from rollups only"),
        pytest.param("0.29.57", {}, {"project": project(mentions=("rollupOnlyMode",))}, "unknown", id="by code"),
        pytest.param("0.30.34", {}, {"project": project(0)}, "not_applicable", id="nothing to build"),
        pytest.param("0.30.34", {}, {"project": None}, "unknown", id="no schema could be read"),
        pytest.param("0.30.34", {}, {"unknown": CLOSED}, "unknown", id="its environment could not be read"),
    ],
)
def test_somebody_builds(
    version: str, environment: dict[str, str], changes: dict[str, Any], status: str, seeing: Any, verdicts: Verdicts
) -> None:
    instance = seeing.instance(version=version, environment=environment, **{"project": project(), **changes})
    assert verdicts("pre-aggregations-built", instance) == [status]


def test_a_refresh_worker_builds(seeing: Any, verdicts: Verdicts) -> None:
    instances = [seeing.instance(name, kind, version="0.31.69", project=project())
                 for name, kind in (("api", "api"), (WORKER, REFRESH_WORKER))]  # fmt: skip
    assert verdicts("pre-aggregations-built", *instances) == ["pass"]
    stopped = replace(instances[1], seen=replace(instances[1].seen, running=False))
    assert verdicts("pre-aggregations-built", instances[0], stopped) == ["fail"]


def test_who_builds_may_be_on_a_host_that_was_not_looked_at(seeing: Any) -> None:
    live = seeing.live(seeing.instance(version="0.31.69", project=project()), missing={"two": "unreachable"})
    (found,) = seeing.judge("pre-aggregations-built", live)
    assert (found.status, "two (unreachable)" in found.message) == ("unknown", True)
    # One that is seen is enough.
    assert [each.status for each in seeing.judge("pre-aggregations-built", replace(live, instances=(
        seeing.instance(WORKER, REFRESH_WORKER, project=project()),)))] == ["pass"]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "environment", "schema", "status", "says"),
    [
        pytest.param("0.29.57", {}, project(), "pass", "none of 2", id="all say so"),
        pytest.param("0.29.57", {}, project(external=1), "fail", "1 of 2 say external", id="one is not external"),
        pytest.param("0.29.57", {}, project(scheduled=0), "fail", "0 of 2 say scheduled", id="none is scheduled"),
        pytest.param("0.29.57", {"CUBEJS_EXT_DB_TYPE": None}, project(external=0), "pass", "", id="without a storage"),
        pytest.param("0.29.57", {"CUBEJS_EXTERNAL_DEFAULT": "true"}, project(external=0), "pass", "", id="by default"),
        pytest.param("0.30.0", {}, project(2, 0, 0), "not_applicable", "", id="from 0.30 on"),
        pytest.param("0.29.57", {}, project(0, 0, 0), "not_applicable", "no pre-aggregation", id="there is none"),
        pytest.param("0.29.57", {}, None, "unknown", "could not be read", id="no schema could be read"),
        pytest.param("", {}, project(), "unknown", "could not be read", id="no version"),
    ],
)
def test_pre_aggregations_say_so(
    version: str, environment: dict[str, Any], schema: Project | None, status: str, says: str, seeing: Any
) -> None:
    worker = seeing.instance(WORKER, REFRESH_WORKER, version=version, environment=environment, project=schema)
    (found,) = seeing.judge("pre-aggregations-flagged", seeing.live(worker))
    assert (found.status, says in found.message) == (status, True)


def test_without_a_worker_nothing_needs_to_be_scheduled(seeing: Any, verdicts: Verdicts) -> None:
    assert verdicts("pre-aggregations-flagged", seeing.instance(project=project(scheduled=0))) == ["pass"]


def storage(newest: float | None, *, whole: bool = True, schema: str = "cube_acme") -> dict[str, MysqlSeen]:
    tables = Tables(schema, 3, 3 if newest else 0, newest_at=newest, whole=whole)
    return {"s": MysqlSeen("m:3306", "m", 3306, "cube", reachable=True, tables={schema: tables})}


@pytest.mark.parametrize(
    ("declared", "age", "changes", "status", "says"),
    [
        pytest.param(None, 99999, {}, "not_applicable", "no age", id="none is declared"),
        pytest.param(3600, 3600, {}, "pass", "60 min old", id="fresh enough"),
        pytest.param(3600, 3601, {}, "fail", "60 min old", id="too old"),
        pytest.param(3600, 200_000, {}, "fail", "2 d old", id="far too old"),
        pytest.param(3600, None, {}, "fail", "there is none", id="never built"),
        pytest.param(3600, 3601, {"whole": False}, "unknown", "more tables", id="not all were looked at"),
        pytest.param(3600, 10, {"whole": False}, "pass", "10 s", id="one that is new is enough"),
        pytest.param(3600, 10, {"schema": "another"}, "unknown", "could not be read", id="another schema"),
    ],
)
def test_freshness(
    declared: float | None, age: float | None, changes: dict[str, Any], status: str, says: str, seeing: Any
) -> None:
    mysql = storage(None if age is None else seeing.now - age, **changes)
    live = seeing.live(
        seeing.instance(storage="s"), hosts=(seeing.host(mysql=mysql),),
        declared_age_seconds={} if declared is None else {"acme": declared},
    )  # fmt: skip
    (found,) = seeing.judge("pre-aggregations-fresh", live)
    assert (found.status, says in found.message) == (status, True)


def test_the_schema_is_the_default_of_version_and_mode_where_none_is_set(seeing: Any) -> None:
    instance = seeing.instance(storage="s", environment={"CUBEJS_PRE_AGGREGATIONS_SCHEMA": None})
    hosts = (seeing.host(mysql=storage(seeing.now, schema="prod_pre_aggregations")),)
    live = seeing.live(instance, hosts=hosts, declared_age_seconds={"acme": 60.0})
    assert [each.status for each in seeing.judge("pre-aggregations-fresh", live)] == ["pass"]
    by_code = replace(instance, seen=replace(instance.seen, project=project(mentions=("preAggregationsSchema",))))
    live = seeing.live(by_code, hosts=hosts, declared_age_seconds={"acme": 60.0})
    assert [each.status for each in seeing.judge("pre-aggregations-fresh", live)] == ["unknown"]
