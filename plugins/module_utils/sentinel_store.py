# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Sentinel of this host as it is, and others as they answer. None asks for a password: Cube could not give one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils import clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.masks import mask
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_sentinel import LOGIN, Known, SentinelError
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import (
    Connection,
    Endpoint,
    Reply,
    ReplyError,
    RespError,
    pairs,
)

STATE_FILE = Path("/var/lib/cubejs-redis-sentinel/sentinel.conf")
# A Sentinel answers from memory; one on a host that is gone must not hold a run up for long.
REPLY_SECONDS = 2.0


def primary_of(name: str, sentinels: Sequence[Endpoint]) -> str | None:
    """Return the address of a primary as the first Sentinel that knows it says; None where none answers or knows it."""
    for each in sentinels:
        try:
            with Connection(each, REPLY_SECONDS) as connection:
                reply = connection.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)
        except RespError:
            continue
        if isinstance(reply, list) and reply:
            return str(reply[0])
    return None


class LiveSentinel:
    """The Sentinel of this host."""

    def __init__(self, own: Endpoint, others: Sequence[Endpoint], state_file: Path = STATE_FILE) -> None:
        self._own = own
        self._others = others
        self._state_file = state_file
        self._secrets: set[str] = set()

    def known(self) -> dict[str, Known]:
        """Return what it watches, by name."""
        replies = self._pipeline([("MASTERS",)])
        rows = replies[0] if isinstance(replies[0], list) else []
        fields = [pairs(row) for row in rows]
        passwords = self._passwords()
        return {
            each["name"]: Known(
                each["ip"], int(each["port"]), {**each, LOGIN: passwords.get(each["name"], "")}, each["flags"]
            )
            for each in fields
        }

    def _passwords(self) -> dict[str, str]:
        """Return what it logs in with at each Redis. It tells nobody, but keeps it in its file from when it is told."""
        try:
            lines = [shlex.split(line) for line in self._state_file.read_text().splitlines() if "auth-pass" in line]
        except (OSError, ValueError) as exc:
            raise SentinelError(f"its file {self._state_file} cannot be read: {exc}") from exc
        found = {words[2]: words[3] for words in lines if words[:2] == ["sentinel", LOGIN] and len(words) == 4}
        self._secrets.update(found.values())
        return found

    def present_primary(self, name: str) -> str | None:
        """Return the primary that the first of the other Sentinels to answer names."""
        return primary_of(name, self._others)

    def tell(self, commands: Sequence[Sequence[str]]) -> None:
        """Send commands, all at once: between MONITOR and SET auth-pass it must not try to log in."""
        self._secrets.update(words[3] for words in commands if len(words) == 4 and words[2] == LOGIN)
        for words, reply in zip(commands, self._pipeline(commands)):
            if isinstance(reply, ReplyError):
                raise SentinelError(mask(f"SENTINEL {' '.join(words[:3])} is refused: {reply}", self._secrets))

    def _pipeline(self, commands: Sequence[Sequence[str]]) -> list[Reply | ReplyError]:
        try:
            with Connection(self._own, REPLY_SECONDS) as connection:
                return connection.pipeline([("SENTINEL", *words) for words in commands])
        except RespError as exc:
            raise SentinelError(f"it does not answer: {mask(str(exc), self._secrets)}") from exc

    def moments(self, seconds: float) -> Iterator[None]:
        """Pass now and again until the time is over."""
        return clock.moments(seconds, 0.2)
