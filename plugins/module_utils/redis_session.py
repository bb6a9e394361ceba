# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An administrator's connection to a running Redis server."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Union

from ansible_collections.cubeops.cubejs.plugins.module_utils.masks import mask
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import (
    ImmutableError,
    InstancesError,
    NotReadyError,
    SettingRefusedError,
    digest,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import (
    Connection,
    Endpoint,
    Reply,
    ReplyError,
    RespError,
    answered,
    info_fields,
    pairs,
)

REPLY_SECONDS = 10.0
# The server's words for a setting that it cannot change while it runs: Redis 7 and later, and 6.
IMMUTABLE = ("can't set immutable config", "Unsupported CONFIG parameter")
# What a server without a password replies to AUTH.
OPEN_TO_ALL = "without any password configured"


# What is always asked of a server that is looked at, with the login and at one stroke: a round trip each was a third of
# what a host with hundreds of instances took.
CONFIG, PROCESS, ACCESS = ("CONFIG", "GET", "*"), ("INFO", "server"), ("ACL", "GETUSER", "default")
LOOKS = (CONFIG, PROCESS, ACCESS)
# How long what came with a login is taken for what is so now.
FRESH_SECONDS = 5.0
Seen = Mapping[tuple[str, ...], Union[Reply, ReplyError]]


class LiveSession:
    """An administrator's connection to a running server. `seen`: replies that came with the login, each used once."""

    def __init__(self, connection: Connection, password: str, seen: Seen | None = None) -> None:
        self._connection = connection
        self.password = password
        self._seen = dict(seen or {})

    def __enter__(self) -> LiveSession:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()

    def config(self) -> dict[str, str]:
        """Return every setting and its value."""
        return pairs(self._call(*CONFIG))

    def process_id(self) -> int:
        """Return the server's own idea of its process."""
        return int(info_fields(self._call(*PROCESS))["process_id"])

    def used_memory(self) -> int:
        """Return how many bytes the data takes."""
        return int(info_fields(self._call("INFO", "memory"))["used_memory"])

    def password_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every password that lets the default user in; an empty text stands for none needed."""
        reply = self._call(*ACCESS)
        if not isinstance(reply, list):
            raise InstancesError("ACL GETUSER did not reply with a list")
        fields = {str(key): value for key, value in zip(reply[::2], reply[1::2])}
        flags, passwords = (_words(fields.get(name)) for name in ("flags", "passwords"))
        return passwords | ({""} if "nopass" in flags else set())

    def set(self, name: str, value: str) -> None:
        """Change a setting. Raises ImmutableError or SettingRefusedError."""
        self._seen.clear()
        try:
            self._connection.call("CONFIG", "SET", name, value)
        except ReplyError as exc:
            if any(words in str(exc) for words in IMMUTABLE):
                raise ImmutableError(name) from exc
            raise SettingRefusedError(str(exc)) from exc
        except RespError as exc:
            raise InstancesError(str(exc)) from exc

    def set_password(self, password: str, keep: Collection[str]) -> None:
        """Change the password at one stroke; connected clients stay logged in.

        The ACL is set beside requirepass: a CONFIG SET of the value that is there already does nothing (seen in Redis
        7), neither to other passwords nor to a default user that needs none.
        """
        self._seen.clear()
        kept = set(keep) | ({digest(self.password)} if keep else set()) | {digest(password)}
        access = ("ACL", "SETUSER", "default", "resetpass", *(f"#{each}" for each in sorted(kept)))
        commands: list[tuple[str, ...]] = [("MULTI",), ("CONFIG", "SET", "requirepass", password), access]
        replies = self._connection.pipeline([*commands, ("EXEC",)])
        executed = replies[-1] if isinstance(replies[-1], list) else []
        for reply in [*replies, *executed]:
            if isinstance(reply, ReplyError):
                raise SettingRefusedError(f"it refuses the new password: {mask(str(reply), [password])}")
        self.password = password

    def reload_certificate(self) -> None:
        """Read certificate and key again, from where they were read before."""
        self.set("tls-cert-file", self.config()["tls-cert-file"])

    def _call(self, *words: str) -> Reply:
        try:
            if words not in self._seen:
                return self._connection.call(*words)
            return answered(self._seen.pop(words))
        except RespError as exc:
            raise InstancesError(str(exc)) from exc


def settings_of(path: str) -> dict[str, str]:
    """Return the settings of a server that asks for no password."""
    with Connection(Endpoint(socket_path=path), REPLY_SECONDS) as private:
        return pairs(private.call("CONFIG", "GET", "*"))


def _words(reply: Reply) -> frozenset[str]:
    return frozenset(map(str, reply)) if isinstance(reply, list) else frozenset()


class Login:
    """A login that was sent, with what is always asked: while a server works on that, others can be sent theirs.

    Raises NotReadyError where there is no server, or what is there cannot be used (yet).
    """

    def __init__(self, endpoint: Endpoint, password: str) -> None:
        self._password = password
        self._sent_at = time.monotonic()
        try:
            self._connection = Connection(endpoint, REPLY_SECONDS)
            self._connection.send([("AUTH", password), ("PING",), *LOOKS])
        except RespError as exc:
            raise NotReadyError(str(exc)) from exc

    def serves(self, password: str) -> bool:
        """Say whether it is with this password, and what the server says is so now.

        Since then the server may have been restarted, by us among others: what it said before is of another process.
        """
        fresh = time.monotonic() - self._sent_at < FRESH_SECONDS
        return self._password == password and fresh and not self._connection.ended()

    def close(self) -> None:
        """Drop it."""
        self._connection.close()

    def session(self) -> LiveSession | None:
        """Return the session, None when the password is not taken."""
        try:
            seen = _logged_in(self._connection)
        except RespError as exc:
            self.close()
            raise NotReadyError(str(exc)) from exc
        if seen is None:
            self.close()
            return None
        return LiveSession(self._connection, self._password, seen)


def _logged_in(connection: Connection) -> Seen | None:
    """Return what is always asked, None where the password was not taken.

    Anything else that a server says to the login or a ping means that it cannot be used (yet).
    """
    login, pong, *replies = connection.receive(2 + len(LOOKS))
    if isinstance(login, ReplyError):
        if login.code == "WRONGPASS":
            return None
        if OPEN_TO_ALL not in str(login):
            raise login
    answered(pong)
    return dict(zip(LOOKS, replies))
