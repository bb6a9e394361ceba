"""The quick start's client, against real TLS servers on loopback."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import pki
from cube import Cube, CubeError, sign

NAME = "cube.acme.example"


class Answers(BaseHTTPRequestHandler):
    """Answers with what it was given, in turn, and remembers what it was asked."""

    answers: ClassVar[list[tuple[int, str]]] = []
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        """Answer once."""
        self.asked.append((self.path, self.headers["Authorization"]))
        status, body = self.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Keep quiet."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cube]:
    """Serve over TLS with a certificate for NAME, signed by an authority made for it."""
    folder = tmp_path_factory.mktemp("tls")
    now = datetime.datetime.now(datetime.timezone.utc)
    authority, stranger = pki.new_ca(pki.new_key(), now), pki.new_ca(pki.new_key(), now)
    leaf = pki.issue(authority, [NAME], now)
    (folder / "ca.crt").write_bytes(authority.certificate_pem())
    (folder / "stranger.crt").write_bytes(stranger.certificate_pem())
    (folder / "leaf.pem").write_bytes(pki.key_pem(leaf.key) + leaf.certificate_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem")
    server = HTTPServer(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Cube(NAME, "127.0.0.1", folder / "ca.crt", server.server_port)
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _nothing_asked() -> None:
    Answers.answers.clear()
    Answers.asked.clear()


def test_a_token_is_what_the_standard_says() -> None:
    header, payload, signature = sign("secret", 60, now=1000.9).split(".")
    padded = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (header, payload, signature)]
    assert json.loads(padded[0]) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(padded[1]) == {"exp": 1060}
    assert padded[2] == hmac.new(b"secret", f"{header}.{payload}".encode(), hashlib.sha256).digest()


def test_load_asks_again_as_long_as_cube_says_so(served: Cube) -> None:
    Answers.answers[:] = [(200, '{"error": "Continue wait"}'), (200, '{"data": [1]}')]
    assert served.load({"limit": 3}, "token") == {"data": [1]}
    assert len(Answers.asked) == 2
    path, authorization = Answers.asked[0]
    assert urlsplit(path).path == "/cubejs-api/v1/load"
    assert json.loads(parse_qs(urlsplit(path).query)["query"][0]) == {"limit": 3}
    assert authorization == "token"


def test_load_gives_up(served: Cube) -> None:
    Answers.answers[:] = [(200, '{"error": "Continue wait"}')]
    with pytest.raises(CubeError, match="still asked to wait"):
        served.load({}, "token", patience_seconds=-1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param((403, '{"error":"Invalid token"}'), "HTTP 403.*Invalid token", id="refused"),
        pytest.param((502, "<html>Bad Gateway"), "HTTP 502", id="proxy without a Cube"),
        pytest.param((200, "hello"), "not JSON: hello", id="not JSON"),
        pytest.param((200, "[]"), "not an object", id="not an object"),
    ],
)
def test_other_answers_are_errors(served: Cube, answer: tuple[int, str], message: str) -> None:
    Answers.answers[:] = [answer]
    with pytest.raises(CubeError, match=message):
        served.load({}, "token")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"authority": "stranger.crt"}, id="signed by another authority"),
        pytest.param({"server_name": "other.example"}, id="for another name"),
    ],
)
def test_the_certificate_is_verified(served: Cube, changes: dict[str, str]) -> None:
    authority = served.authority.with_name(changes.get("authority", "ca.crt"))
    cube = Cube(changes.get("server_name", NAME), served.address, authority, served.port)
    with pytest.raises(CubeError, match="CERTIFICATE_VERIFY_FAILED"):
        cube.load({}, "token")
    assert not Answers.asked
