"""Clients of the proxies: what a browser, a script and a WebSocket see, over real sockets from another machine."""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LAB = Path(os.environ["LAB_DIRECTORY"])
OWN_CA = LAB / "ca/ca.crt"
OTHER_CA = LAB / "provided/ca/ca.crt"
ACME, GLOBEX = "cube.acme.example", "cube.globex.example"
TLS_HOSTS = ("bookworm", "bullseye", "trixie")


@dataclass(frozen=True)
class Answer:
    """One answer; header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as data."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Connects to one proxy, by whatever name it asks for."""

    host: str
    address: str

    def context(self, authority: Path = OWN_CA) -> ssl.SSLContext:
        """Return what a careful client checks with."""
        return ssl.create_default_context(cafile=str(authority))

    @contextmanager
    def tls(self, name: str, context: ssl.SSLContext | None = None) -> Iterator[ssl.SSLSocket]:
        """Open a TLS connection that asks for the name."""
        raw = socket.create_connection((self.address, 443), timeout=20)
        with closing((context or self.context()).wrap_socket(raw, server_hostname=name)) as connection:
            yield connection

    def get(self, path: str, name: str = ACME, **options: Any) -> Answer:
        """Send one GET over a TLS connection of its own."""
        return self.send("GET", path, name, **options)

    def send(
        self,
        method: str,
        path: str,
        name: str = ACME,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        context: ssl.SSLContext | None = None,
        host: str | None = None,
    ) -> Answer:
        """Send one request over a TLS connection of its own; `host` is said instead of the name connected to."""
        with self.tls(name, context) as connection:
            return ask(connection, method, path, host or name, body, headers)

    def plain(self, path: str, name: str, method: str = "GET") -> Answer:
        """Send one request over plain HTTP."""
        with closing(socket.create_connection((self.address, 80), timeout=20)) as connection:
            return ask(connection, method, path, name)


def ask(
    connection: socket.socket,
    method: str,
    path: str,
    name: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Send one request over an open connection."""
    client = http.client.HTTPConnection(name)
    client.sock = connection
    client.request(method, path, body=body, headers={"Host": name, **(headers or {})})
    response = client.getresponse()
    return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, response.read())


@dataclass
class WebSocket:
    """An open WebSocket that sends short texts."""

    connection: socket.socket
    status: int
    headers: str
    _rest: bytes = field(default=b"", repr=False)

    @classmethod
    def open(cls, connection: socket.socket, path: str, name: str) -> WebSocket:
        """Ask for the upgrade."""
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        connection.sendall(request.encode())
        reply = b""
        while b"\r\n\r\n" not in reply:
            piece = connection.recv(4096)
            if not piece:
                break
            reply += piece
        head, _between, rest = reply.partition(b"\r\n\r\n")
        return cls(connection, int(head.split()[1]), head.decode(), rest)

    def echo(self, text: bytes) -> bytes:
        """Send a text and return what comes back; nothing when the connection is closed."""
        mask = secrets.token_bytes(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(text))
        try:
            self.connection.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
            return self.connection.recv(4096)[2:]
        except (ConnectionError, ssl.SSLError):
            return b""
