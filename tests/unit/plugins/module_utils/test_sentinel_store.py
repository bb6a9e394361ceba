"""Sentinels as they answer, served by a fake on a real socket, and the file that one keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_sentinel import LOGIN, SentinelError
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Endpoint
from ansible_collections.cubeops.cubejs.plugins.module_utils.sentinel_store import LiveSentinel, primary_of

ASKED = "SENTINEL GET-MASTER-ADDR-BY-NAME ACME"
ROW = ["name", "acme", "ip", "10.0.0.5", "port", "20001", "flags", "master", "quorum", "2"]
STATE = 'port 26379\nsentinel monitor acme 10.0.0.5 20001 2\nsentinel auth-pass acme "plantedAcme8fQ2"\n'
NOWHERE = Endpoint("127.0.0.1", 1)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "sentinel.conf"
    path.write_text(STATE)
    return path


def fake(fake_redis: Any, **answers: Any) -> Any:
    return fake_redis(passwords=set(), answers={"SENTINEL MASTERS": [ROW], ASKED: ["10.0.0.6", "20001"], **answers})


def test_the_first_that_knows_a_primary_is_believed(servers: Any, fake_redis: Any) -> None:
    ignorant = servers.redis(fake_redis(passwords=set(), answers={ASKED: []}))
    knows = servers.redis(fake(fake_redis))
    assert primary_of("acme", [NOWHERE, ignorant, knows]) == "10.0.0.6"
    assert primary_of("acme", [NOWHERE, ignorant]) is None
    assert primary_of("acme", []) is None


def test_what_is_watched_and_the_password_that_only_the_file_has(servers: Any, fake_redis: Any, state: Path) -> None:
    found = LiveSentinel(servers.redis(fake(fake_redis)), [], state).known()
    assert list(found) == ["acme"]
    assert (found["acme"].host, found["acme"].port, found["acme"].flags) == ("10.0.0.5", 20001, "master")
    assert (found["acme"].settings["quorum"], found["acme"].settings[LOGIN]) == ("2", "plantedAcme8fQ2")


def test_others_are_asked_for_the_primary(servers: Any, fake_redis: Any, state: Path) -> None:
    assert LiveSentinel(NOWHERE, [servers.redis(fake(fake_redis))], state).present_primary("acme") == "10.0.0.6"


def test_commands_are_sent_in_order(servers: Any, fake_redis: Any, state: Path) -> None:
    server = fake(fake_redis, SENTINEL=b"+OK\r\n")
    LiveSentinel(servers.redis(server), [], state).tell([("REMOVE", "acme"), ("MONITOR", "acme", "10.0.0.5", "1", "2")])
    assert server.seen == [["SENTINEL", "REMOVE", "acme"], ["SENTINEL", "MONITOR", "acme", "10.0.0.5", "1", "2"]]


def test_a_refusal_does_not_show_the_password(servers: Any, fake_redis: Any, state: Path) -> None:
    live = LiveSentinel(servers.redis(fake(fake_redis, SENTINEL=b"-ERR no plantedNew8fQ2\r\n")), [], state)
    with pytest.raises(SentinelError, match="SENTINEL SET acme auth-pass is refused") as caught:
        live.tell([("SET", "acme", LOGIN, "plantedNew8fQ2")])
    assert "planted" not in str(caught.value)


def test_one_that_does_not_answer_is_said(state: Path) -> None:
    with pytest.raises(SentinelError, match=r"it does not answer: 127\.0\.0\.1:1: "):
        LiveSentinel(NOWHERE, [], state).known()


def test_a_missing_file_is_said(servers: Any, fake_redis: Any, tmp_path: Path) -> None:
    with pytest.raises(SentinelError, match="cannot be read"):
        LiveSentinel(servers.redis(fake(fake_redis)), [], tmp_path / "none").known()


def test_moments_end(state: Path) -> None:
    assert len(list(LiveSentinel(NOWHERE, [], state).moments(0.0))) == 1
