"""The Redis protocol: what is sent, what is understood, and that nonsense ends in one error."""

from __future__ import annotations

import datetime
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import pki_store
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import (
    Connection,
    Endpoint,
    ReplyError,
    RespError,
    Tls,
    encode,
    info_fields,
    pairs,
)


def saying(data: bytes) -> Any:
    """Return a server that sends this to whoever asks anything, and hangs up."""

    def talk(client: socket.socket) -> None:
        client.recv(1024)
        client.sendall(data)
        client.close()

    return talk


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        pytest.param(("PING",), b"*1\r\n$4\r\nPING\r\n", id="one word"),
        pytest.param(("SELECT", 3), b"*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n", id="a number"),
        pytest.param(("AUTH", "a\r\nb"), b"*2\r\n$4\r\nAUTH\r\n$4\r\na\r\nb\r\n", id="a line break is data"),
        pytest.param(("SET", "ü", ""), b"*3\r\n$3\r\nSET\r\n$2\r\n\xc3\xbc\r\n$0\r\n\r\n", id="bytes are counted"),
    ],
)
def test_commands_are_encoded(words: tuple[Any, ...], sent: bytes) -> None:
    assert encode(words) == sent


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        pytest.param(b"+PONG\r\n", "PONG", id="status"),
        pytest.param(b":-42\r\n", -42, id="number"),
        pytest.param(b"$4\r\na\r\nb\r\n", "a\r\nb", id="string with a line break"),
        pytest.param(b"$0\r\n\r\n", "", id="empty string"),
        pytest.param(b"$-1\r\n", None, id="nothing"),
        pytest.param(b"*-1\r\n", None, id="no list"),
        pytest.param(b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", ["a", [1]], id="nested list"),
        pytest.param(b"*0\r\n", [], id="empty list"),
    ],
)
def test_replies_are_understood(servers: Any, data: bytes, reply: object) -> None:
    with Connection(servers.tcp(saying(data))) as connection:
        assert connection.call("ANY") == reply


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(b"\x16\x03\x01\x02\r\n", id="TLS"),
        pytest.param(b":1e9\r\n", id="no number"),
        pytest.param(b":" + b"9" * 5000 + b"\r\n", id="a number of 5000 digits"),
        pytest.param(b"$99999999999\r\n", id="an endless string"),
        pytest.param(b"$-2\r\n", id="a negative length"),
        pytest.param(b"*99999999\r\n", id="an endless list"),
        pytest.param(b"*1\r\n" * 20, id="lists without end"),
        pytest.param(b"$3\r\nabcdef\r\n", id="more than it says"),
        pytest.param(b"+" + b"x" * 100_000, id="a line without end"),
        pytest.param(b"$5\r\nab", id="cut off"),
        pytest.param(b"", id="hung up"),
        pytest.param(b"\r\n", id="empty line"),
    ],
)
def test_nonsense_is_one_error(servers: Any, data: bytes) -> None:
    with Connection(servers.tcp(saying(data))) as connection, pytest.raises(RespError, match=r"^127\.0\.0\.1:"):
        connection.call("PING")


def test_a_refusal_has_its_code(servers: Any) -> None:
    with Connection(servers.tcp(saying(b"-WRONGPASS invalid\r\n"))) as connection:
        with pytest.raises(ReplyError, match=r"^WRONGPASS invalid$") as caught:
            connection.authenticate("x", "user")
        assert caught.value.code == "WRONGPASS"


def test_a_pipeline_returns_refusals_among_replies(servers: Any, fake_redis: Any) -> None:
    with Connection(servers.redis(fake_redis())) as connection:
        connection.authenticate("old")
        replies = connection.pipeline([("PING",), ("NOSUCH",), ("DBSIZE",)])
    assert (replies[0], replies[2]) == ("PONG", 7)
    assert isinstance(replies[1], ReplyError)


def test_silence_ends_in_time(servers: Any) -> None:
    endpoint = servers.tcp(lambda _client: time.sleep(5))
    started = time.monotonic()
    with Connection(endpoint, timeout=0.2) as connection, pytest.raises(RespError, match=r"no answer in time"):
        connection.call("PING")
    assert time.monotonic() - started < 2


def test_a_trickle_ends_in_time(servers: Any) -> None:
    def trickle(client: socket.socket) -> None:
        for _unused in range(100):
            client.sendall(b"+")
            time.sleep(0.05)

    with Connection(servers.tcp(trickle), timeout=0.3) as connection, pytest.raises(RespError, match="no answer"):
        connection.call("PING")


def test_nobody_there_is_said() -> None:
    with pytest.raises(RespError, match=r"127\.0\.0\.1:1: Connection refused"):
        Connection(Endpoint(port=1))
    with pytest.raises(RespError, match=r"/nowhere/s: No such file"):
        Connection(Endpoint(socket_path="/nowhere/s"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a CA and a certificate for redis.example and 127.0.0.1."""
    directory = tmp_path_factory.mktemp("ca")
    request = pki_store.Request("redis", ("redis.example", "127.0.0.1"), None, None)
    terms = pki_store.Terms(datetime.datetime.now(datetime.timezone.utc), 30, 100)
    pki_store.keep(directory, [request], terms)
    return directory


def tls_endpoint(servers: Any, fake: Any, authority: Path, tls: Tls) -> Endpoint:
    kept = next(authority.rglob("redis*.crt")), next(authority.rglob("redis*.key"))
    plain = servers.tls(fake, *kept)
    return Endpoint(plain.host, plain.port, tls=tls)


@pytest.mark.parametrize("name", ["redis.example", None], ids=["by name", "by the address connected to"])
def test_tls_is_verified(servers: Any, fake_redis: Any, authority: Path, name: str | None) -> None:
    endpoint = tls_endpoint(servers, fake_redis(), authority, Tls(str(authority / "ca.crt"), name))
    with Connection(endpoint) as connection:
        connection.authenticate("old")
        assert connection.call("PING") == "PONG"
        assert connection.peer_certificate()


@pytest.mark.parametrize(
    ("use_own_ca", "name"),
    [pytest.param(True, "other.example", id="another name"), pytest.param(False, "redis.example", id="another CA")],
)
def test_a_certificate_that_does_not_fit_is_refused(
    servers: Any, fake_redis: Any, authority: Path, use_own_ca: bool, name: str
) -> None:
    tls = Tls(str(authority / "ca.crt") if use_own_ca else None, name)
    with pytest.raises(RespError, match="its certificate is not trusted"):
        Connection(tls_endpoint(servers, fake_redis(), authority, tls))


def test_a_certificate_can_be_looked_at_without_trust(servers: Any, fake_redis: Any, authority: Path) -> None:
    with Connection(tls_endpoint(servers, fake_redis(), authority, Tls(verify=False))) as connection:
        assert connection.peer_certificate()


def test_tls_to_a_server_in_the_clear_is_one_error(servers: Any, fake_redis: Any) -> None:
    plain = servers.tcp(saying(b"-ERR unknown command\r\n"))
    with pytest.raises(RespError):
        Connection(Endpoint(plain.host, plain.port, tls=Tls()), timeout=2)


def test_a_missing_ca_file_is_one_error(servers: Any, fake_redis: Any) -> None:
    plain = servers.redis(fake_redis())
    with pytest.raises(RespError, match="No such file"):
        Connection(Endpoint(plain.host, plain.port, tls=Tls("/nowhere/ca.crt")))


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        pytest.param(Endpoint("redis.example", 20001), "redis.example:20001", id="name"),
        pytest.param(Endpoint("::1", 20001), "[::1]:20001", id="IPv6"),
        pytest.param(Endpoint(socket_path="/run/s"), "/run/s", id="socket"),
    ],
)
def test_endpoints_are_named(endpoint: Endpoint, text: str) -> None:
    assert str(endpoint) == text


def test_pairs_and_info_are_read() -> None:
    assert pairs(["a", "1", "b", None]) == {"a": "1", "b": ""}
    assert info_fields("# Server\r\nrun_id:abc\r\n\r\nused:1:2\r\n") == {"run_id": "abc", "used": "1:2"}


@pytest.mark.parametrize("reply", [["odd"], "text", 3, None, ReplyError("ERR no")])
def test_replies_of_another_kind_are_one_error(reply: Any) -> None:
    with pytest.raises(RespError):
        pairs(reply)
    with pytest.raises(RespError):
        info_fields(None if isinstance(reply, str) else reply)
