"""Whether a worker that runs does anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REFRESH_WORKER
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import (
    Answer,
    HttpSeen,
    Queue,
    RedisSeen,
    Unknown,
)

WORKER = "cubejs-worker@acme.service"
ANSWERS = HttpSeen("/run/cube.sock", "production", {"root": Answer(200)})
SILENT = HttpSeen("/run/cube.sock", unknown=(Unknown("root", "/ of /run/cube.sock: no answer within 3 s"),))
NOT_ASKED = HttpSeen("/run/cube.sock")


def queue(age: float | None, name: str = "SQL_PRE_AGGREGATIONS_STANDALONE_default_QUEUE") -> Queue:
    return Queue(name, 1, age)


@pytest.mark.parametrize(
    ("state", "http", "queues", "status", "severity"),
    [
        pytest.param("S", ANSWERS, [], "pass", "error", id="it answers"),
        pytest.param("S", ANSWERS, [queue(119.0), queue(None)], "pass", "error", id="and its builds live"),
        pytest.param("T", ANSWERS, [], "fail", "error", id="it is stopped"),
        pytest.param("S", SILENT, [], "fail", "error", id="it does not answer"),
        pytest.param("S", ANSWERS, [queue(121.0)], "fail", "warning", id="a build shows no life"),
        pytest.param("S", None, [queue(121.0)], "fail", "warning", id="which is seen without asking it"),
        pytest.param("S", ANSWERS, [queue(999.0, "SQL_QUERY_X_QUEUE")], "pass", "error", id="a query is no build"),
        pytest.param("S", None, [], "unknown", "error", id="it was not asked"),
        pytest.param("S", NOT_ASKED, [], "unknown", "error", id="nor anything else"),
    ],
)
def test_alive(state: str, http: HttpSeen | None, queues: list[Queue], status: str, severity: str, seeing: Any) -> None:
    worker = seeing.instance(WORKER, REFRESH_WORKER, http=http, redis="r")
    worker = replace(worker, seen=replace(worker.seen, process=replace(worker.seen.process, state=state)))
    redis = RedisSeen("r:1/0", "node_redis", "r", 1, 0, tls=False, queues=tuple(queues))
    (found,) = seeing.judge("refresh-worker-alive", seeing.live(worker, hosts=(seeing.host(redis={"r": redis}),)))
    assert (found.status, found.severity) == (status, severity)


def test_only_workers_that_run_are_asked(seeing: Any, verdicts: Callable[..., list[str]]) -> None:
    stopped = seeing.instance(WORKER, REFRESH_WORKER, running=False)
    assert verdicts("refresh-worker-alive", seeing.instance(), stopped) == []
