# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small client of the Redis protocol (RESP2) from the standard library: an audit may install nothing on a host.

Whatever goes wrong (no route, wrong certificate, silence, nonsense instead of a reply) ends in `RespError`; an error
that the server itself replied is a `ReplyError`, which is one too.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Union

Reply = Union[str, int, None, "list[Reply]"]

# Bounds on what a server (or something else that answers on its port) can make us hold. Replies that we ask for are
# some tens of kilobytes; a CLIENT LIST of 10,000 clients is 4 MB.
MAX_BULK_BYTES = 64 * 1024 * 1024
MAX_ITEMS = 1_000_000
MAX_LINE_BYTES = 64 * 1024
MAX_DEPTH = 8
CHUNK_BYTES = 65536


class RespError(Exception):
    """The server cannot be talked to; the message says with whom and why."""


class ReplyError(RespError):
    """The server refused a command. `code` is the first word of its reply, such as NOAUTH, WRONGPASS or LOADING."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = text.partition(" ")[0]


@dataclass(frozen=True)
class Tls:
    """How a server is trusted: by `ca_path` (a PEM file), or by the system's own CAs without one.

    `server_name` is what its certificate must be valid for, when that is not the host connected to. `verify` false
    trusts anyone, which is only right for looking at a certificate.
    """

    ca_path: str | None = None
    server_name: str | None = None
    verify: bool = True


@dataclass(frozen=True)
class Endpoint:
    """Where a server listens: `host` and `port`, or the path of a Unix socket."""

    host: str = "127.0.0.1"
    port: int = 6379
    socket_path: str | None = None
    tls: Tls | None = None

    def __str__(self) -> str:
        if self.socket_path is not None:
            return self.socket_path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Connection:
    """One connection. `timeout` (seconds) bounds connecting and then every call, however slowly bytes arrive."""

    def __init__(self, endpoint: Endpoint, timeout: float = 5.0) -> None:
        self.endpoint = endpoint
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._buffer = bytearray()
        try:
            self._socket = self._connect()
        except (OSError, ValueError) as exc:
            raise RespError(f"{endpoint}: {_reason(exc)}") from exc

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection; it may be closed already."""
        self._socket.close()

    def ended(self) -> bool:
        """Return whether the server has ended it, as one does that stops; what it sent before can still be received."""
        watched = select.poll()
        watched.register(self._socket, select.POLLRDHUP)
        return bool(watched.poll(0))

    def peer_certificate(self) -> bytes | None:
        """Return the server's certificate in DER form; None without TLS."""
        return self._socket.getpeercert(binary_form=True) if isinstance(self._socket, ssl.SSLSocket) else None

    def authenticate(self, password: str, user: str | None = None) -> None:
        """Log in, as the default user without one; a refusal is a ReplyError."""
        self.call("AUTH", *([] if user is None else [user]), password)

    def call(self, *words: str | int) -> Reply:
        """Send one command and return its reply; an error reply is raised."""
        return answered(self.pipeline([words])[0])

    def pipeline(self, commands: Sequence[Sequence[str | int]]) -> list[Reply | ReplyError]:
        """Send all the commands at once and return their replies in order, error replies among them."""
        self.send(commands)
        return self.receive(len(commands))

    def send(self, commands: Sequence[Sequence[str | int]]) -> None:
        """Send commands, whose replies are to be received later."""
        self._deadline = time.monotonic() + self._timeout
        with self._closed_on_failure():
            self._send(b"".join(map(encode, commands)))

    def receive(self, count: int) -> list[Reply | ReplyError]:
        """Return the replies to commands that were sent, in order, error replies among them."""
        self._deadline = time.monotonic() + self._timeout
        with self._closed_on_failure():
            return [self._reply(0) for _command in range(count)]

    @contextlib.contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as exc:
            self.close()
            raise RespError(f"{self.endpoint}: {_reason(exc)}") from exc
        except RespError:
            self.close()
            raise

    def _connect(self) -> socket.socket:
        if self.endpoint.socket_path is not None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(self._timeout)
                connection.connect(self.endpoint.socket_path)
            except BaseException:
                connection.close()
                raise
            return connection
        plain = socket.create_connection((self.endpoint.host, self.endpoint.port), timeout=self._timeout)
        tls = self.endpoint.tls
        if tls is None:
            return plain
        try:
            context = ssl.create_default_context(cafile=tls.ca_path)
            if not tls.verify:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            plain.settimeout(self._left())
            return context.wrap_socket(plain, server_hostname=tls.server_name or self.endpoint.host)
        except BaseException:
            plain.close()
            raise

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        return left

    def _send(self, data: bytes) -> None:
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def _fill(self) -> None:
        self._socket.settimeout(self._left())
        received = self._socket.recv(CHUNK_BYTES)
        if not received:
            raise RespError(f"{self.endpoint}: closed the connection")
        self._buffer += received

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise self._malformed("a line without an end")
            self._fill()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _bytes(self, count: int) -> bytes:
        while len(self._buffer) < count + 2:
            self._fill()
        data = bytes(self._buffer[:count])
        if self._buffer[count : count + 2] != b"\r\n":
            raise self._malformed("a string that is longer than it says")
        del self._buffer[: count + 2]
        return data

    def _reply(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self._malformed("lists nested too deeply")
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return _text(rest)
        if kind == b"-":
            return ReplyError(_text(rest))
        if kind == b":":
            return self._number(rest)
        if kind == b"$":
            count = self._count(rest, MAX_BULK_BYTES)
            return None if count is None else _text(self._bytes(count))
        if kind == b"*":
            count = self._count(rest, MAX_ITEMS)
            if count is None:
                return None
            return self._strings(count) or [self._reply(depth + 1) for _item in range(count)]
        raise self._malformed(f"a reply that begins with {line[:20]!r}")

    def _strings(self, count: int) -> list[str] | None:
        """Return a list of nothing but strings that is here already; None where it is not known to be one.

        CONFIG GET of everything is 400 of them: at one stroke in a fifth of the time.
        """
        parts = bytes(self._buffer).split(b"\r\n", 2 * count)
        lengths, strings = parts[: 2 * count : 2], parts[1 : 2 * count : 2]
        if len(parts) <= 2 * count or lengths != [b"$%d" % len(each) for each in strings]:
            return None
        self._buffer[:] = parts[-1]
        return [_text(each) for each in strings]

    def _number(self, text: bytes) -> int:
        if not text.lstrip(b"-").isdigit() or len(text) > 20:
            raise self._malformed(f"{text[:20]!r} for a number")
        return int(text)

    def _count(self, text: bytes, most: int) -> int | None:
        """Return a length, or None for the protocol's nothing (-1)."""
        count = self._number(text)
        if count < -1 or count > most:
            raise self._malformed(f"a length of {count}")
        return None if count == -1 else count

    def _malformed(self, what: str) -> RespError:
        return RespError(f"{self.endpoint}: does not speak the Redis protocol: it sent {what}")


def answered(reply: Reply | ReplyError) -> Reply:
    """Return a reply; raise one that is an error."""
    if isinstance(reply, ReplyError):
        raise reply
    return reply


def encode(words: Sequence[str | int]) -> bytes:
    """Return a command as the protocol has it: a list of strings, each with its length."""
    encoded = [str(word).encode("utf-8", "surrogateescape") for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def pairs(reply: Reply | ReplyError) -> dict[str, str]:
    """Return a flat list of names and values, as CONFIG GET replies, as a mapping."""
    if not isinstance(reply, list) or len(reply) % 2:
        raise RespError(f"expected a list of names and values, the reply was: {_summary(reply)}")
    words = ["" if word is None else str(word) for word in reply]
    return dict(zip(words[::2], words[1::2]))


def info_fields(reply: Reply | ReplyError) -> dict[str, str]:
    """Return the fields of an INFO reply, of whatever sections it has."""
    if not isinstance(reply, str):
        raise RespError(f"expected the text of INFO, the reply was: {_summary(reply)}")
    rows = (line.partition(":") for line in reply.splitlines() if not line.startswith("#"))
    return {key: value for key, found, value in rows if found}


def _summary(reply: object) -> str:
    return str(reply) if isinstance(reply, ReplyError) else type(reply).__name__


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _reason(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {exc.verify_message}"
    if isinstance(exc, socket.timeout):
        return "no answer in time"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return str(exc) or type(exc).__name__
