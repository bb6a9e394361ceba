"""The live half: recorded instances whose Redis, HTTP and journal are real small servers."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import Clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import probing
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.host_reading import read_host
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.probing import Live, Tools, Wanted, look
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.processes import Proc
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import mysql

INFO = {
    "redis_version": "7.0.15", "run_id": "b4d1", "process_id": "12", "role": "master", "connected_clients": "3",
    "blocked_clients": "1", "rejected_connections": "2", "used_memory": "1000", "maxmemory": "5000",
    "maxmemory_policy": "volatile-lru", "evicted_keys": "9",
}  # fmt: skip
SECRET = "planted-Vh3sPq8ZtW1nXb6RkL0yDf5Gm"


class Stage:
    """A recorded host, and what its instances talk to."""

    def __init__(self, recording: Any, servers: Any, fake_redis: Any) -> None:
        self.recording = recording
        self.servers = servers
        self.redis = servers.redis(fake_redis(info=INFO, answers={"SCAN": ["0", []], "CLIENT": ""}))
        self.paths: list[str] = []
        recording.packages("/srv/cube")

    def cube(self, wait: float = 0.0) -> int:
        """Serve as Cube does; return the port."""

        def talk(client: socket.socket) -> None:
            request = client.recv(65536).decode()
            if not request:
                return  # the test is over
            self.paths.append(request.split(" ")[1])
            time.sleep(wait)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\nit is running in production mode")
            client.close()

        port: int = self.servers.tcp(talk).port
        return port

    def instance(self, pid: int, port: int, **environ: str) -> None:
        """Start a process whose environment leads to the servers."""
        given = {
            "NODE_ENV": "production", "PORT": str(port), "CUBEJS_API_SECRET": SECRET, "CUBEJS_REDIS_PASSWORD": "old",
            "CUBEJS_REDIS_URL": f"redis://127.0.0.1:{self.redis.port}/1", **environ,
        }  # fmt: skip
        self.recording.process(pid, ["node", "node_modules/.bin/cubejs-server"], "/srv/cube", given)

    def look(self, sleep: Any = lambda _seconds: None, lines: Any = None, **wanted: Any) -> Live:
        """Ask everything."""
        redactor = Redactor(b"k")
        reading = read_host(self.recording.places, redactor)
        tools = Tools(
            redactor,
            Proc(str(self.recording.proc)),
            Clock(sleep=sleep),
            time.time,
            lines or (lambda *_given: ([], True)),
        )
        return look(reading.found, Wanted(**{"deadline_seconds": 5.0, "settle_seconds": 0.1, **wanted}), tools)


@pytest.fixture
def stage(recording: Any, servers: Any, fake_redis: Any) -> Stage:
    """Return a host with Redis and no instance yet."""
    return Stage(recording, servers, fake_redis)


def test_a_healthy_instance(stage: Stage) -> None:
    stage.instance(5, stage.cube())
    live = stage.look()
    (seen,) = live.instances
    assert seen.http is not None
    assert (seen.http.mode, seen.http.same_process, seen.http.answers["readyz"].status) == ("production", True, 200)
    assert stage.paths[-1] == "/readyz"
    redis = live.redis[seen.redis]
    assert (redis.run_id, redis.index, redis.reachable) == ("b4d1", 1, True)
    assert [each.what for each in seen.unknown] == ["journal"]
    assert SECRET not in repr(live)


def test_readyz_is_never_asked_while_redis_is_away(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    stage.instance(5, stage.cube(), CUBEJS_REDIS_URL=f"redis://127.0.0.1:{port}/1")
    live = stage.look()
    (seen,) = live.instances
    assert (live.redis[seen.redis].reachable, live.redis[seen.redis].reason) == (False, "unreachable")
    assert seen.http is not None
    assert "readyz" not in seen.http.answers
    assert "/readyz" not in stage.paths
    assert "/livez" in stage.paths
    told = {each.what: each.reason for each in seen.http.unknown}
    assert told == {"readyz": "it was not asked: Redis was not reached, and /readyz would end the process"}


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        pytest.param({"CUBEJS_REDIS_PASSWORD": "wrong"}, {}, id="the password is refused"),
        pytest.param({"CUBEJS_REDIS_URL": "127.0.0.1:6379"}, {}, id="the URL cannot be read"),
        pytest.param({}, {"probes": frozenset({"http"})}, id="Redis is not asked"),
        pytest.param({"HANGS": "1"}, {"deadline_seconds": 1.0}, id="Redis hangs"),
    ],
)
def test_nor_when_it_is_not_known_to_be_there(stage: Stage, environ: dict[str, str], wanted: dict[str, Any]) -> None:
    if "HANGS" in environ:
        hanging = stage.servers.tcp(lambda _client: time.sleep(3))
        environ = {"CUBEJS_REDIS_URL": f"redis://127.0.0.1:{hanging.port}"}
    stage.instance(5, stage.cube(), **environ)
    stage.look(**wanted)
    assert "/readyz" not in stage.paths


def test_with_the_memory_driver_there_is_no_redis_to_wait_for(stage: Stage) -> None:
    stage.instance(5, stage.cube(), CUBEJS_CACHE_AND_QUEUE_DRIVER="memory")
    live = stage.look()
    assert live.redis == {}
    assert stage.paths[-1] == "/readyz"


def test_a_process_that_died_of_it_is_seen(stage: Stage) -> None:
    stage.instance(5, stage.cube())
    stat = stage.recording.proc / "5/stat"

    def die(_seconds: float) -> None:
        stat.write_text(stat.read_text().replace("50000", "60000"))

    (seen,) = stage.look(sleep=die).instances
    assert seen.http is not None
    assert seen.http.same_process is False


def test_instances_with_one_login_share_one_look(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Any] = []
    real = probing.redis_look.look
    monkeypatch.setattr(probing.redis_look, "look", lambda *given: looks.append(given) or real(*given))
    for pid in range(5, 15):
        stage.instance(pid, stage.cube())
    stage.instance(20, stage.cube(), CUBEJS_REDIS_PASSWORD="another")
    live = stage.look()
    assert len(looks) == len(live.redis) == 2
    assert len({each.redis for each in live.instances}) == 2


def test_everything_hangs_and_nothing_takes_longer_than_the_deadline(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = stage.servers.tcp(lambda _client: time.sleep(20))

    def forever(*_given: Any) -> Any:
        time.sleep(20)

    monkeypatch.setattr(probing.mysql_look, "look", forever)
    for pid in range(5, 55):
        stage.instance(
            pid, hanging.port, CUBEJS_REDIS_URL=f"redis://127.0.0.1:{hanging.port}/{pid}",
            CUBEJS_EXT_DB_TYPE="mysql", CUBEJS_EXT_DB_HOST=f"h{pid}",
        )  # fmt: skip
    stage.recording.unit("cube.service", "[Service]\nExecStart=/usr/bin/node cubejs.js\n")
    began = time.monotonic()
    live = stage.look(lines=forever, deadline_seconds=1.5, reach=(("127.0.0.1", hanging.port),))
    assert time.monotonic() - began < 15, "one that hangs does so for 20 s"
    assert len(live.instances) == 51
    running = [each for each in live.instances if each.running]
    assert not any(each.http and each.http.answers for each in running)
    assert {live.redis[each.redis].reason for each in running} == {"timeout"}
    storage = [live.mysql[each.storage] for each in running]
    assert {(each.reachable, each.reason) for each in storage} == {(None, "timeout")}
    assert [each.what for each in live.unknown] == ["journal"]
    assert live.reach[0].state == "open"


def test_without_a_mysql_client_mysql_is_unknown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql, "pymysql", None)
    monkeypatch.setenv("PATH", "/nowhere")
    stage.instance(5, stage.cube(), CUBEJS_EXT_DB_TYPE="mysql", CUBEJS_EXT_DB_PASS="planted-storage")
    live = stage.look()
    found = live.mysql[live.instances[0].storage]
    assert (found.reachable, found.reason) == (None, "no_client")
    assert "python3-pymysql" in found.unknown[0].reason
    assert "planted" not in repr(live)


def test_a_port_that_is_none_is_told(stage: Stage) -> None:
    stage.instance(5, stage.cube(), CUBEJS_EXT_DB_TYPE="mysql", CUBEJS_EXT_DB_PORT="planted")
    (seen,) = stage.look().instances
    assert ("storage", "the port of the storage is none: write 1 to 65535") in [
        (each.what, each.reason) for each in seen.unknown
    ]


def test_another_network_is_not_asked(stage: Stage) -> None:
    """127.0.0.1 of a container is not ours."""
    stage.instance(5, stage.cube())
    (stage.recording.proc / "5/ns").mkdir()
    (stage.recording.proc / "5/ns/net").symlink_to("net:[7]")
    live = stage.look()
    assert (live.instances[0].http, live.redis, stage.paths) == (None, {}, [])
    assert "live" in [each.what for each in live.instances[0].unknown]


def test_the_journal_is_each_units_own(stage: Stage) -> None:
    stage.recording.unit("cube.service", "[Service]\nExecStart=/usr/bin/node cubejs.js\n")
    row = {"_SYSTEMD_UNIT": "cube.service", "MESSAGE": "EADDRINUSE", "__REALTIME_TIMESTAMP": "5000000"}

    def lines(_command: Sequence[str], _seconds: float) -> tuple[list[bytes], bool]:
        return [json.dumps(row).encode()], True

    (seen,) = stage.look(lines=lines).instances
    assert seen.journal is not None
    assert (seen.journal.counts, seen.journal.last_at) == ({"address_in_use": 1}, {"address_in_use": 5.0})


def test_nothing_is_asked_when_nothing_is_wanted(stage: Stage) -> None:
    stage.instance(5, stage.cube())
    live = stage.look(probes=frozenset())
    assert (live.instances[0].http, live.redis, stage.paths) == (None, {}, [])


def test_it_is_asked_where_it_listens(stage: Stage) -> None:
    """PORT may have been set in the project's code."""
    port = stage.cube()
    stage.instance(5, 1)
    (stage.recording.proc / "5/fd/3").symlink_to("socket:[77]")
    stage.recording.listen("77", port=port)
    (seen,) = stage.look().instances
    assert seen.http is not None
    assert seen.http.address == f"127.0.0.1:{port}"
