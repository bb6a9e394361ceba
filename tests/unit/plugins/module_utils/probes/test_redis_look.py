"""A Redis server as an instance reaches it, served by a fake on a real socket."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_url
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.redis_look import look
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline, OutOfTimeError
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import RedisLogin

INFO = {
    "redis_version": "7.0.15", "run_id": "b4d1", "process_id": "12", "role": "master", "cluster_enabled": "0",
    "connected_clients": "3", "blocked_clients": "1", "rejected_connections": "2", "used_memory": "1000",
    "maxmemory": "5000", "maxmemory_policy": "volatile-lru", "evicted_keys": "9", "uptime_in_seconds": "77",
}  # fmt: skip
DIGEST = "0" * 32
KEYS = [
    f"SQL_QUERY_RESULT_STANDALONE_{DIGEST}",
    f"SQL_QUERY_RESULT_acme_default_{DIGEST}",
    "SQL_PRE_AGGREGATIONS_other_TABLES_USED_orders",
    "SQL_QUERY_STANDALONE_default_QUEUE",
]
CLIENTS = (
    "id=1 addr=192.0.2.1:5 laddr=x db=0 cmd=brpop\nid=2 addr=192.0.2.1:6 db=0 cmd=get\n"
    "id=3 addr=[2001:db8::1]:7 db=1 cmd=get\nid=4 addr=127.0.0.1:8 db=0 cmd=client|list\nnonsense\n"
)
ANSWERS: dict[str, Any] = {
    "CLIENT LIST": CLIENTS, "SCAN": ["0", KEYS], "ZCARD": 4, "ZRANGE": ["hash", "999000"], "KEYS": b"+QUEUED\r\n",
    "DISCARD": b"+OK\r\n", "MULTI": b"+OK\r\n",
}  # fmt: skip
WRITES = {"SET", "DEL", "EXEC", "FLUSHALL", "FLUSHDB", "LPUSH", "HSET", "EXPIRE", "EVAL", "CONFIG SET", "SHUTDOWN"}


def login(endpoint: Any, password: str | None = "old", index: int = 0, **changes: Any) -> RedisLogin:
    target = redis_url.Target(endpoint.host, endpoint.port, index, tls=False, **changes)
    return RedisLogin(target, redis_url.NODE_REDIS, password)


def seen(endpoint: Any, seconds: float = 5.0, **changes: Any) -> Any:
    return look(login(endpoint, **changes), Redactor(b"k"), Deadline.within(seconds), now=lambda: 1060.0)


def test_everything_there_is_to_see(servers: Any, fake_redis: Any) -> None:
    fake = fake_redis(info=INFO, answers=ANSWERS)
    found = seen(servers.redis(fake), index=2)
    assert (found.reachable, found.run_id, found.version, found.maxclients, found.index) == (
        True, "b4d1", "7.0.15", 100, 2,
    )  # fmt: skip
    assert (found.rejected_connections, found.maxmemory_policy, found.uptime_seconds) == (2, "volatile-lru", 77)
    assert (found.stranger_refused, found.cluster_enabled, found.keys_command) == (True, False, "usable")
    assert [(each.address, each.database, each.count) for each in found.peers] == [
        ("192.0.2.1", "0", 2), ("2001:db8::1", "1", 1),
    ]  # fmt: skip
    assert found.prefixes == ("STANDALONE", "acme_default", "other")
    queue = found.queues[0]
    assert (queue.name, queue.length, queue.oldest_heartbeat_seconds) == ("SQL_QUERY_STANDALONE_default_QUEUE", 4, 61.0)
    assert found.scanned_whole
    assert not found.unknown
    words = {each[0].upper() for each in fake.seen} | {" ".join(each[:2]).upper() for each in fake.seen}
    assert not words & WRITES


@pytest.mark.parametrize(
    ("reply", "usable"),
    [
        pytest.param(b"-NOPERM this user has no permissions to run the 'keys' command\r\n", "denied", id="denied"),
        pytest.param(b"-ERR unknown command 'KEYS', with args beginning with:\r\n", "renamed", id="renamed"),
        pytest.param(b"-ERR MULTI is not supported here\r\n", None, id="a proxy"),
        pytest.param([], None, id="run instead of queued"),
    ],
)
def test_whether_keys_may_be_used(servers: Any, fake_redis: Any, reply: Any, usable: str | None) -> None:
    found = seen(servers.redis(fake_redis(info=INFO, answers={**ANSWERS, "KEYS": reply})))
    assert found.keys_command == usable
    assert [each.what for each in found.unknown] == ([] if usable else ["keys_command"])


def test_what_a_managed_server_refuses_is_unknown(servers: Any, fake_redis: Any) -> None:
    refused = b"-NOPERM no\r\n"
    answers = {**ANSWERS, "CLIENT": refused, "CLIENT LIST": refused, "SCAN": refused, "CONFIG": refused}
    found = seen(servers.redis(fake_redis(info=INFO, answers=answers)))
    assert (found.reachable, found.peers, found.prefixes, found.maxclients) == (True, None, None, None)
    assert {each.what for each in found.unknown} == {"peers", "prefixes", "maxclients", "databases"}
    assert all(each.remedy for each in found.unknown)


def test_an_endless_scan_ends(servers: Any, fake_redis: Any) -> None:
    fake = fake_redis(info=INFO, answers={**ANSWERS, "SCAN": ["1", KEYS]})
    assert not seen(servers.redis(fake)).scanned_whole
    assert sum(each[0] == "SCAN" for each in fake.seen) == 20


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"password": "wrong-planted"}, "auth", id="wrong password"),
        pytest.param({"password": None}, "auth", id="no password"),
        pytest.param({"index": 16}, "refused", id="no such index"),
    ],
)
def test_what_does_not_serve_the_instance(servers: Any, fake_redis: Any, changes: dict[str, Any], reason: str) -> None:
    found = seen(servers.redis(fake_redis(info=INFO, answers=ANSWERS)), **changes)
    assert (found.reachable, found.reason) == (False, reason)
    assert "planted" not in repr(found)


def saying(data: bytes, wait: float = 0.0) -> Any:
    def talk(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(data)
        time.sleep(wait)
        client.close()

    return talk


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        pytest.param(saying(b"", 3), "timeout", id="hangs"),
        pytest.param(saying(b"$500\r\nhalf"), "unreachable", id="half a reply"),
        pytest.param(saying(b"+" + b"x" * 2**20), "protocol", id="a line of 1 MB"),
        pytest.param(saying(bytes(range(256)) + b"\r\n"), "protocol", id="binary"),
        pytest.param(saying(b"HTTP/1.1 400 Bad\r\n\r\n"), "protocol", id="another protocol"),
        pytest.param(saying(b""), "unreachable", id="hangs up"),
    ],
)
def test_malformed_replies(servers: Any, talk: Any, reason: str) -> None:
    began = time.monotonic()
    found = seen(servers.tcp(talk), seconds=0.6)
    assert (found.reachable, found.reason) == (False, reason)
    assert len(found.problem) <= 303
    assert time.monotonic() - began < 2


def test_a_server_that_turns_mad_after_its_identity(servers: Any, fake_redis: Any) -> None:
    answers = {**ANSWERS, "SCAN": b"*2\r\n$1\r\n0\r\n:7\r\n"}
    found = seen(servers.redis(fake_redis(info=INFO, answers=answers)))
    assert (found.reachable, found.run_id) == (True, "b4d1")
    assert [each.what for each in found.unknown] == ["everything"]


def test_hostile_texts_are_one_short_line(servers: Any, fake_redis: Any) -> None:
    info = {**INFO, "run_id": "<script>" * 1000, "maxmemory_policy": "a\x1bb"}
    keys = [f"SQL_QUERY_RESULT_{'<b>' * 200}_{DIGEST}", "x" * 2**20]
    found = seen(servers.redis(fake_redis(info=info, answers={**ANSWERS, "SCAN": ["0", keys]})))
    assert (len(found.run_id), found.maxmemory_policy) == (67, "a b")
    assert len(found.prefixes[0]) == 103


def test_behind_sentinel(servers: Any, fake_redis: Any) -> None:
    data = servers.redis(fake_redis(info=INFO, answers=ANSWERS))
    address: Any = [data.host, str(data.port)]
    sentinel = servers.redis(fake_redis(passwords=set(), answers={"SENTINEL": address}))
    found = seen(sentinel, sentinels=((sentinel.host, 1), (sentinel.host, sentinel.port)), master="main")
    assert (found.port, found.run_id, found.master) == (data.port, "b4d1", "main")
    assert len(found.sentinels) == 2


def test_without_time_nothing_is_begun(servers: Any, fake_redis: Any) -> None:
    fake = fake_redis(info=INFO)
    with pytest.raises(OutOfTimeError):
        seen(servers.redis(fake), seconds=0.0)
    assert fake.seen == []
