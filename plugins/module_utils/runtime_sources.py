# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a host gets the packages from that it lacks: one host builds a runtime, the others are shipped it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable


@dataclass(frozen=True)
class Sources:
    """Digests of runtimes by where they come from.

    built: npm installs them here. shipped: the controller has their archive. elsewhere: runtime -> the host that has
    it, or is building it in this run.
    """

    built: tuple[str, ...] = ()
    shipped: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def here(self) -> tuple[str, ...]:
        """Return what can be put in place now."""
        return (*self.built, *self.shipped)

    def by_host(self) -> list[dict[str, Any]]:
        """Return the hosts to ask, with their runtimes, as plain data."""
        found: dict[str, list[str]] = {}
        for digest, host in self.elsewhere.items():
            found.setdefault(host, []).append(digest)
        return [{"host": host, "runtimes": digests} for host, digests in sorted(found.items())]


def choose(
    missing: Iterable[str],
    *,
    host: str,
    begun: Collection[str],
    archived: Callable[[str], bool],
    holders: Mapping[str, str],
    claim: Callable[[str], str],
) -> Sources:
    """Return where a host's missing runtimes come from.

    begun: those that npm has begun here; they are not given up. archived: says whether the controller has an archive.
    holders: runtime -> another host that has it. claim: returns the host that builds a runtime in this run, this one
    where none does yet.
    """
    built, shipped, elsewhere = [], [], {}
    for digest in missing:
        if digest in begun:
            built.append(digest)
        elif archived(digest):
            shipped.append(digest)
        else:
            owner = holders.get(digest) or claim(digest)
            if owner == host:
                built.append(digest)
            else:
                elsewhere[digest] = owner
    return Sources(tuple(built), tuple(shipped), elsewhere)


def holders(runtimes: Mapping[str, Iterable[str]], host: str) -> dict[str, str]:
    """Return runtime -> the first other host that has it. runtimes: host -> those in their place there."""
    found: dict[str, str] = {}
    for other, digests in runtimes.items():
        for digest in digests if other != host else ():
            found.setdefault(digest, other)
    return found
