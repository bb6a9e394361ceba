# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the limits of a process, each against what this very process needs: files, memory, time to end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import descriptors, memory, pools, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, REFRESH_WORKER, Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

POOL_MAX, DB_POOL, DRIVER = "CUBEJS_REDIS_POOL_MAX", "CUBEJS_DB_MAX_POOL", "CUBEJS_CACHE_AND_QUEUE_DRIVER"
# What Cube opens at most where nothing says it.
DEFAULT_POOL = 1000
GRACEFUL = "CUBEJS_GRACEFUL_SHUTDOWN"
# Cube ends itself by force a second after the time that it gives its requests.
FORCE_SECONDS = 1
NODE_OPTIONS = "NODE_OPTIONS"
_HEAP = re.compile(r"--max[-_]old[-_]space[-_]size[= ](\d{1,9})\b")
_OF_CUBE = re.compile(r"@cubejs-backend/server|(?:^|/)cubejs(?:-dev)?(?:-server)?(?:\.js)?$")


class Files(NamedTuple):
    """What a process may have open: connections to Redis and MySQL, and queries at once."""

    redis: int
    mysql: int
    in_flight: int


def files_of(instance: LiveInstance, fleet: Fleet) -> Optional[Files]:
    """Return what an instance may have open by its settings; None where they bound nothing and no plan does.

    The variables have to be known.
    """
    planned = fleet.tenant(instance.tenant)
    orchestrators = planned.orchestrators if planned else 1
    size = _whole(instance.seen.value(POOL_MAX), DEFAULT_POOL)
    in_flight = planned.max_in_flight if planned else max(0, size - pools.PER_PROCESS) // pools.PER_QUERY
    if instance.seen.value(DRIVER) in ("memory", "cubestore"):
        size = 0
    elif size <= 0:
        # Connections on demand: only what is asked at once bounds them.
        if not planned:
            return None
        size = pools.redis_pool(in_flight)
    database = _whole(instance.seen.value(DB_POOL), pools.MYSQL_POOL) or pools.MYSQL_POOL
    mysql = pools.MysqlClient(1, orchestrators, database, source=True).need
    return Files(size * orchestrators, mysql, in_flight)


def _whole(text: Optional[str], default: int) -> int:
    """Return a size as it is meant; a text that is no number is 0, as up to 0.23 (later versions do not start)."""
    if text is None:
        return default
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text.strip()) else 0


class OpenFiles(Rule):
    """Each connection to Redis, to a database, and of a client is an open file.

    Beyond its limit a process can neither take a query nor reach Redis, and ends. Node.js raises its own limit to the
    hard one when it starts, so that what the process has is what counts.
    """

    id = "open-files"
    title = "A process may open as many files as its pools and clients need"
    source = "Measured on Cube.js 0.29.57 (connections by queries in flight); source of Node.js (PlatformInit)"
    remedy = "Raise LimitNOFILE= of the unit, or lower the pools"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each running instance."""
        for instance in known.running(live.instances):
            process = instance.seen.process
            missing = known.environment_gap(instance.seen, POOL_MAX, DB_POOL, DRIVER)
            limit = process.open_files_soft if process else None
            if limit is None:
                yield self.of(instance, UNKNOWN, "its limit of open files could not be read", known.BECOME)
            elif process and process.open_files and process.open_files * 100 > limit * descriptors.FULL_PERCENT:
                yield self.of(instance, FAIL, f"it has {process.open_files} of {limit} files open")
            elif missing:
                yield known.unknown(self, instance, missing)
            else:
                yield self._judged(instance, fleet, limit)

    def _judged(self, instance: LiveInstance, fleet: Fleet, limit: int) -> Finding:
        files = files_of(instance, fleet)
        if files is None:
            why = f"{POOL_MAX}=0 bounds nothing, and how many queries are in flight is not declared"
            return self.of(instance, UNKNOWN, why, f"Set {POOL_MAX}, or max_in_flight of the tenant")
        wanted = descriptors.need(*files)
        parts = [
            f"{files.redis} connections to Redis", f"{files.mysql} to databases", f"{files.in_flight} queries at once",
        ]  # fmt: skip
        if limit < wanted:
            message = f"it may open {limit} files, and needs {wanted}"
            return self.of(instance, FAIL, message, f"Set LimitNOFILE={wanted} or more", evidence=parts)
        return self.of(instance, PASS, f"it may open {limit} files, and needs {wanted}", evidence=parts)


class HeapFits(Rule):
    """A refresh worker buffers whole results in Node's heap, which is bounded by a default and not by the host.

    Too small, Node.js ends with "heap out of memory"; as large as the memory there is, the kernel ends the process
    before it collects its garbage.
    """

    id = "heap-size"
    title = "The refresh worker's heap is set, and every heap that is set fits in the memory"
    source = "Cube.js' documentation: Production Checklist (0.32, cluster sizing); source of mysql-driver 0.29.33"
    remedy = "Set NODE_OPTIONS=--max-old-space-size=MiB to three quarters of the memory that the process may have"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each running refresh worker, and for each API instance that sets a heap."""
        for instance in known.running(live.instances):
            heap = _heap(instance)
            if heap is not None:
                yield self._judged(instance, heap, _memory(instance, live))
            elif instance.kind == REFRESH_WORKER:
                missing = known.environment_gap(instance.seen, NODE_OPTIONS)
                why = f"no heap is set: {NODE_OPTIONS} and its command have no --max-old-space-size"
                yield (
                    known.unknown(self, instance, missing)
                    if missing
                    else self.of(instance, FAIL, why, severity=WARNING)
                )

    def _judged(self, instance: LiveInstance, heap: int, limit: Optional[int]) -> Finding:
        told = f"its heap may take {heap // memory.MEBIBYTE} MiB"
        if limit is None:
            return self.of(instance, UNKNOWN, f"{told}, and how much memory there is could not be read", known.BECOME)
        there = f"{limit // memory.MEBIBYTE} MiB"
        if heap >= limit:
            fits = limit * memory.HEAP_PERCENT // 100 // memory.MEBIBYTE
            remedy = f"Set {NODE_OPTIONS}=--max-old-space-size={fits}"
            return self.of(instance, FAIL, f"{told}, and the process may have {there}", remedy)
        return self.of(instance, PASS, f"{told} of {there}")


def _heap(instance: LiveInstance) -> Optional[int]:
    """Return the heap's size in bytes; the command line wins over the variable, the later option over the earlier."""
    process = instance.seen.process
    texts = (instance.seen.value(NODE_OPTIONS) or "", " ".join(process.command) if process else "")
    sizes = [int(size) for text in texts for size in _HEAP.findall(text)]
    return sizes[-1] * memory.MEBIBYTE if sizes else None


def _memory(instance: LiveInstance, live: Live) -> Optional[int]:
    host = known.observation_of(live, instance)
    unit = instance.seen.unit
    sizes = [size for size in (host and host.memory_bytes, unit and unit.memory_max_bytes) if size]
    return min(sizes, default=None)


class GracefulStop(Rule):
    """Unset, CUBEJS_GRACEFUL_SHUTDOWN lets SIGTERM end a process at once, and with it every query that it serves.

    Set, Cube ends itself by force a second later: systemd must wait longer than that. Only Cube's own program reads it.
    """

    id = "graceful-stop"
    title = "A stop lets running queries end, and systemd waits for that"
    severity = WARNING
    versions = ">=0.25.15"
    source = "CHANGELOG of Cube.js 0.25.15; source of @cubejs-backend/server 0.29.57"
    remedy = f"Set {GRACEFUL}=20, and TimeoutStopSec= of the unit to five seconds more"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each running instance."""
        for instance in known.running(live.instances):
            missing = known.gap(instance, GRACEFUL)
            if missing:
                yield known.unknown(self, instance, missing)
            elif not versions.within(instance.version, self.versions):
                why = f"Cube {instance.version} does not read {GRACEFUL}"
                yield self.of(instance, NOT_APPLICABLE, why)
            elif not _is_cubes_program(instance):
                yield self.of(instance, NOT_APPLICABLE, "its own program decides how it ends")
            else:
                yield self._judged(instance)

    def _judged(self, instance: LiveInstance) -> Finding:
        text, unit = instance.seen.value(GRACEFUL), instance.seen.unit
        if text is None:
            if instance.kind != API:
                return self.of(instance, NOT_APPLICABLE, "it serves nobody")
            return self.of(instance, FAIL, f"{GRACEFUL} is not set: a stop ends running queries")
        if not re.fullmatch(r"[0-9]{1,6}", text):
            return self.of(instance, FAIL, f"{GRACEFUL}={text[:40]!r} is no number of seconds: it does not start again")
        if unit is None:
            why = f"{GRACEFUL}={text}, and how long its manager waits is not known"
            return self.of(instance, UNKNOWN, why, "Run it as a unit of systemd, or see its manager's settings")
        wanted, waits = int(text) + FORCE_SECONDS, unit.timeout_stop_seconds
        if waits is not None and waits <= wanted:
            remedy = f"Set TimeoutStopSec={wanted + 4}"
            return self.of(instance, FAIL, f"systemd waits {waits:g} s, and Cube takes up to {wanted} s", remedy)
        return self.of(instance, PASS, f"requests have {text} s, and systemd waits {_waits(waits)}")


def _waits(seconds: Optional[float]) -> str:
    return "for ever" if seconds is None else f"{seconds:g} s"


def _is_cubes_program(instance: LiveInstance) -> bool:
    process = instance.seen.process
    return bool(process and _OF_CUBE.search(process.script))
