"""A small server of the Redis protocol in memory, for whatever talks to one."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Union

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import host_lock
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Endpoint, Tls

Reply = Union[str, int, bytes, None, "list[Reply]"]


@pytest.fixture(autouse=True)
def lock_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep modules that run in tests from waiting for each other."""
    monkeypatch.setattr(host_lock, "LOCK", tmp_path_factory.getbasetemp() / "host.lock")


def encode(reply: Reply) -> bytes:
    """Return a reply as the protocol has it; bytes are sent as they are."""
    if isinstance(reply, bytes):
        return reply
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, list):
        return b"*%d\r\n" % len(reply) + b"".join(map(encode, reply))
    data = reply.encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)


def error(text: str) -> bytes:
    """Return an error reply."""
    return f"-{text}\r\n".encode()


def sha(password: str) -> str:
    """Return a password as Redis keeps it."""
    return hashlib.sha256(password.encode()).hexdigest()


OK = b"+OK\r\n"


@dataclass
class FakeRedis:
    """What a server knows, and what it answers."""

    config: dict[str, str] = field(
        default_factory=lambda: {"requirepass": "old", "maxclients": "100", "databases": "16"}
    )
    info: dict[str, str] = field(default_factory=dict)
    passwords: set[str] = field(default_factory=lambda: {sha("old")})
    immutable: tuple[str, ...] = ("databases",)
    refused: tuple[str, ...] = ()
    answers: dict[str, Reply] = field(default_factory=dict)
    seen: list[list[str]] = field(default_factory=list)

    def answer(self, words: list[str], session: dict[str, object]) -> bytes:
        """Return the reply to one command."""
        name = words[0].upper()
        if name != "AUTH":
            self.seen.append(words)
        canned = self.answers.get(" ".join(words).upper(), self.answers.get(name))
        if canned is not None:
            return encode(canned)
        if name == "AUTH":
            return self._log_in(words[-1], session)
        if not self.passwords:
            session["in"] = True  # and stays so when a password is set
        if not session.get("in"):
            return error("NOAUTH Authentication required.")
        queue = session.get("queue")
        if isinstance(queue, list) and name != "EXEC":
            queue.append(words)
            return b"+QUEUED\r\n"
        return self._run(name, words, session)

    def _log_in(self, password: str, session: dict[str, object]) -> bytes:
        if not self.passwords:
            return error("ERR AUTH <password> called without any password configured for the default user.")
        if sha(password) not in self.passwords:
            return error("WRONGPASS invalid username-password pair or user is disabled.")
        session["in"] = True
        return OK

    def _run(self, name: str, words: list[str], session: dict[str, object]) -> bytes:
        if name == "PING":
            return b"+PONG\r\n"
        if name == "SELECT":
            index = int(words[1]) < int(self.config["databases"])
            return OK if index else error("ERR DB index is out of range")
        if name == "INFO":
            return encode("# Server\r\n" + "".join(f"{key}:{value}\r\n" for key, value in self.info.items()))
        if name == "DBSIZE":
            return encode(7)
        if name == "COMMAND":
            return encode([["keys", 2]])
        if name == "CONFIG":
            return self._config(words)
        if name == "ACL":
            return self._acl(words)
        if name == "MULTI":
            session["queue"] = []
            return OK
        if name == "EXEC":
            queued = session.pop("queue")
            assert isinstance(queued, list)
            return encode([self._run(each[0].upper(), each, session) for each in queued])
        return error(f"ERR unknown command '{words[0]}'")

    def _config(self, words: list[str]) -> bytes:
        if words[1].upper() == "GET":
            found = [(key, value) for key, value in self.config.items() if words[2] in ("*", key)]
            return encode([word for pair in found for word in pair])
        key, value = words[2:]
        if key in self.immutable:
            return error(f"ERR CONFIG SET failed (possibly related to argument '{key}') - can't set immutable config")
        if key in self.refused:
            return error(f"ERR CONFIG SET failed (possibly related to argument '{key}') - no")
        # As Redis 7 does: what does not change has no effect.
        if key == "requirepass" and self.config[key] != value:
            self.passwords = {sha(value)} if value else set()
        self.config[key] = value
        return OK

    def _acl(self, words: list[str]) -> bytes:
        if words[1].upper() == "SETUSER":
            if "resetpass" in words:
                self.passwords = set()
            self.passwords |= {word[1:] for word in words[3:] if word.startswith("#")}
            return OK
        flags: list[Reply] = ["on"] if self.passwords else ["on", "nopass"]
        return encode(["flags", flags, "passwords", sorted(self.passwords), "commands", "+@all"])


def _read(stream: BinaryIO) -> list[str] | None:
    line = stream.readline()
    if not line:
        return None
    words = []
    for _unused in range(int(line[1:])):
        length = int(stream.readline()[1:])
        words.append(stream.read(length + 2)[:-2].decode())
    return words


class Listener:
    """Serves connections, each in a thread, with what `talk` makes of a connected socket."""

    def __init__(self, listening: socket.socket, talk: Callable[[socket.socket], None]) -> None:
        self._listening = listening
        self._talk = talk
        self._open: list[socket.socket] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _unused = self._listening.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._talk(client)

    def close(self) -> None:
        """Close everything, also a connection that is just being accepted."""
        self._close(self._listening)
        self._acceptor.join()
        for each in self._open:
            self._close(each)

    @staticmethod
    def _close(open_one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            open_one.shutdown(socket.SHUT_RDWR)
        open_one.close()


@dataclass
class Servers:
    """Starts servers that end with the test."""

    directory: Path
    listeners: list[Listener] = field(default_factory=list)

    def tcp(self, talk: Callable[[socket.socket], None], tls: Tls | None = None) -> Endpoint:
        """Serve on a free port of loopback."""
        listening = socket.create_server(("127.0.0.1", 0))
        self.listeners.append(Listener(listening, talk))
        return Endpoint("127.0.0.1", listening.getsockname()[1], tls=tls)

    def unix(self, talk: Callable[[socket.socket], None], path: Path) -> Endpoint:
        """Serve on a Unix socket."""
        path.parent.mkdir(parents=True, exist_ok=True)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen()
        self.listeners.append(Listener(listening, talk))
        return Endpoint(socket_path=str(path))

    def redis(self, fake: FakeRedis, path: Path | None = None) -> Endpoint:
        """Serve a fake Redis."""

        def talk(client: socket.socket) -> None:
            session: dict[str, object] = {}
            stream = client.makefile("rb")
            while (words := _read(stream)) is not None:
                client.sendall(fake.answer(words, session))

        return self.unix(talk, path) if path else self.tcp(talk)

    def tls(self, fake: FakeRedis, certificate: Path, key: Path) -> Endpoint:
        """Serve a fake Redis with TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

        def talk(plain: socket.socket) -> None:
            with context.wrap_socket(plain, server_side=True) as client:
                session: dict[str, object] = {}
                stream = client.makefile("rb")
                while (words := _read(stream)) is not None:
                    client.sendall(fake.answer(words, session))

        return self.tcp(talk)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Start servers of the Redis protocol."""
    started = Servers(tmp_path)
    yield started
    for listener in started.listeners:
        listener.close()


@pytest.fixture
def fake_redis() -> type[FakeRedis]:
    """Make servers to be started."""
    return FakeRedis
