"""Rules on limits, against each process's own need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, REFRESH_WORKER, Fleet, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import limits

CLOSED = (Unknown("process.environ", "permission denied"),)
POOL, HEAP = "CUBEJS_REDIS_POOL_MAX", "NODE_OPTIONS"
MEBIBYTE = 2**20


def with_process(instance: LiveInstance, **changes: Any) -> LiveInstance:
    assert instance.seen.process
    return replace(instance, seen=replace(instance.seen, process=replace(instance.seen.process, **changes)))


@pytest.mark.parametrize(
    ("limit", "environment", "process", "status", "says"),
    [
        # 110 to Redis, 2 x (8 + 2) to databases, 50 queries with two connections each, 64 of its own.
        pytest.param(294, {}, {}, "pass", "needs 294", id="just enough"),
        pytest.param(293, {}, {}, "fail", "needs 294", id="one too few"),
        pytest.param(1024, {POOL: None}, {}, "fail", "needs 2074", id="the default pool of 1000"),
        pytest.param(65536, {POOL: None}, {}, "pass", "needs 2074", id="which fits a usual limit"),
        pytest.param(300, {"CUBEJS_DB_MAX_POOL": "20"}, {}, "fail", "needs 318", id="larger pools of databases"),
        pytest.param(300, {"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"}, {}, "pass", "needs 184", id="no Redis"),
        pytest.param(300, {}, {"open_files": 241}, "fail", "241 of 300", id="nearly all are open"),
        pytest.param(65536, {POOL: "0"}, {}, "unknown", "bounds nothing", id="no bound"),
        pytest.param(None, {}, {}, "unknown", "could not be read", id="no limit could be read"),
    ],
)
def test_open_files(
    limit: int | None, environment: dict[str, Any], process: dict[str, Any], status: str, says: str, seeing: Any
) -> None:
    instance = with_process(seeing.instance(environment=environment), open_files_soft=limit, **process)
    (found,) = seeing.judge("open-files", seeing.live(instance))
    assert (found.status, says in found.message) == (status, True)


def test_the_environment_must_be_known(seeing: Any) -> None:
    (found,) = seeing.judge("open-files", seeing.live(seeing.instance(unknown=CLOSED)))
    assert found.status == "unknown"


def test_the_plan_says_how_many_queries_there_are(
    seeing: Any, make_fleet: Callable[..., Fleet], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    plan = make_fleet([make_tenant(max_in_flight=200, orchestrators=3)])
    on_demand = seeing.instance(environment={POOL: "0"})
    assert limits.files_of(on_demand, plan) == (3 * 410, 2 * (3 * 8 + 2), 200)
    assert limits.files_of(seeing.instance(), plan) == (330, 52, 200)
    assert limits.files_of(on_demand, Fleet()) is None


def test_a_pool_that_is_no_number_bounds_nothing(seeing: Any) -> None:
    assert limits.files_of(seeing.instance(environment={POOL: "abc"}), Fleet()) is None


@pytest.mark.parametrize(
    ("kind", "options", "command", "memory_max", "host", "statuses"),
    [
        pytest.param(REFRESH_WORKER, "--max-old-space-size=2048", (), None, 8192, ["pass"], id="it fits the host"),
        pytest.param(REFRESH_WORKER, "--max_old_space_size=2048", (), 4096, 8192, ["pass"], id="and the unit"),
        pytest.param(REFRESH_WORKER, "--max-old-space-size=4096", (), 4096, 8192, ["fail"], id="not the unit"),
        pytest.param(REFRESH_WORKER, "--max-old-space-size=9000", (), None, 8192, ["fail"], id="not the host"),
        pytest.param(REFRESH_WORKER, None, (), None, 8192, ["fail"], id="none is set"),
        pytest.param(REFRESH_WORKER, "--trace-warnings", (), None, 8192, ["fail"], id="something else is"),
        pytest.param(REFRESH_WORKER, None, ("--max-old-space-size=512",), None, 8192, ["pass"], id="by the command"),
        pytest.param(REFRESH_WORKER, "--max-old-space-size=512", ("--max-old-space-size=9000",), None, 8192, ["fail"],
                     id="which wins"),
        pytest.param(REFRESH_WORKER, "--max-old-space-size=512", (), None, None, ["unknown"], id="no memory is known"),
        pytest.param(API, None, (), None, 8192, [], id="an API instance needs none"),
        pytest.param(API, "--max-old-space-size=9000", (), None, 8192, ["fail"], id="and fits, too"),
    ],
)  # fmt: skip
def test_heaps(
    kind: str, options: str | None, command: tuple[str, ...], memory_max: int | None, host: int | None,
    statuses: list[str], seeing: Any,
) -> None:  # fmt: skip
    instance = seeing.instance("i", kind, environment={HEAP: options})
    instance = with_process(instance, command=("node", *command, "server.js"))
    unit = replace(instance.seen.unit, memory_max_bytes=memory_max and memory_max * MEBIBYTE)
    instance = replace(instance, seen=replace(instance.seen, unit=unit))
    live = seeing.live(instance, hosts=(seeing.host(memory_bytes=host and host * MEBIBYTE),))
    assert [each.status for each in seeing.judge("heap-size", live)] == statuses


def test_a_heap_that_may_stand_in_a_closed_environment(seeing: Any) -> None:
    (found,) = seeing.judge("heap-size", seeing.live(seeing.instance("w", REFRESH_WORKER, unknown=CLOSED)))
    assert found.status == "unknown"


@pytest.mark.parametrize(
    ("kind", "version", "seconds", "waits", "changes", "status"),
    [
        pytest.param(API, "0.29.57", "15", 20.0, {}, "pass", id="systemd waits longer"),
        pytest.param(API, "0.29.57", "15", None, {}, "pass", id="for ever"),
        pytest.param(API, "0.29.57", "19", 20.0, {}, "fail", id="not long enough"),
        pytest.param(API, "0.29.57", None, 20.0, {}, "fail", id="it is not set"),
        pytest.param(API, "0.29.57", "abc", 20.0, {}, "fail", id="it is no number"),
        pytest.param(REFRESH_WORKER, "0.29.57", None, 20.0, {}, "not_applicable", id="a worker serves nobody"),
        pytest.param(API, "0.25.14", None, 20.0, {}, "not_applicable", id="not read before 0.25.15"),
        pytest.param(API, "0.29.57", "15", 20.0, {"unit": None}, "unknown", id="another manager"),
        pytest.param(API, "0.29.57", "15", 20.0, {"unknown": CLOSED}, "unknown", id="not readable"),
    ],
)
def test_graceful_stops(
    kind: str, version: str, seconds: str | None, waits: float | None, changes: dict[str, Any], status: str, seeing: Any
) -> None:
    environment = {"CUBEJS_GRACEFUL_SHUTDOWN": seconds}
    instance = seeing.instance("i", kind, version=version, environment=environment, **changes)
    instance = with_process(instance, script="../node_modules/.bin/cubejs-server")
    if instance.seen.unit:
        unit = replace(instance.seen.unit, timeout_stop_seconds=waits)
        instance = replace(instance, seen=replace(instance.seen, unit=unit))
    (found,) = seeing.judge("graceful-stop", seeing.live(instance))
    assert found.status == status


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("index.js", "not_applicable"), ("/srv/cubejs/server.js", "not_applicable"), ("/usr/bin/cubejs", "fail"),
        ("/srv/node_modules/@cubejs-backend/server/bin/server", "fail"), ("node_modules/.bin/cubejs-server", "fail"),
    ],
)  # fmt: skip
def test_only_cubes_own_program_reads_it(script: str, status: str, seeing: Any) -> None:
    (found,) = seeing.judge("graceful-stop", seeing.live(with_process(seeing.instance(), script=script)))
    assert found.status == status
