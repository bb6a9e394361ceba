"""Faults that are over when somebody looks: what processes logged of them is what is left."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from fault import (
    ACME_BACK,
    ACME_FRONT,
    ACME_WORKER,
    CLEAR_JOURNAL,
    GLOBEX_API,
    GLOBEX_WORKER,
    Fault,
    Unit,
    all_of,
    asked,
    by_settings,
    listening,
    until,
)


def _over(
    what: str,
    unit: Unit,
    finds: tuple[str, ...],
    settings: Mapping[str, str],
    logged: str,
    *,
    unset: tuple[str, ...] = (),
    ask: str = "true",
) -> Fault:
    """Return a fault by settings that is mended as soon as the process has logged something."""
    # Once is enough: to start again and again takes the processor from the others.
    fault = by_settings(what, unit, finds, settings, unset=unset, service=("Restart=no",))
    of_unit = f"journalctl --quiet --unit={unit.name} --since=-120s --output=cat"
    return replace(
        fault,
        # It may end before it listens.
        breaks=all_of(fault.breaks, f"systemctl restart --no-block {unit.name}"),
        then=all_of(ask, until(f"{of_unit} | grep -Eq {shlex.quote(logged)}")),
        mends=all_of(
            f"(systemctl kill --signal=KILL {unit.name} || true)",
            f"systemctl stop {unit.name}",
            f"systemctl reset-failed {unit.name}",
            fault.mends,
        ),
        passes=True,
        clears=CLEAR_JOURNAL,
    )


def _asks(unit: Unit) -> str:
    """Return a command that asks an instance for data, and does not wait for them."""
    load = f"/cubejs-api/v1/load?query={quote(json.dumps({'measures': ['Orders.count']}))}"
    return all_of(listening(unit), f"({asked(unit, load)} >/dev/null 2>&1 &)")


PASSED = (
    _over(
        "A query that waits in vain for a connection from a pool of 1",
        GLOBEX_API,
        ("journal-pool-timeouts",),
        {"CUBEJS_REDIS_POOL_MAX": "1", "CUBEJS_REDIS_POOL_MIN": "0"},
        "ResourceRequest timed out",
        ask=_asks(GLOBEX_API),
    ),
    _over(
        "A process with CUBEJS_ENABLE_TLS=true, which does not start",
        ACME_WORKER,
        ("journal-deprecations",),
        {"CUBEJS_ENABLE_TLS": "true"},
        "deprecated",
    ),
    _over(
        "A process whose heap is too small for it",
        ACME_FRONT,
        ("journal-out-of-memory",),
        {"NODE_OPTIONS": "--max-old-space-size=5"},
        "heap out of memory",
    ),
    _over(
        "A process with another password than Redis has, which ends with its first query",
        ACME_BACK,
        ("journal-redis-errors",),
        {"CUBEJS_REDIS_PASSWORD": "q7Xw2Lr9Tz4Nc8Vb5Kd3"},
        "WRONGPASS|NOAUTH",
        ask=_asks(ACME_BACK),
    ),
    _over(
        "A refresh worker that the storage does not let in",
        GLOBEX_WORKER,
        ("journal-refresh-errors", "journal-storage-errors"),
        {"CUBEJS_EXT_DB_PASS": "wrong", "CUBEJS_SCHEDULED_REFRESH_TIMER": "2"},
        "Refresh Scheduler Error",
        unset=("CUBEJS_REFRESH_WORKER",),
    ),
)
