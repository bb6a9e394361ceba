# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on what processes logged: errors that are known from production, what they mean, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, NamedTuple

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    INFO,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import PM2, SYSTEMD
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Journal
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule


class Meaning(NamedTuple):
    """What an error means, and what to do about it: a sentence each, without a full stop."""

    text: str
    remedy: str


class JournalRule(Rule):
    """What rules on journals have in common. patterns: keys of probes.journal.PATTERNS, and what they mean."""

    patterns: ClassVar[Mapping[str, Meaning]] = {}

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each running instance and each unit that has logged: which of the errors it logged."""
        for instance in live.instances:
            if instance.seen.running or instance.seen.journal:
                yield _of_instance(self, self.patterns, instance, live)


def _of_instance(rule: Rule, patterns: Mapping[str, Meaning], instance: LiveInstance, live: Live) -> Finding:
    journal = instance.seen.journal
    if journal is None:
        return _unread(rule, instance, live)
    found = [name for name in patterns if journal.counts.get(name)]
    span = f"within {journal.hours:g} h"
    if found:
        message = "; ".join(f"{journal.counts[name]} x {patterns[name].text}" for name in found)
        remedy = "; ".join(dict.fromkeys(patterns[name].remedy for name in found))
        host = known.observation_of(live, instance)
        evidence = [_evidence(name, journal, host.taken_at if host else None) for name in found]
        return rule.of(instance, FAIL, f"{span}: {message}", remedy, evidence=evidence)
    if not journal.whole:
        why = f"{span} it logged more lines than were read, without any of these errors in them"
        return rule.of(instance, UNKNOWN, why, "Look with fewer journal_hours")
    return rule.of(instance, PASS, f"none {span}")


def _evidence(name: str, journal: Journal, now: float | None) -> str:
    last = journal.last_at.get(name)
    ago = f", the last {max(0.0, now - last) / 60:.0f} min before" if last is not None and now is not None else ""
    return f"{name}: {journal.counts[name]} lines{ago}"


def _unread(rule: Rule, instance: LiveInstance, live: Live) -> Finding:
    host = known.observation_of(live, instance)
    said = next((each for each in host.unknown if each.what == "journal"), None) if host else None
    if instance.seen.manager == PM2:
        why, remedy = "pm2 writes its log to files of its own, which are not read", "See pm2 logs, or run it as a unit"
    elif instance.seen.manager != SYSTEMD:
        why, remedy = "it logs elsewhere than to the journal of this host", "Run it as a unit of systemd"
    elif said:
        why, remedy = f"the journal could not be read: {said.reason}", said.remedy or known.BECOME
    else:
        why, remedy = "the journal was not asked", "Observe the host with the probe journal"
    return rule.of(instance, UNKNOWN, why, remedy)


class PoolTimeouts(JournalRule):
    """A query that gets no connection within 5 seconds (Redis) or 20 (MySQL) ends as "ResourceRequest timed out".

    The client sees status 400. Once a hundred connections have failed, some releases fail for good until a restart
    (cube-js/cube issue 2574).
    """

    id = "journal-pool-timeouts"
    title = "No query waited in vain for a connection"
    sentences = ("pool-too-small",)
    source = "Production Checklist: Redis Pool; measured on Cube.js 0.29.57; cube-js/cube issue 2574"
    remedy = "Raise CUBEJS_REDIS_POOL_MAX to 2 x the queries in flight + 10, and CUBEJS_DB_MAX_POOL"
    patterns: ClassVar[Mapping[str, Meaning]] = {
        "resource_request_timed_out": Meaning(
            "a pool had no connection in time (ResourceRequest timed out)",
            "Raise CUBEJS_REDIS_POOL_MAX to 2 x the queries in flight + 10; where queries had waited 20 s, "
            "CUBEJS_DB_MAX_POOL; restart where it goes on without load",
        ),
    }


class RedisErrors(JournalRule):
    """Any error of Redis ends a process of Cube with its default client, so that each of these is an outage."""

    id = "journal-redis-errors"
    title = "No process had an error of Redis"
    severity = WARNING
    source = "cube-js/cube issues 104, 432, 564, 2337, 3437, 3962, 4722 and 5896"
    remedy = "See why Redis was not to be had"
    patterns: ClassVar[Mapping[str, Meaning]] = {
        "max_clients_reached": Meaning(
            "Redis had no connection left (max number of clients reached)",
            "Raise maxclients of Redis above the sum of all pools, or lower the pools",
        ),
        "redis_connection": Meaning(
            "Redis was not reached, or broke the connection", "See in Redis' log why it was away"
        ),
        "redis_auth": Meaning(
            "Redis did not take the password", "Give the instances the password that Redis has, and restart them"
        ),
        "redis_certificate": Meaning(
            "Redis' certificate is of a CA that Node.js does not know",
            "Set NODE_EXTRA_CA_CERTS to the file of the CA",
        ),
        "callback_of_undefined": Meaning(
            "the Redis client failed while it connected again (callback of undefined)",
            "Use ioredis (CUBEJS_REDIS_USE_IOREDIS=true, from 0.26.7), and see why Redis was away",
        ),
    }


class RefreshErrors(JournalRule):
    """A refresh that fails is told in the log only: data gets older, and no query fails."""

    id = "journal-refresh-errors"
    title = "No scheduled refresh failed, and no query missed a pre-aggregation"
    sentences = ("refresh-worker",)
    source = "cube-js/cube issues 4797, 5178 and 5896"
    remedy = "See the refresh worker's log"
    patterns: ClassVar[Mapping[str, Meaning]] = {
        "refresh_scheduler": Meaning(
            "a scheduled refresh failed (Refresh Scheduler Error)",
            "See the error beside it: the source, the schema, or scheduledRefreshContexts that returns nothing",
        ),
        "partitions_not_built": Meaning(
            "a query found no pre-aggregation that is built",
            "Let the refresh worker run, with the time zones, schema and contexts of the API instances",
        ),
    }


class StorageErrors(JournalRule):
    """What MySQL refuses, a pre-aggregation lacks: it is dropped, and built again and again."""

    id = "journal-storage-errors"
    title = "No database refused what a process asked"
    source = "cube-js/cube issues 86, 1564, 2105, 2316 and 8546; source of mysql-driver 0.29.33"
    remedy = "See the statement beside the error"
    patterns: ClassVar[Mapping[str, Meaning]] = {
        "table_exists": Meaning(
            "a table was made twice (ER_TABLE_EXISTS_ERROR)",
            "Run one refresh worker, on the Redis of the API instances; up to driver 0.27.34 keep the storage off the "
            "source's server",
        ),
        "no_such_table": Meaning(
            "a table was gone (ER_NO_SUCH_TABLE)",
            "Let all processes use the same Redis, storage and schema, and nobody else that schema",
        ),
        "too_long_identifier": Meaning(
            "a name is longer than 64 characters (ER_TOO_LONG_IDENT)",
            "Give the cube or the pre-aggregation a short sqlAlias",
        ),
        "data_too_long": Meaning(
            "a text is longer than 255 characters (Data too long)", "Shorten the dimension in its SQL"
        ),
        "packet_too_large": Meaning(
            "a statement is larger than the server takes (ER_NET_PACKET_TOO_LARGE)",
            "Raise max_allowed_packet of the storage to 64M or more",
        ),
        "access_denied": Meaning(
            "a login or a right was refused",
            "Give the user the password that it has, mysql_native_password, and the rights on its schema",
        ),
        "too_many_connections": Meaning(
            "the server had no connection left (Too many connections)",
            "Raise max_connections above the sum of all pools, or lower CUBEJS_DB_MAX_POOL",
        ),
    }


class OutOfMemory(JournalRule):
    """A process that outgrows its memory is ended in the middle of what it does, by Node.js or by the kernel."""

    id = "journal-out-of-memory"
    title = "No process ran out of memory"
    source = "Source of mysql-driver 0.29.33, which buffers whole results"
    remedy = "Give the process more memory, or pre-aggregations smaller partitions"
    patterns: ClassVar[Mapping[str, Meaning]] = {
        "heap": Meaning(
            "Node.js had no heap left (heap out of memory)",
            "Raise --max-old-space-size in NODE_OPTIONS, or give pre-aggregations a partitionGranularity",
        ),
        "out_of_memory": Meaning(
            "the kernel ended it for want of memory",
            "Raise MemoryMax= or the host's memory, and keep the heap at three quarters of that",
        ),
    }


class CrashErrors(JournalRule):
    """Errors with which a process does not start, or that nothing in it catches."""

    id = "journal-crashes"
    title = "No process failed to start, or ended by an error that nobody caught"
    source = "Measured on Cube.js 0.20.10 and 0.29.57; cube-js/cube issue 3437"
    remedy = "See the error's lines in the journal"
    patterns: ClassVar[Mapping[str, Meaning]] = {
        "module_not_found": Meaning(
            "a package was not found, or cannot be loaded",
            "Run npm ci; up to 0.24 pin antlr4 to 4.8.0",
        ),
        "uncaught": Meaning("an error was caught by nobody", "See its stack in the journal"),
        "address_in_use": Meaning(
            "the port, or the socket file, was taken (EADDRINUSE)",
            "Stop the other process on it, or let the unit remove the socket before it starts",
        ),
    }


class Deprecations(JournalRule):
    """Cube tells what a later release will not do any more."""

    id = "journal-deprecations"
    title = "No process told that it uses something deprecated"
    severity = INFO
    source = "DEPRECATION.md of cube-js/cube"
    remedy = "Replace it before the next upgrade"
    patterns: ClassVar[Mapping[str, Meaning]] = {
        "deprecated": Meaning(
            "something in use is deprecated", "See the line in the journal for what replaces it, before an upgrade"
        ),
    }
