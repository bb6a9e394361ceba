# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What rules on a live Redis have in common: who is judged, and when nothing can be said."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import NOT_APPLICABLE, UNKNOWN, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import REDIS, REMEDY, Link
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import Server, View, view
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

WITHOUT = "its cache and queue are not in Redis"
# Of a list in a message; a fleet may have hundreds.
SHOWN = 5


class LinkRule(Rule):
    """A rule on each instance that uses Redis."""

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield what is said of each instance."""
        for link in live.once(view).links:
            if link.driver not in (REDIS, ""):
                yield self.of(link.instance, NOT_APPLICABLE, WITHOUT)
            elif not link.driver:
                yield self.not_known(link)
            else:
                yield self.judged(link, fleet)

    def not_known(self, link: Link) -> Finding:
        """Return that nothing can be said of an instance, and why."""
        unread = link.settings.unread
        return self.of(link.instance, UNKNOWN, link.why, (unread.remedy if unread else "") or REMEDY)

    @abstractmethod
    def judged(self, link: Link, fleet: Fleet) -> Finding:
        """Return what is said of an instance that uses Redis."""


class TenantRule(Rule):
    """A rule on each deployment that uses Redis."""

    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield what is said of each tenant."""
        seen = live.once(view)
        for tenant, links in seen.tenants.items():
            used = [link for link in links if link.driver in (REDIS, "")]
            if used:
                yield self.judged(tenant, used, seen, fleet, live)
            else:
                yield self.on(tenant, NOT_APPLICABLE, WITHOUT)

    def on(
        self,
        tenant: str,
        status: str,
        message: str,
        remedy: str = "",
        *,
        evidence: Iterable[str] = (),
        severity: str | None = None,
    ) -> Finding:
        """Return what is said of a tenant."""
        return self.found(
            REDIS, message, remedy, tenant=tenant, severity=severity, status=status, evidence=tuple(evidence)
        )

    @abstractmethod
    def judged(self, tenant: str, links: Sequence[Link], seen: View, fleet: Fleet, live: Live) -> Finding:
        """Return what is said of a tenant by its instances that use Redis, or may."""


class ServerRule(Rule):
    """A rule on each Redis server."""

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield what is said of each server."""
        seen = live.once(view)
        for server in seen.servers:
            if not server.used:
                yield self.on(server, NOT_APPLICABLE, WITHOUT)
            elif not server.reached:
                yield self.not_known(server)
            else:
                for part in self.parts(server):
                    yield self.judged(part, seen, fleet, live)

    def parts(self, server: Server) -> Iterable[Server]:
        """Return what is judged of a server by itself: all of it at once."""
        return (server,)

    def on(
        self,
        server: Server,
        status: str,
        message: str,
        remedy: str = "",
        *,
        evidence: Iterable[str] = (),
        severity: str | None = None,
    ) -> Finding:
        """Return what is said of a server; of its only tenant and host, where it has but one."""
        return self.found(
            server.name,
            message,
            remedy,
            tenant=server.tenant,
            host=server.host,
            severity=severity,
            status=status,
            evidence=tuple(evidence),
        )

    def not_known(self, server: Server, *names: str) -> Finding:
        """Return that nothing can be said of a server, and why: names of the fields of RedisSeen that it takes."""
        why = server.why(*names)
        return self.on(server, UNKNOWN, why.reason, why.remedy or REMEDY)

    @abstractmethod
    def judged(self, server: Server, seen: View, fleet: Fleet, live: Live) -> Finding:
        """Return what is said of a server that was reached."""


class DatabaseRule(ServerRule):
    """A rule on each database (index) of a Redis server."""

    def parts(self, server: Server) -> Iterable[Server]:
        """Return its databases that instances use."""
        return server.databases


def listed(words: Iterable[str]) -> str:
    """Return words in one line, the first of them where there are many."""
    found = sorted(words)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more
