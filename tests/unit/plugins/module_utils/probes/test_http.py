"""HTTP over sockets and ports, with servers that misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import (
    MAX_BODY_BYTES,
    Address,
    HttpError,
    Response,
    get,
)

Behaviour = Callable[[socket.socket], None]


@contextlib.contextmanager
def server(listener: socket.socket, behaviour: Behaviour) -> Iterator[None]:
    """Serve one connection."""
    listener.listen(1)

    def serve() -> None:
        with contextlib.suppress(OSError):
            client, _unused = listener.accept()
            with client:
                behaviour(client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.close()
        thread.join(5)


def answering(text: str) -> Behaviour:
    """Return a server that reads a request and sends a text."""

    def behave(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(text.encode())

    return behave


def ask(tmp_path: Path, behaviour: Behaviour, timeout: float = 5.0) -> Response:
    """Ask a server on a Unix socket."""
    listener = socket.socket(socket.AF_UNIX)
    path = str(tmp_path / "s")
    listener.bind(path)
    with server(listener, behaviour):
        return get(Address(socket_path=path), "/readyz", {"Authorization": "token"}, timeout)


def test_the_first_of_two_headers_counts(tmp_path: Path) -> None:
    sent = "Strict-Transport-Security: max-age=60\r\nStrict-Transport-Security: max-age=63072000\r\n"
    answer = ask(tmp_path, answering(f"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{sent}\r\n"))
    assert answer.headers["Strict-Transport-Security"] == "max-age=60"


def test_the_answer_over_a_unix_socket(tmp_path: Path) -> None:
    requests = []

    def behave(client: socket.socket) -> None:
        requests.append(client.recv(65536).decode())
        client.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nX-A: b\r\n\r\nbody")

    answer = ask(tmp_path, behave)
    assert (answer.status, answer.body, answer.headers["X-A"]) == (500, "body", "b")
    lines = requests[0].split("\r\n")
    assert lines[0] == "GET /readyz HTTP/1.1"
    assert {"Host: localhost", "Authorization: token"} < set(lines)


def test_the_answer_over_tcp() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with server(listener, answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")):
        assert get(Address(port=listener.getsockname()[1]), "/").body == "ok"


def test_a_body_without_an_end_is_cut(tmp_path: Path) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            client.sendall(b"x" * 65536)

    assert len(ask(tmp_path, behave).body) == MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "closed the connection without an answer", id="nothing"),
        pytest.param("SSH-2.0-OpenSSH\r\n\r\n", "does not speak HTTP", id="another protocol"),
        pytest.param("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "", id="ends too early"),
    ],
)
def test_what_is_no_answer_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    if not said:
        assert ask(tmp_path, answering(text)).body == "short"
        return
    with pytest.raises(HttpError, match=said):
        ask(tmp_path, answering(text))


def test_silence_and_dripping_end_in_time(tmp_path: Path) -> None:
    def drip(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            client.sendall(b"x")
            time.sleep(0.05)

    began = time.monotonic()
    with pytest.raises(HttpError, match="no answer in time"):
        ask(tmp_path, drip, timeout=0.4)
    assert time.monotonic() - began < 2


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(HttpError, match=f"{tmp_path}/none: No such file"):
        get(Address(socket_path=str(tmp_path / "none")), "/")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(HttpError, match=f"127.0.0.1:{port}: Connection refused"):
        get(Address(port=port), "/")


def test_after_an_upgrade_nothing_more_is_waited_for(tmp_path: Path) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
        client.recv(1)  # until the other side has hung up

    began = time.monotonic()
    assert ask(tmp_path, behave).status == 101
    assert time.monotonic() - began < 2
