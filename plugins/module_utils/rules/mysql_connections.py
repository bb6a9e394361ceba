# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the connections of the storage's server: what its clients may open, and what they did."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import pools
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.live_storage import Server, Use
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import storage_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import Verdict

MOST_USED_PERCENT = 80
# Below one a minute are port checks and people who mistype; a client that cannot log in tries again all the time.
MOST_ABORTED_PER_MINUTE = 1.0
FEW_ABORTED = 100
# Options of a project by which one process has several pools; how many is said in the inventory, or not known.
_MAKES_ORCHESTRATORS = frozenset({"contextToAppId", "contextToOrchestratorId"})


class StorageHasRoom(Rule):
    """MySQL refuses connections beyond max_connections; Cube's pools open them all under load."""

    id = "storage-max-connections"
    title = "MySQL allows what its clients' pools may open"
    sentences = ("mysql-tuned",)
    source = "Source of @cubejs-backend/mysql-driver 0.20.9 and 0.29.33 (the pool's size, and testConnection)"
    remedy = "Raise max_connections, or lower CUBEJS_DB_MAX_POOL"
    across_tenants = True

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield servers with fewer connections than their clients may open."""
        for store in fleet.stores:
            if store.max_connections < store.need:
                yield self.found(
                    "mysql_max_connections",
                    f"{store.max_connections} is fewer than the {store.need} that its clients may open",
                    f"Use {store.need}, or leave it out",
                    host=store.host,
                )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server whether it allows what the instances of all its tenants may open together."""
        yield from storage_findings.of_servers(self, fleet, live, lambda server: _has_room(server, fleet))


class StorageConnectionsUsed(Rule):
    """What was in use at once shows how near a server has come to turning clients away, whatever is computed."""

    id = "storage-connections-used"
    title = "MySQL never had 80 % of its connections in use, and turned nobody away"
    severity = WARNING
    sentences = ("mysql-tuned",)
    source = "MySQL Reference Manual: Server Status Variables"
    remedy = "Raise max_connections, or see which client opens so many; the counters start anew with the server"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server the most connections that it had."""
        yield from storage_findings.of_servers(self, fleet, live, _was_not_full)


class StorageAbortedConnects(Rule):
    """Connections that do not get as far as a login: a wrong password or plugin, TLS that does not agree, timeouts."""

    id = "storage-aborted-connects"
    title = "MySQL's clients get in when they connect"
    severity = WARNING
    source = "MySQL Reference Manual: Server Status Variables"
    remedy = "Look into the server's error log (log_warnings=2, log_error_verbosity=3) for who does not get in"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server how many were aborted."""
        yield from storage_findings.of_servers(self, fleet, live, _lets_in)


def _has_room(server: Server, fleet: Fleet) -> Verdict:
    limit = server.number("max_connections")
    if limit is None:
        return verdicts.unknown(f"the server does not tell max_connections ({server.best.version})")
    storing = {id(use.instance) for use in server.uses}
    reading = {id(use.instance) for use in server.sources}
    clients = {id(use.instance): use for use in (*server.uses, *server.sources)}
    need = pools.mysql_need(_client(use, fleet, both=key in storing and key in reading) for key, use in clients.items())
    tenants = {use.instance.tenant for use in clients.values()}
    whose = f"{len(clients)} instances of {len(tenants)} tenants"
    told = f"{whose} may open {need}, with {pools.MYSQL_RESERVE} in reserve"
    if limit < need:
        return verdicts.fails(
            f"max_connections is {limit}, and {told}", f"Set max_connections = {pools.max_connections(need)}"
        )
    several = next((use.instance for use in clients.values() if _makes_many(use.instance, fleet)), None)
    if several is not None:
        return verdicts.unknown(
            f"the project of {several.name} ({several.host}) makes a pool for each of its own tenants, of which nobody "
            f"says how many there are; with one, {told} of {limit}",
            "Say so in the inventory: cubejs_tenants[].orchestrators",
        )
    return verdicts.passes(f"max_connections is {limit}, and {told}")


def _client(use: Use, fleet: Fleet, *, both: bool) -> pools.MysqlClient:
    planned = fleet.tenant(use.instance.tenant)
    return pools.MysqlClient(
        processes=1,
        orchestrators=planned.orchestrators if planned else 1,
        pool_max=pool_max(use.instance.seen.value("CUBEJS_DB_MAX_POOL")),
        source=both,
    )


def pool_max(text: str | None) -> int:
    """Return what the MySQL driver makes of CUBEJS_DB_MAX_POOL: parseInt(...) || 8."""
    match = re.match(r"\s*\+?([0-9]{1,9})", text or "")
    return (int(match[1]) if match else 0) or pools.MYSQL_POOL


def _makes_many(instance: LiveInstance, fleet: Fleet) -> bool:
    project, planned = instance.seen.project, fleet.tenant(instance.tenant)
    if project is None or (planned is not None and planned.orchestrators > 1):
        return False
    return not _MAKES_ORCHESTRATORS.isdisjoint(project.mentions)


def _was_not_full(server: Server) -> Verdict:
    limit, used = server.number("max_connections"), server.number("Max_used_connections")
    if not limit or used is None:
        return verdicts.unknown("the server does not tell max_connections and Max_used_connections")
    refused = server.number("Connection_errors_max_connections")
    told = f"{used} of {limit} were in use at once"
    if refused:
        return verdicts.fails(f"{refused} connections were turned away, {told}")
    if used * 100 >= limit * MOST_USED_PERCENT:
        return verdicts.fails(told)
    return verdicts.passes(told)


def _lets_in(server: Server) -> Verdict:
    aborted, seconds = server.number("Aborted_connects"), server.number("Uptime")
    if aborted is None or not seconds:
        return verdicts.unknown("the server does not tell Aborted_connects and Uptime")
    rate = aborted / max(seconds / 60, 1.0)
    told = f"{aborted} were aborted in {seconds / 3600:.1f} hours"
    if aborted >= FEW_ABORTED and rate > MOST_ABORTED_PER_MINUTE:
        return verdicts.fails(f"{told}, {rate:.1f} a minute")
    return verdicts.passes(told)
