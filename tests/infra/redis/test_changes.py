"""Redis instances that are changed while clients use them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

HOSTS = ("bookworm", "bullseye", "trixie", "valkey", "shared")
NEW_PASSWORD = "plantedOther4Gk8sWq1ZtXe"
THIRD_PASSWORD = "plantedThird6Lm2yUa0HvRn"
BRING_UP = "cubeops.cubejs.redis : Bring the instances up to date, one at a time"


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def changed(run: Any) -> set[str]:
    """Return the tasks that changed something."""
    assert run.status == 0, run.output
    return {task for _host, task in run.changed}


def everywhere(fleet: Any, name: str) -> list[Any]:
    """Return the instance of that name on every host."""
    return [fleet(host, name) for host in HOSTS]


def alive_again(redis: Any, before: int, password: str | None = None) -> bool:
    """Return whether a new process of the instance answers."""
    return redis.pid not in (0, before) and "PONG" in redis.cli("PING", password=password)


def test_clients_stay_while_password_and_limits_change(fleet: Any, mended: Any) -> None:
    plain, over_tls = everywhere(fleet, "acme"), everywhere(fleet, "globex")
    pids = [redis.pid for redis in plain + over_tls]
    wanted = {
        "acme_password": NEW_PASSWORD,
        "acme_maxclients": 900,
        "acme_maxmemory_bytes": 50331648,
        "acme_settings": {"maxmemory-policy": "volatile-lfu", "save": ["600 1", "60 1000"]},
    }
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(redis.held_client()) for redis in plain]
        clients += [stack.enter_context(redis.held_client(ca="/etc/cubejs/redis/ca.crt")) for redis in over_tls]
        foretold = mended("all", "--check", "--diff", **wanted).changed
        run = mended("all", **wanted)
        assert run.status == 0, run.output
        assert run.changed == foretold
        assert not changed(mended("all", **wanted)), "the second run changed something"
    assert [client["trouble"] for client in clients] == [None] * 10
    assert min(client["answers"] for client in clients) > 100
    for redis in plain:
        assert "NOAUTH" in redis.cli("PING")
        assert redis.setting("maxclients", NEW_PASSWORD) == "900"
        assert redis.setting("maxmemory", NEW_PASSWORD) == "50331648"
        assert redis.setting("maxmemory-policy", NEW_PASSWORD) == "volatile-lfu"
        assert redis.setting("save", NEW_PASSWORD) == "600 1 60 1000"
    # Taken out of the inventory again, the settings go back and the process still is the same.
    mended("all")
    for redis in plain:
        assert redis.setting("save") == "300 1"
        assert redis.setting("maxmemory-policy") == "volatile-lru"
    assert [redis.pid for redis in plain + over_tls] == pids


def test_what_cannot_change_live_restarts_that_instance_alone(fleet: Any, mended: Any) -> None:
    plain, over_tls = everywhere(fleet, "acme"), everywhere(fleet, "globex")
    before, others = [redis.pid for redis in plain], [redis.pid for redis in over_tls]
    for redis in plain:
        redis.cli("SET", "kept", "over the restart")
    assert BRING_UP in changed(mended("all", acme_databases=20))
    assert [redis.pid for redis in over_tls] == others
    for redis, pid in zip(plain, before):
        assert redis.pid != pid
        assert redis.setting("databases") == "20"
        assert redis.cli("GET", "kept") == "over the restart"


def test_nothing_changes_after_config_rewrite_and_after_a_kill(fleet: Any) -> None:
    killed = everywhere(fleet, "globex")
    before = [redis.pid for redis in killed]
    for redis, pid in zip(killed, before):
        assert fleet(redis.host_name, "acme").cli("CONFIG", "REWRITE") == "OK"
        redis.host.check_output(f"kill -9 {pid}")
    for redis, pid in zip(killed, before):
        wait_for(lambda redis=redis, pid=pid: alive_again(redis, pid))
    assert not changed(fleet.converge("all"))


def test_a_rewritten_file_brings_no_old_password_back(fleet: Any, mended: Any) -> None:
    """CONFIG REWRITE writes the default user with its password, which would win over requirepass at the next start."""
    instances = everywhere(fleet, "acme")
    for redis in instances:
        redis.cli("CONFIG", "REWRITE")
        assert "user default" in redis.host.check_output("cat /var/lib/cubejs-redis/acme/redis.conf")
    mended("all", acme_password=NEW_PASSWORD)
    before = [redis.pid for redis in instances]
    for redis, pid in zip(instances, before):
        redis.host.check_output(f"kill -9 {pid}")
    for redis, pid in zip(instances, before):
        wait_for(lambda redis=redis, pid=pid: alive_again(redis, pid, NEW_PASSWORD))
    assert not changed(mended("all", acme_password=NEW_PASSWORD))


@pytest.fixture
def long_pause(fleet: Any) -> Iterator[Any]:
    """Return an instance that systemd starts again five minutes after it ended, when a run has long come by."""
    redis = fleet("bookworm", "acme")
    folder = f"/run/systemd/system/{redis.unit}.d"
    drop_in = f"mkdir -p {folder} && printf '[Service]\\nRestartSec=300\\n' >{folder}/pause.conf"
    redis.host.check_output(f"{drop_in} && systemctl daemon-reload")
    yield redis
    redis.host.check_output(f"rm -r {folder} && systemctl daemon-reload")
    assert fleet.converge("bookworm").status == 0


def test_a_run_in_the_pause_after_a_kill_starts_it(fleet: Any, long_pause: Any) -> None:
    long_pause.host.check_output(f"kill -9 {long_pause.pid}")
    assert BRING_UP in changed(fleet.converge("bookworm", "--tags", "redis"))
    assert long_pause.cli("PING") == "PONG"


def test_what_was_changed_by_hand_is_put_back(fleet: Any) -> None:
    redis = fleet("bookworm", "acme")
    before = redis.pid
    redis.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    redis.cli("CONFIG", "SET", "slowlog-max-len", "7")
    redis.cli("ACL", "SETUSER", "default", "nopass")
    run = fleet.converge("bookworm")
    assert changed(run) == {BRING_UP}
    assert redis.setting("maxmemory-policy") == "volatile-lru"
    assert redis.setting("slowlog-max-len") == "128"
    assert "NOAUTH" in redis.cli("PING", password="")
    assert redis.pid == before


def test_a_password_is_changed_after_runs_that_were_killed(fleet: Any, mended: Any) -> None:
    """The file has a new password and the process an old one; then the process starts with a password nobody used."""
    redis = fleet("bookworm", "acme")
    killed = ("--tags", "redis_install,redis_configure")
    mended("bookworm", *killed, acme_password=NEW_PASSWORD)
    mended("bookworm", *killed, acme_password=THIRD_PASSWORD)
    assert redis.cli("PING") == "PONG"
    assert BRING_UP in changed(mended("bookworm", acme_password=THIRD_PASSWORD))
    assert redis.cli("PING", password=THIRD_PASSWORD) == "PONG"

    mended("bookworm", *killed, acme_password=NEW_PASSWORD)
    before = redis.pid
    redis.host.check_output(f"kill -9 {before}")
    wait_for(lambda: alive_again(redis, before, NEW_PASSWORD))
    with redis.held_client(password=NEW_PASSWORD) as client:
        mended("bookworm")
    assert client["trouble"] is None
    assert redis.cli("PING") == "PONG"


def test_old_passwords_work_for_as_long_as_wanted(fleet: Any, mended: Any) -> None:
    instances = everywhere(fleet, "acme")
    assert BRING_UP in changed(mended("all", acme_password=NEW_PASSWORD, redis_old_passwords_kept=True))
    for redis in instances:
        assert redis.cli("PING", password=NEW_PASSWORD) == redis.cli("PING") == "PONG"
    assert not changed(mended("all", acme_password=NEW_PASSWORD, redis_old_passwords_kept=True))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(redis.held_client()) for redis in instances]
        assert changed(mended("all", acme_password=NEW_PASSWORD)) == {BRING_UP}
    assert [client["trouble"] for client in clients] == [None] * 5
    for redis in instances:
        assert "NOAUTH" in redis.cli("PING")


def test_a_password_that_somebody_else_set_is_not_guessed(fleet: Any, mended: Any) -> None:
    redis = fleet("bookworm", "acme")
    redis.cli("CONFIG", "SET", "requirepass", "handmade0Jd7sKp2mVq")
    run = fleet.converge("bookworm")
    assert run.status != 0
    assert "somebody else changed it" in run.output
    assert "systemctl restart cubejs-redis@acme.service" in run.output
    redis.host.check_output("systemctl restart cubejs-redis@acme.service")
    assert not changed(mended("bookworm"))


def test_a_new_certificate_is_taken_up_live(fleet: Any, mended: Any) -> None:
    instances = everywhere(fleet, "globex")
    before = [redis.pid for redis in instances]
    names = {"globex_more_names": ["redis2.globex.example"]}
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(redis.held_client(ca="/etc/cubejs/redis/ca.crt")) for redis in instances]
        mended("all", **names)
        for redis in instances:
            shown = redis.host.check_output(
                "openssl s_client -connect 127.0.0.1:20002 </dev/null 2>/dev/null | openssl x509 -noout -text"
            )
            assert "DNS:redis2.globex.example" in shown
        assert not changed(mended("all", **names))
    assert [client["trouble"] for client in clients] == [None] * 5
    assert [redis.pid for redis in instances] == before


def test_an_instance_that_is_not_listed_is_reported_and_runs_on(fleet: Any, mended: Any) -> None:
    redis = fleet("bookworm", "globex")
    before = redis.pid
    only = {
        "name": "acme",
        "port": 20001,
        "password": redis.password,
        "maxclients": 500,
        "maxmemory_bytes": 67108864,
    }
    run = mended("bookworm", redis_instances=[only])
    assert run.status == 0, run.output
    assert "not listed are left alone: globex" in run.output
    assert redis.pid == before
    redis.host.check_output(f"kill -9 {before}")
    wait_for(lambda: alive_again(redis, before))


def test_a_changed_unit_restarts_and_is_gated(fleet: Any, mended: Any) -> None:
    redis = fleet("trixie", "acme")
    before = redis.pid
    foretold = changed(mended("trixie", "--check", redis_open_files_limit=16384))
    assert changed(mended("trixie", redis_open_files_limit=16384)) == foretold
    assert redis.pid != before
    assert "16384" in redis.host.check_output(f"grep 'open files' /proc/{redis.pid}/limits")


REFUSED_HERE = {
    "acme_settings": {"maxmemory-policy": "allkeys-lru", "bind": "0.0.0.0"},
    "acme_bind": ["localhost"],
    "acme_maxclients": 14,
    "acme_password": "short1",
    "acme_port": 20002,
}
REFUSED_BY_THE_SERVER = {"acme_settings": {"maxmemory-polcy": "noeviction"}, "acme_bind": ["127.0.0.1", "192.0.2.7"]}


@pytest.mark.parametrize("mode", ["run", "check"])
@pytest.mark.parametrize(
    ("variables", "messages"),
    [
        pytest.param(
            REFUSED_HERE,
            ("allkeys-", "write bind of the instance", "'localhost'", "from 15 to", "fewer than 16", "given 2 times"),
            id="all that needs no server, at once",
        ),
        pytest.param(
            REFUSED_BY_THE_SERVER,
            ("maxmemory-polcy", "Bad directive", "bind 192.0.2.7: this host has no such address"),
            id="a directive that it does not know and an address that is not there",
        ),
        pytest.param(
            {"acme_settings": {"slowlog-max-len": "many"}}, ("slowlog-max-len", "integer"), id="a value that it refuses"
        ),
        pytest.param({"redis_version": 7.0}, ("in quotes",), id="version as a float"),
    ],
)
def test_a_bad_setting_is_refused_and_nothing_is_touched(
    fleet: Any, variables: dict[str, Any], messages: tuple[str, ...], mode: str
) -> None:
    redis = fleet("bookworm", "acme")
    before = redis.pid, redis.file("conf").content_string, redis.setting("maxclients")
    run = fleet.converge("bookworm", *(["--check", "--diff"] if mode == "check" else []), **variables)
    assert run.status != 0
    assert [message for message in messages if message not in run.output] == [], run.output
    assert (redis.pid, redis.file("conf").content_string, redis.setting("maxclients")) == before


def test_a_port_that_is_taken_is_said(fleet: Any, mended: Any) -> None:
    redis = fleet("shared", "acme")
    redis.host.check_output("systemctl stop cubejs-redis@acme")
    redis.host.check_output("redis-cli -p 6379 CONFIG SET port 20001")
    run = mended("shared")
    redis.host.check_output("redis-cli -p 20001 CONFIG SET port 6379")
    assert run.status != 0
    assert "something else listens on 127.0.0.1:20001" in run.output


def test_clients_beyond_the_kernels_file_limit_are_not_promised(fleet: Any, mended: Any) -> None:
    """The test hosts give 20000 files, whatever the unit asks for."""
    run = mended("bookworm", acme_maxclients=30000)
    assert run.status != 0
    assert "maxclients" in run.output
    assert "redis_open_files_limit" in run.output


def test_no_secret_is_shown(fleet: Any, mended: Any) -> None:
    runs = [
        mended(
            "bookworm", "-vvv", "--diff", acme_password=NEW_PASSWORD, acme_settings={"masterauth": "plantedMaster8Yb"}
        ),
        mended("bookworm", "-vvv", "--diff", "--check"),
        mended("bookworm", "-vvv", "--diff", acme_settings={"requirepass": "x", "no-such-thing": 1}),
    ]
    for run in runs:
        text = run.output.replace(json.dumps({"acme_password": NEW_PASSWORD})[1:-1], "")
        assert "plantedAcme" not in text
        assert "plantedGlobex" not in text
        assert "plantedOther" not in text
        assert "plantedMaster" not in text
