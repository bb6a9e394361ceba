"""Rules on what the processes of a tenant share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REFRESH_WORKER
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
MEMORY = {"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"}


ALONE = {"cubejs_api": ["one"], "cubejs_refresh_worker": ["one"]}


@pytest.mark.parametrize(
    ("look", "process", "found"),
    [
        pytest.param({}, {}, "pass", id="the same"),
        pytest.param(
            {"asked": "redis.example:6379/0", "host": "10.0.0.1", "port": 6379}, {}, "pass", id="another name"
        ),
        pytest.param({"tls": True, "port": 6402}, {}, "pass", id="another port, with TLS"),
        pytest.param({"client": "ioredis", "sentinels": ("s:26379",), "master": "m"}, {}, "pass", id="by Sentinel"),
        pytest.param({"run_id": "another"}, {}, "fail", id="another server by the same name"),
        pytest.param({"index": 1}, {}, "fail", id="another index"),
        pytest.param({}, {"prefix": "OTHER"}, "fail", id="another prefix"),
        pytest.param({"reachable": False, "run_id": ""}, {}, "unknown", id="not reached"),
        pytest.param(None, {}, "unknown", id="not asked"),
        pytest.param({}, {"environment": MEMORY}, "not_applicable", id="the other has none"),
        pytest.param({}, {"settings": {}}, "unknown", id="settings not read"),
        pytest.param({}, {"prefix": None}, "pass", id="prefix in code, the same code"),
        pytest.param({}, {"prefix": None, "version": "0.29.50"}, "unknown", id="prefix in code, another version"),
        pytest.param(
            {},
            {"prefix": None, "project": Project("/srv", "cube.js", schema_digest="other")},
            "unknown",
            id="prefix in code, another project",
        ),
    ],
)
def test_same(look: dict[str, Any] | None, process: dict[str, Any], found: str, redises: Any) -> None:
    server = None if look is None else redises.redis(**look)
    other = redises.process("worker.service", REFRESH_WORKER, host="two", redis=server, **process)
    # Where the code of one chooses its prefix, it does for both.
    first = redises.process(**({"prefix": None} if None in process.values() else {}))
    assert redises.said("redis-same-for-tenant", first, other) == [(found, "critical")]


def test_where_the_processes_are_is_told(redises: Any) -> None:
    other = redises.process("worker.service", host="two", redis=redises.redis(run_id="another"))
    (finding,) = redises.judge("redis-same-for-tenant", redises.reach(redises.process(), other))
    assert len(finding.evidence) == 2
    assert any("two/worker.service" in line and "another" in line for line in finding.evidence)


def test_a_difference_is_one_even_while_another_process_is_not_known(redises: Any) -> None:
    found = redises.said(
        "redis-same-for-tenant", redises.process(), redises.process("b", redis=redises.redis(index=1)),
        redises.process("c", redis=None),
    )  # fmt: skip
    assert found == [("fail", "critical")]


def test_a_host_that_is_missing_may_differ(redises: Any) -> None:
    keys = {"missing": {"two": "unreachable"}}
    assert redises.said("redis-same-for-tenant", redises.process(), redises.process("b"), **keys)[0][0] == "unknown"
    assert redises.said("redis-same-for-tenant", redises.process(), **keys)[0][0] == "unknown"


@pytest.mark.parametrize(
    ("keys", "groups", "fails"),
    [
        pytest.param({"refresh_worker": False}, ALONE, False, id="one process"),
        pytest.param({}, ALONE, True, id="with a refresh worker"),
        pytest.param({"refresh_worker": False, "api_instances": 2}, ALONE, True, id="two instances"),
        pytest.param({"refresh_worker": False}, {"cubejs_api": ["one", "two"]}, True, id="two hosts"),
    ],
)
def test_the_memory_driver(
    keys: dict[str, Any], groups: dict[str, list[str]], fails: bool, subjects: Subjects, make_tenant: MakeTenant
) -> None:
    tenant = make_tenant(cache_and_queue_driver="memory", **keys)
    expected = [("cubejs_tenants[acme].cache_and_queue_driver", "error")] if fails else []
    assert subjects("memory-driver-one-process", [tenant], groups=groups) == expected
    assert subjects("memory-driver-one-process") == []


@pytest.mark.parametrize(
    ("processes", "found"),
    [
        pytest.param([{}, {}], "not_applicable", id="Redis"),
        pytest.param([{"environment": MEMORY}], "pass", id="alone"),
        pytest.param([{"environment": MEMORY}, {"environment": MEMORY}], "fail", id="two"),
        pytest.param([{"environment": MEMORY}, {}], "fail", id="one of two"),
        pytest.param([{"environment": MEMORY}, {"environment": MEMORY, "host": "two"}], "fail", id="on two hosts"),
        pytest.param(
            [{"environment": MEMORY}, {"kind": REFRESH_WORKER, "environment": MEMORY}], "fail", id="and a worker"
        ),
        pytest.param([{"settings": {}}], "unknown", id="not read"),
        pytest.param([{"settings": {}}, {"environment": MEMORY}], "fail", id="one of two, whatever the other has"),
        pytest.param(
            [{"environment": {"NODE_ENV": None, "CUBEJS_REDIS_URL": None}}, {}], "fail", id="for want of a Redis"
        ),
    ],
)
def test_seen_memory_drivers(processes: list[dict[str, Any]], found: str, redises: Any) -> None:
    pairs = [redises.process(f"{number}.service", **each) for number, each in enumerate(processes)]
    assert redises.said("memory-driver-one-process", *pairs) == [(found, "error")]


def test_one_process_may_have_others_on_a_missing_host(redises: Any) -> None:
    alone = redises.process(environment=MEMORY)
    assert redises.said("memory-driver-one-process", alone, missing={"two": "left out"}) == [("unknown", "error")]
