"""Rules on who gets at Redis."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Listener

RULES = ("redis-password", "redis-listens-privately", "redis-tls")
PUBLIC = "8.8.8.8"


@pytest.mark.parametrize(
    ("look", "found"),
    [
        pytest.param({}, "pass", id="asked for"),
        pytest.param({"stranger_refused": False}, "fail", id="not asked for"),
        pytest.param({"stranger_refused": None}, "unknown", id="not known"),
        pytest.param({"reachable": False, "run_id": ""}, "unknown", id="not reached"),
    ],
)
def test_password(look: dict[str, Any], found: str, redises: Any) -> None:
    assert redises.said("redis-password", redises.process(redis=redises.redis(**look))) == [(found, "error")]


def test_one_way_without_a_password_is_enough(redises: Any) -> None:
    pairs = [redises.process(), redises.process("b", redis=redises.redis(stranger_refused=False))]
    assert redises.said("redis-password", *pairs) == [("fail", "error")]


def _listens(*addresses: str, own: tuple[str, ...] = ("10.0.0.1",)) -> dict[str, Any]:
    return {"listening": tuple(Listener("tcp", address, 6401) for address in addresses), "addresses": own}


@pytest.mark.parametrize(
    ("host", "look", "found"),
    [
        pytest.param(_listens("127.0.0.1"), {}, ("pass", "error"), id="loopback"),
        pytest.param(_listens("127.0.0.1", "10.0.0.1"), {}, ("pass", "error"), id="a private address"),
        pytest.param(_listens("0.0.0.0"), {}, ("fail", "warning"), id="everywhere"),
        pytest.param(_listens("::"), {}, ("fail", "warning"), id="everywhere, IPv6"),
        pytest.param(_listens("0.0.0.0", own=("10.0.0.1", PUBLIC)), {}, ("fail", "error"), id="everywhere, in public"),
        pytest.param(_listens("127.0.0.1", PUBLIC), {}, ("fail", "error"), id="a public address"),
        pytest.param(_listens(), {}, ("unknown", "error"), id="not seen"),
        pytest.param(_listens("127.0.0.1"), {"host": "10.0.0.9"}, ("unknown", "error"), id="on a host not looked at"),
        pytest.param(_listens("127.0.0.1"), {"host": PUBLIC}, ("fail", "error"), id="reached in public"),
    ],
)
def test_listening(host: dict[str, Any], look: dict[str, Any], found: tuple[str, str], redises: Any) -> None:
    pair = redises.process(redis=redises.redis(**look))
    assert redises.said("redis-listens-privately", pair, hosts={"one": host}) == [found]


def test_the_host_of_redis_is_found_by_its_address(redises: Any) -> None:
    pair = redises.process(redis=redises.redis(host="10.0.0.7"))
    hosts = {"store": _listens("0.0.0.0", own=("10.0.0.7",)), "one": _listens("127.0.0.1")}
    assert redises.said("redis-listens-privately", pair, hosts=hosts) == [("fail", "warning")]
    # An address that several hosts have, such as a bridge's, is nobody's.
    hosts["other"] = _listens(own=("10.0.0.7",))
    assert redises.said("redis-listens-privately", pair, hosts=hosts) == [("unknown", "error")]


@pytest.mark.parametrize(
    ("look", "connections", "found"),
    [
        pytest.param({}, {}, ("not_applicable", "warning"), id="on its host"),
        pytest.param({"host": "localhost"}, {}, ("not_applicable", "warning"), id="on its host, by name"),
        pytest.param({"host": "10.0.0.1"}, {}, ("not_applicable", "warning"), id="on its host, by address"),
        pytest.param({"host": "10.0.0.9"}, {}, ("fail", "warning"), id="elsewhere"),
        pytest.param({"host": PUBLIC}, {}, ("fail", "error"), id="elsewhere, in public"),
        pytest.param({"host": "10.0.0.9", "tls": True}, {}, ("pass", "warning"), id="elsewhere with TLS"),
        pytest.param({"host": "redis"}, {"10.0.0.9:6401": 2}, ("fail", "warning"), id="a name, connected elsewhere"),
        pytest.param({"host": "redis"}, {"127.0.1.1:6401": 2}, ("not_applicable", "warning"), id="a name of its own"),
        pytest.param({"host": "redis"}, {"10.0.0.9:3306": 2}, ("unknown", "warning"), id="a name, not connected"),
        pytest.param(
            {"tls": True, "reachable": False, "run_id": "", "reason": "tls"}, {}, ("unknown", "warning"), id="TLS fails"
        ),
        pytest.param(
            {"host": "", "reason": "url", "reachable": False, "run_id": ""}, {}, ("unknown", "warning"), id="bad URL"
        ),
    ],
)
def test_tls(look: dict[str, Any], connections: dict[str, int], found: tuple[str, str], redises: Any) -> None:
    pair = redises.process(redis=redises.redis(**look), connections=connections)
    assert redises.said("redis-tls", pair, hosts={"one": {"addresses": ("10.0.0.1",)}}) == [found]


def test_tls_where_nobody_looked(redises: Any) -> None:
    assert redises.said("redis-tls", redises.process(redis=None)) == [("unknown", "warning")]


@pytest.mark.parametrize("rule", RULES)
def test_a_tenant_without_redis(rule: str, redises: Any) -> None:
    memory = redises.process(redis=None, environment={"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"})
    assert [status for status, _severity in redises.said(rule, memory)] == ["not_applicable"]
