# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One HTTP request, over a Unix socket, a TCP port or TLS, with a deadline that holds."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

# The largest answer that is asked for, /v1/meta of a big schema, is some hundreds of kilobytes.
MAX_BODY_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 65536
SWITCHED = 101

Tls = tuple[ssl.SSLContext, str]


class HttpError(Exception):
    """There was no usable answer; the message says from where and why."""


@dataclass(frozen=True)
class Address:
    """Where a server listens: the path of a Unix socket, or `host` and `port`."""

    socket_path: str | None = None
    host: str = "127.0.0.1"
    port: int = 0

    def __str__(self) -> str:
        return self.socket_path or f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Response:
    """An answer; `body` is cut off at 4 MiB."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


class _Connection(http.client.HTTPConnection):
    """A connection that may lead to a Unix socket, or begin with TLS."""

    def __init__(self, address: Address, timeout: float, tls: Tls | None) -> None:
        super().__init__(address.host, address.port or None, timeout=timeout)
        self._path = address.socket_path
        self._tls = tls

    def connect(self) -> None:
        """Open the connection."""
        if self._path is None:
            super().connect()
            if self._tls:
                context, server_name = self._tls
                self.sock = context.wrap_socket(self.sock, server_hostname=server_name)
            return
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def get(
    address: Address,
    path: str,
    headers: Mapping[str, str] | None = None,
    timeout: float = 5.0,
    tls: Tls | None = None,
) -> Response:
    """Return the answer to GET `path`; `timeout` (seconds) bounds all of it, however slowly bytes arrive.

    tls: how a TCP port is spoken to with TLS, and for which name.
    Raises HttpError when nothing listens, the time is over, or what answers does not speak HTTP.
    """
    deadline = time.monotonic() + timeout
    connection = _Connection(address, timeout, tls)
    try:
        connection.request("GET", path, headers={"Host": "localhost", **(headers or {})})
        # Once there is an answer without a length, the connection has let go of its socket.
        sock: socket.socket = connection.sock
        _limit(sock, deadline)
        with connection.getresponse() as answer:
            # After an upgrade the other side speaks another protocol, or waits to be spoken to.
            body = b"" if answer.status == SWITCHED else _read(sock, answer, deadline)
            # Of a header that was sent twice the first counts, as of Strict-Transport-Security (RFC 6797, 8.1).
            found = dict(reversed(answer.getheaders()))
            return Response(answer.status, body.decode("utf-8", "replace"), found)
    except (OSError, http.client.HTTPException, ValueError) as exc:
        raise HttpError(f"{address}: {_reason(exc)}") from exc
    finally:
        connection.close()


def _limit(sock: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout
    sock.settimeout(left)


def _read(sock: socket.socket, answer: http.client.HTTPResponse, deadline: float) -> bytes:
    body = b""
    while len(body) < MAX_BODY_BYTES:
        _limit(sock, deadline)
        chunk = answer.read1(CHUNK_BYTES)
        if not chunk:
            break
        body += chunk
    return body[:MAX_BODY_BYTES]


def _reason(exc: Exception) -> str:
    if isinstance(exc, socket.timeout):
        return "no answer in time"
    if isinstance(exc, http.client.RemoteDisconnected):
        return "closed the connection without an answer"
    if isinstance(exc, http.client.HTTPException):
        return f"does not speak HTTP ({type(exc).__name__})"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return str(exc) or type(exc).__name__
