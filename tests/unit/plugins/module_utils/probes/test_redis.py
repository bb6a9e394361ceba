"""Who a Redis server is, as a client sees it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_url
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.redis import (
    asks_for_password,
    data_node,
    identify,
    reason_of,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import ReplyError, RespError
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import RedisLogin

INFO = {
    "redis_version": "7.0.15",
    "run_id": "b4d1",
    "process_id": "12",
    "role": "master",
    "cluster_enabled": "0",
    "connected_clients": "3",
    "blocked_clients": "1",
    "rejected_connections": "2",
    "used_memory": "1000",
    "maxmemory": "5000",
    "maxmemory_policy": "volatile-lru",
    "evicted_keys": "9",
}
REFUSED = b"-NOPERM this user has no permissions to run the 'config' command\r\n"


def test_everything_is_read(servers: Any, fake_redis: Any) -> None:
    found = identify(servers.redis(fake_redis(info=INFO)), "old", db=2)
    assert (found.product, found.version, found.run_id, found.process_id) == ("redis", "7.0.15", "b4d1", 12)
    assert (found.maxclients, found.databases, found.db, found.db_keys) == (100, 16, 2, 7)
    assert (found.connected_clients, found.blocked_clients, found.rejected_connections) == (3, 1, 2)
    assert (found.maxmemory_bytes, found.used_memory_bytes, found.maxmemory_policy) == (5000, 1000, "volatile-lru")
    assert found.password_required
    assert found.keys_command
    assert not found.unknown


def test_valkey_goes_by_its_own_version(servers: Any, fake_redis: Any) -> None:
    info = {**INFO, "redis_version": "7.2.4", "valkey_version": "8.1.1"}
    found = identify(servers.redis(fake_redis(info=info)), "old")
    assert (found.product, found.version) == ("valkey", "8.1.1")


def test_what_a_managed_server_refuses_is_unknown(servers: Any, fake_redis: Any) -> None:
    refused = {"CONFIG": REFUSED, "DBSIZE": REFUSED, "COMMAND": REFUSED}
    found = identify(servers.redis(fake_redis(info=INFO, answers=refused)), "old")
    assert (found.maxclients, found.databases, found.db_keys, found.keys_command) == (None, None, None, None)
    assert set(found.unknown) == {"maxclients", "databases", "db_keys", "keys_command"}
    assert "NOPERM" in found.unknown["maxclients"]


def test_maxclients_is_also_read_from_info(servers: Any, fake_redis: Any) -> None:
    server = servers.redis(fake_redis(info={**INFO, "maxclients": "77"}, answers={"CONFIG": REFUSED}))
    assert identify(server, "old").maxclients == 77


@pytest.mark.parametrize(
    ("info", "replicas"),
    [
        pytest.param({}, None, id="not told"),
        pytest.param({"connected_slaves": "0"}, 0, id="none"),
        pytest.param(
            {
                "connected_slaves": "2",
                "slave0": "ip=192.0.2.2,port=20001,state=online,offset=7,lag=0",
                "slave1": "ip=192.0.2.3,port=20001,state=wait_bgsave,offset=0,lag=0",
                "slave_read_only": "1",
            },
            1,
            id="one that is not there yet",
        ),
    ],
)
def test_replicas_that_follow_are_counted(
    servers: Any, fake_redis: Any, info: dict[str, str], replicas: int | None
) -> None:
    assert identify(servers.redis(fake_redis(info={**INFO, **info})), "old").replicas == replicas


def test_a_renamed_command_is_missed(servers: Any, fake_redis: Any) -> None:
    assert identify(servers.redis(fake_redis(info=INFO, answers={"COMMAND": [None]})), "old").keys_command is False


@pytest.mark.parametrize(
    ("fake", "required"),
    [
        pytest.param({}, True, id="a password is set"),
        pytest.param({"passwords": set()}, False, id="open to all"),
        pytest.param(
            {"answers": {"PING": b"-DENIED Redis is running in protected mode\r\n"}}, True, id="protected mode"
        ),
    ],
)
def test_whether_strangers_are_let_in(servers: Any, fake_redis: Any, fake: dict[str, Any], required: bool) -> None:
    assert asks_for_password(servers.redis(fake_redis(**fake))) is required


def test_an_open_server_is_told_from_a_closed_one(servers: Any, fake_redis: Any) -> None:
    found = identify(servers.redis(fake_redis(info=INFO, passwords=set())))
    assert not found.password_required


@pytest.mark.parametrize(
    ("password", "db", "code"),
    [pytest.param("new", 0, "WRONGPASS", id="password"), pytest.param("old", 16, "ERR", id="database index")],
)
def test_a_refusal_is_an_error(servers: Any, fake_redis: Any, password: str, db: int, code: str) -> None:
    with pytest.raises(ReplyError) as caught:
        identify(servers.redis(fake_redis(info=INFO)), password, db=db)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "info",
    [
        pytest.param({}, id="empty"),
        pytest.param({**INFO, "connected_clients": "many"}, id="no number"),
    ],
)
def test_something_else_is_no_redis_server(servers: Any, fake_redis: Any, info: dict[str, str]) -> None:
    with pytest.raises(RespError, match="INFO"):
        identify(servers.redis(fake_redis(info=info)), "old")


def sentinel_login(*sentinels: tuple[str, int]) -> RedisLogin:
    target = redis_url.Target("first", 1, 0, tls=False, sentinels=sentinels, master="main")
    return RedisLogin(target, redis_url.IOREDIS)


def test_the_first_sentinel_that_answers_says_where_the_data_are(servers: Any, fake_redis: Any) -> None:
    answers: Any = {"SENTINEL": ["192.0.2.9", "7000"]}
    sentinel = servers.redis(fake_redis(passwords=set(), answers=answers))
    login = sentinel_login(("127.0.0.1", 1), (sentinel.host, sentinel.port))
    assert data_node(login, 5.0) == ("192.0.2.9", 7000)


@pytest.mark.parametrize("answer", [[], ["h", "no port"], "text", 7], ids=str)
def test_sentinels_that_do_not_know(servers: Any, fake_redis: Any, answer: Any) -> None:
    sentinel = servers.redis(fake_redis(passwords=set(), answers={"SENTINEL": answer}))
    with pytest.raises(RespError, match="knows no primary main"):
        data_node(sentinel_login((sentinel.host, sentinel.port)), 5.0)


@pytest.mark.parametrize(
    ("exc", "reason"),
    [
        (ReplyError("WRONGPASS x"), "auth"), (ReplyError("NOPERM x"), "auth"), (ReplyError("LOADING x"), "refused"),
        (RespError("h: its certificate is not trusted: x"), "tls"), (RespError("h: [SSL] wrong version"), "tls"),
        (RespError("h: no answer in time"), "timeout"), (RespError("h: Connection refused"), "unreachable"),
        (RespError("h: does not speak the Redis protocol"), "protocol"), (RespError("INFO has no run_id"), "protocol"),
    ],
    ids=str,
)  # fmt: skip
def test_a_word_for_what_is_wrong(exc: RespError, reason: str) -> None:
    assert reason_of(exc) == reason
