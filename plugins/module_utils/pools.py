# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections: how many each process opens, and what the servers must allow. All numbers are connections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Each query in flight holds two connections (the foreground request and the background renewal each wait in a
# blocking pop of their own); the executing queries, builds and table fetches of a process and the pool's own
# bookkeeping hold up to ten more. Measured on 0.29.57: 10 in flight took 25, 50 took 105.
PER_QUERY = 2
PER_PROCESS = 10
# What was open beside the two of each query when that was measured.
BESIDE_QUERIES = 5
# A pool of one always deadlocks: the queue holds one connection while it asks for another.
SMALLEST_POOL = 10
# The production checklist: "at least 15 concurrent connections".
SMALLEST_SERVER = 15
# Monitoring, health probes, redis-cli, replicas, and connections that linger from a process just restarted.
REDIS_RESERVE = 100
# Cube's MySQL driver opens up to 8 for each pool unless CUBEJS_DB_MAX_POOL says otherwise.
MYSQL_POOL = 8
# Each health probe logs in anew, outside the pool; two may overlap in a process.
MYSQL_PROBES = 2
# An operator, monitoring, backups.
MYSQL_RESERVE = 25
# The server's own default: whoever else uses the server loses nothing by our arithmetic.
MYSQL_DEFAULT = 151


def redis_pool(in_flight: int) -> int:
    """Return the size of one Redis pool for this many queries in flight in one process; never below 10."""
    return max(SMALLEST_POOL, PER_QUERY * in_flight + PER_PROCESS)


def in_flight(open_connections: int) -> int:
    """Return how many queries in flight hold so many connections of one pool, by what was measured."""
    return max(0, -(-(open_connections - BESIDE_QUERIES) // PER_QUERY))


def redis_need(in_flight: int, pool_max: int | None, processes: int, orchestrators: int) -> int:
    """Return how many connections a tenant's processes may open together.

    Every process has one pool for each orchestrator. A pool_max of 0 is no limit but a connection on
    demand, so that the queries in flight are what bounds it.
    """
    return processes * orchestrators * (pool_max or redis_pool(in_flight))


def quorum(sentinels: int) -> int:
    """Return how many of so many Sentinels have to agree that a primary is gone: more than half of them."""
    return sentinels // 2 + 1


def maxclients(need: int, others: int = 0) -> int:
    """Return Redis' maxclients for its tenants' need, other clients and a reserve; never below 15."""
    return max(SMALLEST_SERVER, need + others + REDIS_RESERVE)


@dataclass(frozen=True)
class MysqlClient:
    """One tenant at a MySQL server; source says that its source database is on the same server too."""

    processes: int
    orchestrators: int
    pool_max: int = MYSQL_POOL
    source: bool = False

    @property
    def need(self) -> int:
        """Return how many connections this tenant's processes may open."""
        pools = 2 if self.source else 1
        return self.processes * pools * (self.orchestrators * self.pool_max + MYSQL_PROBES)


def mysql_need(clients: Iterable[MysqlClient]) -> int:
    """Return how many connections MySQL's clients may open together, and a reserve."""
    return sum(client.need for client in clients) + MYSQL_RESERVE


def max_connections(need: int) -> int:
    """Return MySQL's max_connections for a need: never below the server's own default of 151, and rounded up above it.

    In steps of a sixteenth to an eighth of the need, so that most tenants that come or go leave the server's
    configuration, and how it divides its memory, as they are. A connection that is not used costs 128 KB of the share.
    """
    if need <= MYSQL_DEFAULT:
        return MYSQL_DEFAULT
    step = 1 << (need.bit_length() - 4)
    return -(-need // step) * step
