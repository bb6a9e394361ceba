"""Rules on a Redis server's connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Queue, Unknown

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
REDIS = "cubejs_tenants[acme].redis"


@pytest.mark.parametrize(
    ("maxclients", "fails"),
    [
        pytest.param(None, False, id="derived"),
        pytest.param(160, False, id="just enough"),
        pytest.param(159, True, id="one too few"),
        pytest.param(15, True, id="the checklist's floor"),
    ],
)
def test_maxclients(maxclients: int | None, fails: bool, subjects: Subjects, make_tenant: MakeTenant) -> None:
    expected = [(f"{REDIS}.maxclients", "error")] if fails else []
    assert subjects("redis-maxclients", [make_tenant(redis={"maxclients": maxclients})]) == expected


RULES = ("redis-maxclients", "redis-queue-times-tenants", "redis-connections-used", "redis-rejected-connections")


@pytest.fixture
def pair(redises: Any) -> Callable[..., list[Any]]:
    """Return a function that makes two processes of one tenant with a pool of 30 each, on one Redis."""

    def make(pool: str | None = "30", opened: int = 25, **look: Any) -> list[Any]:
        server = redises.redis(**{"connected_clients": 2 * opened, **look})
        environment = {"CUBEJS_REDIS_POOL_MAX": pool}
        return [
            redises.process(name, redis=server, environment=environment, connections={"127.0.0.1:6401": opened})
            for name in ("api.service", "worker.service")
        ]

    return make


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        pytest.param({"maxclients": 160}, ("pass", "error"), id="need and reserve"),
        pytest.param({"maxclients": 159}, ("fail", "error"), id="one too few"),
        pytest.param(
            {"maxclients": 14, "opened": 0, "pool": "10"}, ("fail", "error"), id="fewer than the checklist asks for"
        ),
        pytest.param({"maxclients": 160, "connected_clients": 150}, ("pass", "error"), id="others within the reserve"),
        pytest.param({"maxclients": 160, "connected_clients": 151}, ("fail", "error"), id="others beyond the reserve"),
        pytest.param({"maxclients": 300, "pool": "101"}, ("fail", "warning"), id="the pools may grow further"),
        pytest.param({"maxclients": 302, "pool": "101"}, ("pass", "error"), id="as far as they may grow"),
        pytest.param({"maxclients": 160, "pool": "0"}, ("pass", "error"), id="no pool: what is in flight"),
        pytest.param({"maxclients": 10000, "pool": None}, ("pass", "error"), id="the default twice"),
        pytest.param({"maxclients": 2000, "pool": None}, ("fail", "warning"), id="the default may take all"),
        pytest.param({"maxclients": None}, ("unknown", "error"), id="limit not known"),
        pytest.param({"reachable": False, "run_id": ""}, ("unknown", "error"), id="not reached"),
    ],
)
def test_seen_maxclients(
    keys: dict[str, Any], found: tuple[str, str], redises: Any, pair: Callable[..., list[Any]]
) -> None:
    assert redises.said("redis-maxclients", *pair(**keys)) == [found]


def test_the_need_is_the_declared_one(
    redises: Any, pair: Callable[..., list[Any]], make_fleet: Any, make_tenant: Any
) -> None:
    plan = make_fleet([make_tenant(max_in_flight=50)])
    assert redises.said("redis-maxclients", *pair("110", 2, maxclients=320), plan=plan) == [("pass", "error")]
    assert redises.said("redis-maxclients", *pair("110", 2, maxclients=319), plan=plan) == [("fail", "error")]


def test_each_orchestrator_has_a_pool(
    redises: Any, pair: Callable[..., list[Any]], make_fleet: Any, make_tenant: Any
) -> None:
    plan = make_fleet([make_tenant(max_in_flight=10, orchestrators=4)])
    assert redises.said("redis-maxclients", *pair("30", 2, maxclients=340), plan=plan) == [("pass", "error")]
    assert redises.said("redis-maxclients", *pair("30", 2, maxclients=339), plan=plan) == [("fail", "error")]


def test_the_whole_fleet_is_summed_by_run_id(redises: Any) -> None:
    def process(number: int) -> Any:
        server = redises.redis(run_id="one", host=f"10.0.0.{number}", maxclients=200, connected_clients=100)
        return redises.process(
            tenant=f"t{number}", host=f"h{number}", redis=server, environment={"CUBEJS_REDIS_POOL_MAX": "30"},
            connections={f"10.0.0.{number}:6401": 25},
        )  # fmt: skip

    (fits,) = redises.judge("redis-maxclients", redises.reach(*map(process, range(3))))
    (fails,) = redises.judge("redis-maxclients", redises.reach(*map(process, range(4))))
    assert (fits.status, fails.status) == ("pass", "fail")
    assert "220" in fails.remedy
    assert (fails.tenant, fails.host) == ("", "")


def test_what_a_process_takes_is_not_always_known(redises: Any, pair: Callable[..., list[Any]]) -> None:
    chooses = Project("/srv", "cube.js", ("contextToOrchestratorId",))
    in_code = redises.process("x.service", project=chooses, redis=redises.redis(prefixes=None))
    assert redises.said("redis-maxclients", in_code) == [("unknown", "error")]
    away = redises.process("x.service", redis=redises.redis(reachable=False, run_id="", host="10.0.0.9"))
    assert redises.said("redis-maxclients", *pair(maxclients=160), away)[-1] == ("unknown", "error")
    assert redises.said("redis-maxclients", *pair(maxclients=159), away)[-1] == ("fail", "error")


def test_a_host_that_was_not_looked_at_may_have_clients(redises: Any, pair: Callable[..., list[Any]]) -> None:
    (finding,) = redises.judge("redis-maxclients", redises.reach(*pair(maxclients=160), missing={"two": "unreachable"}))
    assert finding.status == "unknown"
    assert "two" in finding.message


@pytest.mark.parametrize(
    ("keys", "declared", "status"),
    [
        pytest.param({"queues": (Queue("SQL_QUERY_P_QUEUE", 60),)}, None, "pass", id="the pools hold as many"),
        pytest.param({"queues": (Queue("SQL_QUERY_P_QUEUE", 61),)}, None, "fail", id="the pools hold fewer"),
        pytest.param(
            {"queues": (Queue("A_QUEUE", 50), Queue("B_QUEUE", 50)), "pool": "0", "maxclients": 200},
            None,
            "pass",
            id="the server has as many",
        ),
        pytest.param(
            {"queues": (Queue("A_QUEUE", 50), Queue("B_QUEUE", 51)), "pool": "0", "maxclients": 200},
            None,
            "fail",
            id="the server has fewer",
        ),
        pytest.param({"prefixes": None}, None, "unknown", id="queues not seen"),
        pytest.param({"scanned_whole": False}, None, "unknown", id="queues not seen whole"),
        pytest.param({"prefixes": None}, 60, "pass", id="declared"),
        pytest.param({"prefixes": None}, 61, "fail", id="declared, more than the pools hold"),
        pytest.param({"maxclients": None}, None, "unknown", id="limit not known"),
        pytest.param({"reachable": False, "run_id": ""}, None, "unknown", id="not reached"),
    ],
)
def test_queue_times_tenants(
    keys: dict[str, Any], declared: int | None, status: str, redises: Any, pair: Callable[..., list[Any]],
    make_fleet: Any, make_tenant: Any,
) -> None:  # fmt: skip
    plan = None if declared is None else make_fleet([make_tenant(max_in_flight=declared)])
    assert redises.said("redis-queue-times-tenants", *pair(**keys), plan=plan) == [(status, "warning")]


@pytest.mark.parametrize(
    ("look", "status"),
    [
        pytest.param({"connected_clients": 799}, "pass", id="below"),
        pytest.param({"connected_clients": 800}, "fail", id="four fifths"),
        pytest.param({"connected_clients": None}, "unknown", id="not known"),
        pytest.param({"maxclients": None}, "unknown", id="limit not known"),
        pytest.param({"reachable": False, "run_id": ""}, "unknown", id="not reached"),
    ],
)
def test_use(look: dict[str, Any], status: str, redises: Any) -> None:
    assert redises.said("redis-connections-used", redises.process(redis=redises.redis(**look))) == [(status, "error")]


@pytest.mark.parametrize(
    ("look", "status"),
    [
        pytest.param({}, "pass", id="none"),
        pytest.param({"rejected_connections": 1}, "fail", id="one"),
        pytest.param({"rejected_connections": 1, "uptime_seconds": None}, "fail", id="one, since nobody knows when"),
        pytest.param({"rejected_connections": None}, "unknown", id="not known"),
    ],
)
def test_rejected(look: dict[str, Any], status: str, redises: Any) -> None:
    said = redises.said("redis-rejected-connections", redises.process(redis=redises.redis(**look)))
    assert said == [(status, "warning")]


@pytest.mark.parametrize("rule", RULES)
def test_a_tenant_without_redis(rule: str, redises: Any) -> None:
    memory = redises.process(redis=None, environment={"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"})
    assert [status for status, _severity in redises.said(rule, memory)] == ["not_applicable"]


def test_why_something_is_not_known_is_told(redises: Any) -> None:
    refused = Unknown("maxclients", "CONFIG GET is refused", "Allow it")
    look = redises.redis(maxclients=None, unknown=(refused,))
    (finding,) = redises.judge("redis-maxclients", redises.reach(redises.process(redis=look)))
    assert (finding.message, finding.remedy) == (refused.reason, refused.remedy)
