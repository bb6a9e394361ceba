"""What is refused, and what the messages say."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_refusals import Limits, problems

HOST = Limits(2**30, 1024)
GOOD: dict[str, Any] = {
    "name": "acme",
    "port": 20001,
    "bind": ["127.0.0.1", "::1", "-10.0.0.1"],
    "password": "Zy8gT4kqP0vBn3Lw",
    "maxclients": 15,
    "maxmemory_bytes": 2**26,
    "databases": 16,
    "tls": False,
    "tls_names": [],
    "settings": {"maxmemory-policy": "volatile-lfu", "save": ["1 2", "3 4"], "appendonly": True},
}


def test_a_good_instance_is_not_refused() -> None:
    assert problems([GOOD], HOST) == []
    assert problems([{**GOOD, "maxclients": 992}], HOST) == []


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        pytest.param("name", "Acme", "'Acme': write lower-case", id="capital"),
        pytest.param("name", "a/b", "write lower-case", id="path"),
        pytest.param("name", "", "write lower-case", id="no name"),
        pytest.param("name", 7, "7: write lower-case", id="number for a name"),
        pytest.param("port", 0, "0: write a whole number from 1 to 65535", id="port 0"),
        pytest.param("port", 65536, "from 1 to 65535", id="port beyond"),
        pytest.param("port", "six", "'six': write a whole number", id="port in words"),
        pytest.param("port", True, "True: write a whole number", id="a boolean is no number"),
        pytest.param("maxclients", 14, "from 15 to 992", id="fewer than the checklist's 15"),
        pytest.param("maxclients", 993, "raise redis_open_files_limit", id="more than files"),
        pytest.param("maxmemory_bytes", 1000, "from 16777216", id="too little memory"),
        pytest.param("maxmemory_bytes", None, "the memory of this host is not known", id="memory unknown"),
        pytest.param("databases", 0, "from 1 to", id="no database"),
        pytest.param("bind", [], "write a list of addresses", id="bound nowhere"),
        pytest.param("bind", "127.0.0.1", "write a list of addresses", id="text for a list"),
        pytest.param("bind", ["redis.example"], "'redis.example' is no IP address", id="name for an address"),
        pytest.param("password", None, "missing", id="no password"),
        pytest.param("password", "short1", "fewer than 16", id="short password"),
        pytest.param("password", "a" * 20, "different characters", id="uniform password"),
        pytest.param("password", "Zy8g T4kq P0vB n3Lw", "white space", id="password with a space"),
        pytest.param("password", "Zy8gT4kqP0vBn3Lü", "white space, or a character", id="password beyond ASCII"),
        pytest.param("tls", "yes", "'yes': write true or false", id="text for a boolean"),
        pytest.param("tls", True, "tls_names: empty", id="TLS without names"),
        pytest.param("settings", ["a"], "write directives", id="list for settings"),
        pytest.param("settings", {"maxmemory-policy": "allkeys-lru"}, "queue, which have no expiry", id="allkeys-lru"),
        pytest.param("settings", {"MAXMEMORY-POLICY": "allkeys-random"}, "write one of", id="allkeys in capitals"),
        pytest.param("settings", {"port": 1}, "write port of the instance instead", id="option given twice"),
        pytest.param("settings", {"rename-command": "KEYS x"}, "keeps it as it has to be", id="renamed command"),
        pytest.param("settings", {"include": "/etc/x"}, "is not set here", id="include"),
        pytest.param("settings", {"user": "x"}, "is not set here", id="user"),
        pytest.param("settings", {"a b": 1}, "is no directive", id="no directive"),
        pytest.param("settings", {"slowlog-max-len": "1\nport 1"}, "on one line", id="line break"),
        pytest.param("settings", {"slowlog-max-len": None}, "on one line", id="nothing"),
        pytest.param("settings", {"slowlog-max-len": {"a": 1}}, "on one line", id="mapping"),
    ],
)
def test_what_cannot_be_meant_is_refused(key: str, value: object, message: str) -> None:
    found = problems([{**GOOD, key: value}], HOST)
    assert len(found) == 1
    assert message in found[0]
    assert "redis_instances[" in found[0]


def test_unknown_keys_are_named_with_the_nearest() -> None:
    assert problems([{**GOOD, "maxclient": 3}], HOST) == [
        "redis_instances[acme].maxclient: there is no such key; did you mean maxclients?"
    ]
    assert "known are name, port" in problems([{**GOOD, "zzz": 3}], HOST)[0]


@pytest.mark.parametrize("key", ["name", "port"])
def test_two_of_one_name_or_port_are_refused(key: str) -> None:
    other = {**GOOD, "name": "globex", "port": 20002, key: GOOD[key]}
    assert problems([GOOD, other], HOST) == [
        f"redis_instances: {key} {GOOD[key]!r} is given 2 times: each needs its own"
    ]


def test_passwords_are_never_shown() -> None:
    assert "planted" not in str(problems([{**GOOD, "password": "planted 1"}, {**GOOD, "password": "planted"}], HOST))


def test_all_problems_of_all_instances_are_told_once() -> None:
    bad = {**GOOD, "port": 0, "bind": []}
    assert len(problems([bad, {**bad, "name": "globex"}, bad], HOST)) == 6


REPLICATED = {**GOOD, "bind": ["10.0.0.6", "127.0.0.1"], "replication": {"primary": "10.0.0.5"}}


def test_a_good_replicated_instance_is_not_refused() -> None:
    assert problems([REPLICATED], HOST) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"replication": {"primary": "redis1"}}, "write {primary: ADDRESS}", id="a name"),
        pytest.param({"replication": {}}, "write {primary: ADDRESS}", id="nothing"),
        pytest.param({"replication": "10.0.0.5"}, "write {primary: ADDRESS}", id="a text"),
        pytest.param({"replication": {"primary": "127.0.0.1"}}, "write an address they reach", id="loopback"),
        pytest.param({"tls": True, "tls_names": ["a"]}, "cannot ask for TLS", id="TLS"),
        pytest.param({"bind": ["127.0.0.1", "10.0.0.6"]}, "127.0.0.1 comes first", id="loopback first"),
        pytest.param({"bind": ["0.0.0.0"]}, "0.0.0.0 comes first", id="everywhere"),
        pytest.param({"password": "Zy8gT4kqP0'vBn3Lw"}, "quote or backslash", id="password"),
        pytest.param({"settings": {"masterauth": "x"}}, "write replication of the instance", id="masterauth"),
        pytest.param({"settings": {"replicaof": "a 1"}}, "write replication of the instance", id="replicaof"),
    ],
)
def test_what_cannot_be_replicated(changed: dict[str, Any], message: str) -> None:
    found = problems([{**REPLICATED, **changed}], HOST)
    assert len(found) == 1
    assert message in found[0]
