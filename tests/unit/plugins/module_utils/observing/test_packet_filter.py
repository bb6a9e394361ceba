"""What nft lists of our table; tests/infra/firewall asks the nft of each Debian."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import FirewallSeen
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import packet_filter
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.packet_filter import (
    EVERYBODY,
    PacketFilterError,
    parse,
    read,
)

DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}
ACCEPT = {"accept": None}
HOOK = {"name": "input", "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}
Items = list[dict[str, Any]]


def rule(chain: str, *expressions: Any) -> dict[str, Any]:
    """Return a rule as nft lists it."""
    return {"rule": {"family": "inet", "table": "cubeops", "chain": chain, "handle": 9, "expr": list(expressions)}}


def source(right: Any, protocol: str = "ip", op: str = "==") -> dict[str, Any]:
    """Return a match on who sends."""
    return {"match": {"op": op, "left": {"payload": {"protocol": protocol, "field": "saddr"}}, "right": right}}


def table(*more: dict[str, Any], services: Any = None, guarded: Any = None) -> Items:
    """Return a table as the role loads it, with a Redis on port 20001, and what is added."""
    doors = [[20001, {"jump": {"target": "redis-acme"}}]] if services is None else services
    return [
        {"metainfo": {"version": "1.0.6"}},
        {"table": {"family": "inet", "name": "cubeops"}},
        {"map": {"name": "services", "type": "inet_service", "map": "verdict", "elem": doors}},
        {"set": {"name": "guarded", "type": "inet_service", "elem": [20001] if guarded is None else guarded}},
        {"chain": HOOK},
        {"chain": {"name": "redis-acme"}},
        rule("input", {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}}, ACCEPT),
        rule("input", {"vmap": {"key": DPORT, "data": "@services"}}),
        rule(
            "input", {"match": {"op": "==", "left": DPORT, "right": "@guarded"}},
            {"counter": {"packets": 7, "bytes": 420}}, {"reject": {"type": "tcp reset"}},
        ),
        *more,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "networks"),
    [
        pytest.param([], (), id="nobody"),
        pytest.param([rule("redis-acme", source("192.0.2.7"), ACCEPT)], ("192.0.2.7",), id="one"),
        pytest.param(
            [
                rule(
                    "redis-acme",
                    source({"set": ["192.0.2.7", {"prefix": {"addr": "198.51.100.0", "len": 24}}]}),
                    ACCEPT,
                )
            ],
            ("192.0.2.7", "198.51.100.0/24"),
            id="a set",
        ),
        pytest.param(
            [rule("redis-acme", source({"set": [{"range": ["192.0.2.2", "192.0.2.4"]}]}), ACCEPT)],
            ("192.0.2.2/31", "192.0.2.4"),
            id="a range",
        ),
        pytest.param(
            [
                rule("redis-acme", source("192.0.2.7"), ACCEPT),
                rule("redis-acme", source({"prefix": {"addr": "2001:db8::", "len": 64}}, "ip6"), ACCEPT),
            ],
            ("192.0.2.7", "2001:db8::/64"),
            id="both families",
        ),
        pytest.param([rule("redis-acme", ACCEPT)], EVERYBODY, id="everybody"),
    ],
)
def test_who_is_admitted(rules: Items, networks: tuple[str, ...]) -> None:
    assert parse(table(*rules)) == FirewallSeen(True, {"20001": networks})


@pytest.mark.parametrize(
    ("items", "words"),
    [
        pytest.param(
            table(rule("input", {"match": {"op": "==", "left": DPORT, "right": 20001}}, ACCEPT)),
            "chain input is not as the role loads it",
            id="one more rule",
        ),
        pytest.param(
            [each for each in table() if "@guarded" not in json.dumps(each)], "chain input is not", id="one rule less"
        ),
        pytest.param(
            [each if each.get("chain") != HOOK else {"chain": {"name": "input"}} for each in table()],
            "chain input is not",
            id="without its hook",
        ),
        pytest.param(table({"chain": {**HOOK, "name": "more"}}), "chain more judges packets", id="a chain more"),
        pytest.param(table(guarded=[]), "port 20001 has clients and is open to all", id="not guarded"),
        pytest.param(
            table(rule("redis-acme", source("192.0.2.7", op="!="), ACCEPT)), "redis-acme has a rule", id="all but one"
        ),
        pytest.param(
            table(rule("redis-acme", source("192.0.2.7"), {"drop": None})), "redis-acme has a rule", id="a drop"
        ),
    ],
)
def test_what_the_role_does_not_load_is_strange(items: Items, words: str) -> None:
    found = parse(items).strange
    assert len(found) == 1
    assert words in found[0]


def test_a_port_without_a_chain_admits_nobody_or_everybody() -> None:
    assert parse(table(services=[])).admitted == {"20001": ()}
    assert parse(table(services=[[20001, ACCEPT]])).admitted == {"20001": EVERYBODY}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param("Error: No such file or directory\nlist table inet cubeops", FirewallSeen(False), id="no table"),
        pytest.param(
            "Operation not permitted (you must be root)\nnetlink: Error", "Operation not permitted", id="user"
        ),
        pytest.param("Error: JSON support not compiled-in", "JSON support", id="no JSON"),
        pytest.param("", "it ended with 1", id="nothing said"),
    ],
)
def test_what_nft_does_not_list(said: str, expected: FirewallSeen | str) -> None:
    def call(_command: object) -> tuple[int, str, str]:
        return 1, "", said

    if isinstance(expected, str):
        with pytest.raises(PacketFilterError, match=expected):
            read(call)
    else:
        assert read(call) == expected


def test_without_nft_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_filter, "COMMAND", ("/nowhere/nft",))
    assert read() == FirewallSeen(loaded=False)


@pytest.mark.parametrize("printed", ["", "[]", "{}", '{"nftables": [{"rule": {}}]}', '{"nftables": 7}'])
def test_what_is_not_understood_is_no_pass(printed: str) -> None:
    with pytest.raises(PacketFilterError, match="not understood"):
        read(lambda _command: (0, printed, ""))


def test_a_program_that_may_not_be_run(tmp_path: Any) -> None:
    with pytest.raises(PacketFilterError, match="cannot be run"):
        packet_filter.run([str(tmp_path)])


def test_a_program_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_filter, "CALL_SECONDS", 0.1)
    with pytest.raises(PacketFilterError, match="did not end in time"):
        packet_filter.run(["/bin/sleep", "10"])
