"""A proxy asked as a browser asks, against real TLS servers."""

from __future__ import annotations

import datetime
import re
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import pki
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.https import ProxyAsked, look
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline

NAME = "cube.acme.example"
NOW = datetime.datetime.now(datetime.timezone.utc)
OLD = NOW - datetime.timedelta(days=500)


class Proxy:
    """Certificates on disk, and servers for plain HTTP and HTTPS."""

    def __init__(self, folder: Path, servers: Any) -> None:
        self.folder = folder
        self.servers = servers
        authority = pki.new_ca(pki.new_key(), OLD)
        self.ca = folder / "ca.crt"
        self.ca.write_bytes(authority.certificate_pem())
        self.authority = authority
        self.requests: list[str] = []

    def certificate(self, name: str = NAME, at: datetime.datetime = NOW) -> Path:
        """Write key and certificate into one file."""
        leaf = pki.issue(self.authority, [name], at)
        path = self.folder / "server.pem"
        path.write_bytes(pki.key_pem(leaf.key) + leaf.certificate_pem())
        return path

    def https(self, pem: Path, upgrade: str = "101 Switching Protocols") -> int:
        """Serve HTTPS; return its port."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)

        def talk(plain: socket.socket) -> None:
            with context.wrap_socket(plain, server_side=True) as client:
                request = client.recv(65536).decode()
                self.requests.append(request)
                status = upgrade if "Upgrade: websocket" in request else "403 Forbidden"
                head = f"HTTP/1.1 {status}\r\nStrict-Transport-Security: max-age=1\r\n"
                client.sendall(
                    f"{head}Content-Length: 2\r\n\r\nno".encode() if "403" in status else f"{head}\r\n".encode()
                )
                time.sleep(0.05)

        port: int = self.servers.tcp(talk).port
        return port

    def http(self, answer: str) -> int:
        """Serve plain HTTP; return its port."""

        def talk(client: socket.socket) -> None:
            client.recv(65536)
            client.sendall(f"HTTP/1.1 {answer}\r\n\r\n".encode())
            client.close()

        port: int = self.servers.tcp(talk).port
        return port

    def seen(self, https: int, http: int = 1, seconds: float = 8.0, ca: bool = True) -> Any:
        """Look at it."""
        asked = ProxyAsked(NAME, "127.0.0.1", https, http, str(self.ca) if ca else None)
        return look(asked, Redactor(b"k"), Deadline.within(seconds))


@pytest.fixture
def proxy(tmp_path: Path, servers: Any) -> Proxy:
    """Return a proxy that does not serve yet."""
    return Proxy(tmp_path, servers)


def test_a_proxy_as_it_should_be(proxy: Proxy) -> None:
    redirect = proxy.http(f"301 Moved\r\nLocation: https://{NAME}/x")
    found = proxy.seen(proxy.https(proxy.certificate()), redirect)
    assert (found.reachable, found.trusted, found.trust_problem) == (True, True, "")
    assert (found.redirect_status, found.redirect_to, found.http_answers_itself) == (301, f"https://{NAME}/x", False)
    assert found.tls_version in ("TLSv1.2", "TLSv1.3")
    assert found.old_tls in (False, None)
    assert found.certificate is not None
    assert found.certificate.names == (NAME,)
    assert found.certificate.not_after > time.time()
    assert (found.websocket_status, found.hsts) == (101, "max-age=1")
    assert {name: answer.status for name, answer in found.answers.items()} == {
        "root": 403, "playground_context": 403, "meta_without_token": 403, "meta_unsigned_token": 403,
    }  # fmt: skip
    assert all(f"Host: {NAME}\r\n" in request for request in proxy.requests if request)
    assert not found.unknown


@pytest.mark.parametrize(
    ("name", "at", "ca", "said"),
    [
        pytest.param(NAME, OLD, True, "expired", id="expired"),
        pytest.param("other.example", NOW, True, "mismatch", id="another name"),
        pytest.param(NAME, NOW, False, "unable to get local issuer|self.signed", id="another authority"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_still_told(
    proxy: Proxy, name: str, at: datetime.datetime, ca: bool, said: str
) -> None:
    found = proxy.seen(proxy.https(proxy.certificate(name, at)), ca=ca)
    assert (found.reachable, found.trusted) == (True, False)
    assert re.search(said, found.trust_problem)
    assert found.certificate is not None
    assert found.certificate.names == (name,)
    assert found.answers["meta_without_token"].status == 403


def test_authorities_may_be_given_as_text(proxy: Proxy) -> None:
    asked = ProxyAsked(NAME, "127.0.0.1", proxy.https(proxy.certificate()), 1, ca_certificates=proxy.ca.read_text())
    assert look(asked, Redactor(b"k"), Deadline.within(5.0)).trusted


def test_plain_http_that_answers_itself(proxy: Proxy) -> None:
    found = proxy.seen(proxy.https(proxy.certificate()), proxy.http("403 Forbidden"))
    assert (found.redirect_status, found.redirect_to, found.http_answers_itself) == (403, "", True)


def test_websockets_that_do_not_get_through(proxy: Proxy) -> None:
    assert proxy.seen(proxy.https(proxy.certificate(), "403 Forbidden")).websocket_status == 403


@pytest.mark.parametrize(
    ("data", "wait", "said"),
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", 0, "no TLS", id="plain HTTP on the port"),
        pytest.param(b"", 5, "no answer in time|no TLS|timed out", id="hangs"),
        pytest.param(bytes(range(256)), 0, "no TLS", id="binary"),
        pytest.param(b"", 0, ".", id="hangs up"),
    ],
)
def test_what_speaks_no_tls(proxy: Proxy, servers: Any, data: bytes, wait: float, said: str) -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(data)
        time.sleep(wait)
        client.close()

    began = time.monotonic()
    found = proxy.seen(servers.tcp(talk).port, seconds=0.8)
    assert found.reachable is False
    assert re.search(said, found.problem)
    assert time.monotonic() - began < 3


def test_nobody_there(proxy: Proxy) -> None:
    found = proxy.seen(1)
    assert (found.reachable, found.problem) == (False, "Connection refused")
    assert [each.what for each in found.unknown] == ["redirect"]
