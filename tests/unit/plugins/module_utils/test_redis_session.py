"""An administrator's connection, to a server in memory."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import (
    ImmutableError,
    InstancesError,
    NotReadyError,
    SettingRefusedError,
    digest,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_session import LiveSession, Login, settings_of
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Endpoint


def session(servers: Any, fake: Any) -> LiveSession:
    found = Login(servers.redis(fake), "old").session()
    assert found is not None
    return found


def test_a_wrong_password_is_told_from_trouble(servers: Any, fake_redis: Any) -> None:
    server = servers.redis(fake_redis())
    assert Login(server, "wrong").session() is None
    with Login(server, "old").session() or pytest.fail("not taken"):
        pass
    with pytest.raises(NotReadyError, match="Connection refused"):
        Login(Endpoint(port=1), "old")


def test_a_server_without_password_is_let_in_to(servers: Any, fake_redis: Any) -> None:
    with Login(servers.redis(fake_redis(passwords=set())), "any").session() or pytest.fail("not taken"):
        pass


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        pytest.param("PING", b"-LOADING Redis is loading the dataset in memory\r\n", id="loading"),
        pytest.param("AUTH", b"-ERR max number of clients reached\r\n", id="full"),
    ],
)
def test_a_server_that_is_not_ready_is_not_a_wrong_password(
    servers: Any, fake_redis: Any, command: str, reply: bytes
) -> None:
    with pytest.raises(NotReadyError, match=reply[1:8].decode()):
        Login(servers.redis(fake_redis(answers={command: reply})), "old").session()


def test_what_a_server_says_of_itself(servers: Any, fake_redis: Any) -> None:
    with session(servers, fake_redis(info={"process_id": "7", "used_memory": "123"})) as live:
        assert live.config()["maxclients"] == "100"
        assert (live.process_id(), live.used_memory()) == (7, 123)
        assert live.password_digests() == {digest("old")}


def test_what_is_always_asked_comes_with_the_login_and_is_not_kept(servers: Any, fake_redis: Any) -> None:
    fake = fake_redis()
    with session(servers, fake) as live:
        asked = len(fake.seen)
        assert live.config()["maxclients"] == "100"
        assert len(fake.seen) == asked
        fake.config["maxclients"] = "7"
        assert live.config()["maxclients"] == "7"


def test_what_came_with_the_login_is_forgotten_by_a_change(servers: Any, fake_redis: Any) -> None:
    with session(servers, fake_redis()) as live:
        live.set("maxclients", "5")
        assert live.config()["maxclients"] == "5"


def test_a_refusal_that_came_with_the_login_is_raised_where_it_is_asked_for(servers: Any, fake_redis: Any) -> None:
    refusal = {"INFO": b"-NOPERM this user has no permissions\r\n"}
    with session(servers, fake_redis(answers=refusal)) as live, pytest.raises(InstancesError, match="NOPERM"):
        live.process_id()


def test_a_server_open_to_all_says_so(servers: Any, fake_redis: Any) -> None:
    with session(servers, fake_redis(passwords=set())) as live:
        assert live.password_digests() == {""}


def test_settings_are_set_refused_or_immutable(servers: Any, fake_redis: Any) -> None:
    fake = fake_redis(refused=("maxmemory",))
    with session(servers, fake) as live:
        live.set("maxclients", "5")
        with pytest.raises(ImmutableError):
            live.set("databases", "5")
        with pytest.raises(SettingRefusedError, match="argument 'maxmemory'"):
            live.set("maxmemory", "5")
    assert fake.config["maxclients"] == "5"


def test_the_words_of_redis_6_for_immutable(servers: Any, fake_redis: Any) -> None:
    fake = fake_redis(answers={"CONFIG": b"-ERR Unsupported CONFIG parameter: databases\r\n"})
    with session(servers, fake) as live, pytest.raises(ImmutableError):
        live.set("databases", "5")


def test_the_password_is_changed_at_one_stroke(servers: Any, fake_redis: Any) -> None:
    fake = fake_redis()
    with session(servers, fake) as live:
        live.set_password("new", ())
        assert live.password_digests() == {digest("new")}
        assert live.config()["requirepass"] == "new"
    assert [words[0] for words in fake.seen if words[0] in ("MULTI", "EXEC")] == ["MULTI", "EXEC"]


def test_old_passwords_are_kept_in_the_same_stroke(servers: Any, fake_redis: Any) -> None:
    fake = fake_redis()
    with session(servers, fake) as live:
        live.set_password("new", {digest("older")})
        assert live.password_digests() == {digest("new"), digest("old"), digest("older")}
    assert fake.seen.index(["MULTI"]) < [words[:2] for words in fake.seen].index(["ACL", "SETUSER"])


@pytest.mark.parametrize(
    "passwords",
    [pytest.param({digest("old"), digest("older")}, id="another one too"), pytest.param(set(), id="none needed")],
)
def test_what_is_in_besides_the_wanted_password_is_dropped(servers: Any, fake_redis: Any, passwords: set[str]) -> None:
    fake = fake_redis(passwords=passwords)
    with session(servers, fake) as live:
        live.set_password("old", ())
        assert live.password_digests() == {digest("old")}


def test_a_refused_password_is_not_shown(servers: Any, fake_redis: Any) -> None:
    refusal = {"EXEC": [b"-ERR cannot use planted\r\n"]}
    with session(servers, fake_redis(answers=refusal)) as live, pytest.raises(SettingRefusedError) as caught:
        live.set_password("planted", ())
    assert "planted" not in str(caught.value)


def test_a_certificate_is_read_again_from_where_it_is(servers: Any, fake_redis: Any) -> None:
    fake = fake_redis()
    fake.config["tls-cert-file"] = "/etc/x.crt"
    with session(servers, fake) as live:
        live.reload_certificate()
    assert ["CONFIG", "SET", "tls-cert-file", "/etc/x.crt"] in fake.seen


def test_a_server_that_dies_is_said(servers: Any, fake_redis: Any) -> None:
    with session(servers, fake_redis()) as live:
        servers.listeners[0].close()
        live.config()
        with pytest.raises(InstancesError):
            live.config()


def test_settings_of_a_private_server(servers: Any, fake_redis: Any, tmp_path: Any) -> None:
    servers.redis(fake_redis(passwords=set()), tmp_path / "s")
    assert settings_of(str(tmp_path / "s"))["databases"] == "16"
