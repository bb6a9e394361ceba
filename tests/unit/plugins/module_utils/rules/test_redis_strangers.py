"""Rules on others in the Redis of a tenant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Peers, Unknown

RULES = ("redis-other-deployments", "redis-other-clients")
REFUSED = Unknown("prefixes", "NOPERM", "Allow SCAN")


@pytest.mark.parametrize(
    ("look", "process", "missing", "found"),
    [
        pytest.param({}, {}, {}, "pass", id="its own"),
        pytest.param({"prefixes": ()}, {}, {}, "pass", id="no keys yet"),
        pytest.param({"prefixes": ("STANDALONE", "OTHER")}, {}, {}, "fail", id="another's"),
        pytest.param({"prefixes": ("STANDALONE_default",)}, {}, {}, "fail", id="an earlier version's"),
        pytest.param(
            {"prefixes": ("STANDALONE", "STANDALONE_default")},
            {"prefix": "STANDALONE_default"},
            {},
            "pass",
            id="cut at an underscore",
        ),
        pytest.param({"prefixes": ("OTHER",)}, {}, {"two": "left out"}, "unknown", id="perhaps a missing host's"),
        pytest.param({"prefixes": ("OTHER",)}, {"prefix": None}, {}, "unknown", id="chosen in code"),
        pytest.param({"scanned_whole": False}, {}, {}, "unknown", id="not looked at whole"),
        pytest.param(
            {"scanned_whole": False, "db_keys": None}, {}, {}, "unknown", id="not looked at whole, nor counted"
        ),
        pytest.param({"scanned_whole": False, "prefixes": ("OTHER",)}, {}, {}, "fail", id="a part suffices"),
        pytest.param({"prefixes": None, "unknown": (REFUSED,)}, {}, {}, "unknown", id="refused"),
        pytest.param({"reachable": False, "run_id": ""}, {}, {}, "unknown", id="not reached"),
    ],
)
def test_prefixes(
    look: dict[str, Any], process: dict[str, Any], missing: dict[str, str], found: str, redises: Any
) -> None:
    pair = redises.process(redis=redises.redis(**look), **process)
    assert redises.said("redis-other-deployments", pair, missing=missing) == [(found, "error")]


def test_a_tenant_beside_is_no_other_deployment(redises: Any) -> None:
    look = redises.redis(prefixes=("STANDALONE", "BETA"))
    pairs = [redises.process(redis=look), redises.process("b", tenant="beta", prefix="BETA", redis=look)]
    assert redises.said("redis-other-deployments", *pairs) == [("pass", "error")]


def test_each_index_is_judged_by_itself(redises: Any) -> None:
    other = redises.process("b", tenant="beta", redis=redises.redis(run_id="run-acme", index=1, prefixes=("X",)))
    findings = redises.judge("redis-other-deployments", redises.reach(redises.process(), other))
    assert [(each.subject, each.status, each.tenant) for each in findings] == [
        ("one:6401/0", "pass", "acme"), ("one:6401/1", "fail", "beta"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("peers", "look", "missing", "found"),
    [
        pytest.param((), {}, {}, "pass", id="nobody"),
        pytest.param((Peers("127.0.0.1", "0", 8), Peers("192.0.2.1", "0", 1)), {}, {}, "pass", id="this very host"),
        pytest.param((Peers("/run/redis.sock", "0", 1),), {}, {}, "pass", id="by a socket"),
        pytest.param((Peers("192.0.2.2", "0", 8),), {}, {}, "pass", id="another host that was looked at"),
        pytest.param((Peers("192.0.2.9", "0", 8),), {}, {}, "fail", id="elsewhere"),
        pytest.param((Peers("192.0.2.9", "1", 8),), {}, {}, "pass", id="elsewhere, at another index"),
        pytest.param((Peers("192.0.2.9", "0", 8),), {}, {"three": "left out"}, "unknown", id="perhaps a missing host"),
        pytest.param((Peers("127.0.0.1", "0", 8),), {"host": "192.0.2.8"}, {}, "fail", id="loopback of who knows whom"),
        pytest.param(None, {}, {}, "unknown", id="not told"),
        pytest.param((), {"reachable": False, "run_id": ""}, {}, "unknown", id="not reached"),
    ],
)
def test_clients(
    peers: tuple[Peers, ...] | None, look: dict[str, Any], missing: dict[str, str], found: str, redises: Any
) -> None:
    hosts = {"one": {"addresses": ("192.0.2.1",)}, "two": {"addresses": ("192.0.2.2",)}}
    pair = redises.process(redis=redises.redis(peers=peers, **look))
    assert redises.said("redis-other-clients", pair, hosts=hosts, missing=missing) == [(found, "warning")]


@pytest.mark.parametrize("rule", RULES)
def test_a_tenant_without_redis(rule: str, redises: Any) -> None:
    memory = redises.process(redis=None, environment={"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"})
    assert [status for status, _severity in redises.said(rule, memory)] == ["not_applicable"]
