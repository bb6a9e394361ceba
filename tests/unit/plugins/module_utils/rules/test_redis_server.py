"""Rules on the Redis server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Queue, Unknown

RULES = (
    "redis-reachable", "redis-role", "redis-version", "redis-cluster-mode", "redis-keys-command", "redis-maxmemory",
    "redis-eviction-policy", "redis-evicted-keys", "redis-queue-moves",
)  # fmt: skip
AWAY = {"reachable": False, "run_id": "", "problem": "connection refused", "reason": "unreachable"}


@pytest.mark.parametrize(
    ("look", "found"),
    [
        pytest.param({}, "pass", id="reached"),
        pytest.param(AWAY, "fail", id="refused"),
        pytest.param({**AWAY, "reason": "auth", "problem": "WRONGPASS"}, "fail", id="wrong password"),
        pytest.param({**AWAY, "reachable": None, "reason": "timeout"}, "unknown", id="not answered in time"),
        pytest.param({**AWAY, "reason": "url"}, "unknown", id="its URL cannot be used"),
        pytest.param(None, "unknown", id="not asked"),
    ],
)
def test_reachable(look: dict[str, Any] | None, found: str, redises: Any) -> None:
    pair = redises.process(redis=None if look is None else redises.redis(**look))
    assert redises.said("redis-reachable", pair) == [(found, "critical")]


def test_an_instance_in_a_container_is_not_known(redises: Any) -> None:
    inside = Unknown("live", "it runs in a network of its own", "Look within")
    (finding,) = redises.judge("redis-reachable", redises.reach(redises.process(redis=None, unknown=(inside,))))
    assert (finding.status, finding.message) == ("unknown", inside.reason)


def _queue(length: int, seconds: float | None) -> dict[str, Any]:
    return {"queues": (Queue("SQL_QUERY_STANDALONE_QUEUE", length, seconds),)}


@pytest.mark.parametrize(
    ("rule", "look", "found"),
    [
        pytest.param("redis-role", {}, ("pass", "error"), id="master"),
        pytest.param("redis-role", {"role": "slave"}, ("fail", "error"), id="replica"),
        pytest.param("redis-role", {"role": ""}, ("unknown", "error"), id="role not known"),
        pytest.param("redis-version", {}, ("pass", "warning"), id="supported"),
        pytest.param("redis-version", {"product": "valkey", "version": "8.1.1"}, ("pass", "warning"), id="Valkey"),
        pytest.param("redis-version", {"version": "5.0.14"}, ("fail", "warning"), id="too old"),
        pytest.param("redis-version", {"version": ""}, ("unknown", "warning"), id="version not known"),
        pytest.param("redis-cluster-mode", {}, ("pass", "error"), id="no cluster"),
        pytest.param("redis-cluster-mode", {"cluster_enabled": True}, ("fail", "error"), id="cluster"),
        pytest.param("redis-cluster-mode", {"cluster_enabled": None}, ("unknown", "error"), id="cluster not known"),
        pytest.param("redis-keys-command", {}, ("pass", "error"), id="usable"),
        pytest.param("redis-keys-command", {"keys_command": "denied"}, ("fail", "error"), id="denied"),
        pytest.param("redis-keys-command", {"keys_command": "renamed"}, ("fail", "error"), id="renamed"),
        pytest.param("redis-keys-command", {"keys_command": None}, ("unknown", "error"), id="keys not known"),
        pytest.param("redis-maxmemory", {}, ("pass", "warning"), id="limited"),
        pytest.param("redis-maxmemory", {"maxmemory_bytes": 0}, ("fail", "warning"), id="no limit"),
        pytest.param("redis-maxmemory", {"maxmemory_bytes": None}, ("unknown", "warning"), id="limit not known"),
        pytest.param("redis-eviction-policy", {}, ("pass", "error"), id="volatile"),
        pytest.param("redis-eviction-policy", {"maxmemory_policy": "noeviction"}, ("pass", "error"), id="none goes"),
        pytest.param("redis-eviction-policy", {"maxmemory_policy": "allkeys-lru"}, ("fail", "error"), id="any goes"),
        pytest.param("redis-eviction-policy", {"maxmemory_policy": None}, ("unknown", "error"), id="policy not known"),
        pytest.param("redis-evicted-keys", {}, ("pass", "info"), id="nothing dropped"),
        pytest.param("redis-evicted-keys", {"evicted_keys": 3}, ("fail", "info"), id="results dropped"),
        pytest.param(
            "redis-evicted-keys",
            {"evicted_keys": 3, "maxmemory_policy": "allkeys-lru"},
            ("fail", "error"),
            id="anything dropped",
        ),
        pytest.param("redis-evicted-keys", {"evicted_keys": None}, ("unknown", "info"), id="dropped not known"),
        pytest.param("redis-queue-moves", {}, ("pass", "warning"), id="no queue"),
        pytest.param("redis-queue-moves", _queue(5, 119.0), ("pass", "warning"), id="moves"),
        pytest.param("redis-queue-moves", _queue(5, 121.0), ("fail", "warning"), id="stands"),
        pytest.param("redis-queue-moves", _queue(0, 121.0), ("fail", "warning"), id="only what executed stands"),
        pytest.param("redis-queue-moves", _queue(5, None), ("unknown", "warning"), id="nothing executes now"),
        pytest.param("redis-queue-moves", _queue(0, None), ("pass", "warning"), id="empty"),
        pytest.param("redis-queue-moves", {"scanned_whole": False}, ("unknown", "warning"), id="seen in part"),
        pytest.param("redis-queue-moves", {"prefixes": None}, ("unknown", "warning"), id="queue not known"),
    ],
)
def test_servers(rule: str, look: dict[str, Any], found: tuple[str, str], redises: Any) -> None:
    assert redises.said(rule, redises.process(redis=redises.redis(**look))) == [found]


@pytest.mark.parametrize("rule", RULES)
def test_a_tenant_without_redis(rule: str, redises: Any) -> None:
    memory = redises.process(redis=None, environment={"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"})
    assert [status for status, _severity in redises.said(rule, memory)] == ["not_applicable"]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "redis-reachable"])
@pytest.mark.parametrize("look", [pytest.param(AWAY, id="not reached"), pytest.param(None, id="not asked")])
def test_a_server_that_was_not_reached(rule: str, look: dict[str, Any] | None, redises: Any) -> None:
    pair = redises.process(redis=None if look is None else redises.redis(**look))
    assert [status for status, _severity in redises.said(rule, pair)] == ["unknown"]


def test_one_login_that_may_not_use_keys_is_enough(redises: Any) -> None:
    pairs = [redises.process(), redises.process("b", redis=redises.redis(keys_command="denied"))]
    assert redises.said("redis-keys-command", *pairs) == [("fail", "error")]
