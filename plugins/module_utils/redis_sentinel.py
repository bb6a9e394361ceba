# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a Sentinel watches, brought up to date by telling it, never by writing the file that it keeps itself.

Which host is the primary belongs to Sentinel: a run looks at it, and leaves it alone for as long as it is one of the
hosts that the inventory names. What is watched and not listed is reported and left alone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_comparison import shown

LOGIN = "auth-pass"
MONITOR = "monitor"


class SentinelError(Exception):
    """The Sentinel cannot be brought up to date; the message says why and what to do."""


@dataclass(frozen=True)
class Watched:
    """A replicated Redis. `hosts`: addresses of all its instances, that of the first primary first.

    `quorum`: how many Sentinels have to agree that the primary is gone. `down_after_ms`: for how long it has not
    answered then. `failover_timeout_ms`: after how long a failover is tried again.
    """

    name: str
    hosts: tuple[str, ...]
    port: int
    password: str
    quorum: int
    down_after_ms: int
    failover_timeout_ms: int

    def settings(self) -> dict[str, str]:
        """Return Sentinel's options for it, as texts."""
        return {
            "quorum": str(self.quorum),
            "down-after-milliseconds": str(self.down_after_ms),
            "failover-timeout": str(self.failover_timeout_ms),
            LOGIN: self.password,
        }


@dataclass(frozen=True)
class Known:
    """What a Sentinel says that it watches: where the primary is at present, and its options."""

    host: str
    port: int
    settings: Mapping[str, str]
    flags: str = "master"


class Sentinel(Protocol):
    """A running Sentinel."""

    def known(self) -> dict[str, Known]:
        """Return what it watches, by name."""

    def present_primary(self, name: str) -> str | None:
        """Return the primary that another Sentinel names; None where none answers or knows it."""

    def tell(self, commands: Sequence[Sequence[str]]) -> None:
        """Send commands, all at once. Raises SentinelError when one is refused."""

    def moments(self, seconds: float) -> Iterator[None]:
        """Pass now and again until the time is over."""


@dataclass
class Result:
    """What was changed (would be) of each watched Redis: option -> before and after, passwords masked.

    outnumbered: those of which the Sentinel counts replicas or Sentinels that are no longer meant to be.
    """

    changes: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    outnumbered: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def converge(
    wanted: Sequence[Watched],
    sentinel: Sentinel,
    *,
    apply: bool = True,
    removed: Sequence[str] = (),
    others: int | None = None,
    seconds: float = 10.0,
) -> Result:
    """Tell the Sentinel what differs, and what it is not to watch any more.

    others: how many other Sentinels there are to be; None where that is not known. seconds: how long it may take until
    it reaches a primary that it was told of; a warning afterwards.
    """
    known = sentinel.known()
    result = Result(unlisted=sorted(set(known) - {each.name for each in wanted} - set(removed)))
    for name in (name for name in removed if name in known):
        result.changes[name] = {MONITOR: (_place(known[name].host, known[name].port), "")}
        if apply:
            sentinel.tell([("REMOVE", name)])
    for each in wanted:
        commands, changes = _differences(each, known.get(each.name), sentinel)
        if changes:
            result.changes[each.name] = {name: shown(name, values) for name, values in changes.items()}
            if apply:
                sentinel.tell(commands)
    if apply and result.changes:
        told = [each.name for each in wanted if each.name in result.changes]
        result.warnings = _await_primaries(told, sentinel, seconds)
    told_nothing = [each for each in wanted if each.name not in result.changes]
    result.outnumbered = [each.name for each in told_nothing if _counts_more(known[each.name], each, others)]
    return result


def _counts_more(known: Known, wanted: Watched, others: int | None) -> bool:
    """Return whether replicas or other Sentinels are counted that are no longer meant to be.

    Sentinel forgets none by itself (Redis documentation: Sentinel, "Adding or removing Sentinels", "Removing the old
    master or unreachable replicas").
    """
    replicas, sentinels = (int(known.settings.get(name) or 0) for name in ("num-slaves", "num-other-sentinels"))
    return replicas >= len(wanted.hosts) or (others is not None and sentinels > others)


def _differences(
    wanted: Watched, known: Known | None, sentinel: Sentinel
) -> tuple[list[tuple[str, ...]], dict[str, tuple[str, str]]]:
    """Return the commands that bring it up to date, and what they change."""
    commands: list[tuple[str, ...]] = []
    changes: dict[str, tuple[str, str]] = {}
    before: Mapping[str, str] = {}
    if known is not None and known.host in wanted.hosts and known.port == wanted.port:
        before = known.settings
    else:
        if known is not None:
            commands.append(("REMOVE", wanted.name))
        host = _primary(wanted, sentinel)
        commands.append(("MONITOR", wanted.name, host, str(wanted.port), str(wanted.quorum)))
        changes[MONITOR] = (_place(known.host, known.port) if known else "", _place(host, wanted.port))
        before = {"quorum": str(wanted.quorum)}
    for name, value in wanted.settings().items():
        if before.get(name, "") != value:
            commands.append(("SET", wanted.name, name, value))
            changes[name] = (before.get(name, ""), value)
    return commands, changes


def _primary(wanted: Watched, sentinel: Sentinel) -> str:
    """Return where the primary is: a Sentinel that begins to watch after a failover learns it from the others."""
    present = sentinel.present_primary(wanted.name)
    return present if present in wanted.hosts else wanted.hosts[0]


def _await_primaries(names: Sequence[str], sentinel: Sentinel, seconds: float) -> list[str]:
    """Return a warning for each primary that the Sentinel does not reach in time."""
    left: dict[str, Known] = {}
    for _moment in sentinel.moments(seconds):
        known = sentinel.known()
        left = {name: known[name] for name in names if name in known and known[name].flags != "master"}
        if not left:
            return []
    return [
        f"Sentinel does not reach the primary of {name} at {_place(each.host, each.port)} ({each.flags})"
        for name, each in left.items()
    ]


def _place(host: str, port: int) -> str:
    return f"{host} {port}"


def _is_reached(address: str) -> bool:
    """Return whether an address can be that of this host, as others reach it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_unspecified)


def problems(watched: Sequence[Watched], bind: Sequence[str]) -> list[str]:
    """Return what cannot be meant, one line each with the remedy."""
    found = []
    if watched and not (bind and _is_reached(bind[0])):
        found.append("redis_sentinel_bind: begin with the address that other hosts reach: Sentinels talk to each other")
    for each in watched:
        where = f"redis_sentinel_watched[{each.name}]"
        if not each.hosts:
            found.append(f"{where}.hosts: empty: list the addresses of all its instances, the first primary's first")
        if each.quorum < 1:
            found.append(f"{where}.quorum: {each.quorum}: write 1 or more; half of the Sentinels and one is usual")
        if each.down_after_ms < 1 or each.failover_timeout_ms < 1:
            found.append(f"{where}: down_after_ms and failover_timeout_ms: write milliseconds, 1 or more")
        if not each.password or any(character in each.password or character.isspace() for character in "\"'\\"):
            found.append(
                f"{where}.password: (value masked) missing, or with a quote or backslash: Sentinel cannot keep it"
            )
    names = [each.name for each in watched]
    found += [
        f"redis_sentinel_watched: {name} is listed twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    return found
