# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Known error patterns in the journal of units, counted: one run of journalctl for all, bounded in lines and time.

Only counts and times leave the host: log lines hold SQL and, sometimes, secrets.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Journal
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import group_name
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline

READERS = ("systemd-journal", "adm", "wheel")
MAX_LINES = 20_000
MAX_BYTES = 32 * 1024 * 1024
MAX_LINE_CHARACTERS = 64 * 1024
# What users saw in production, and what it came from; an identifier stands for it.
PATTERNS: Mapping[str, str] = {
    "resource_request_timed_out": r"ResourceRequest timed out",
    "max_clients_reached": r"max number of clients reached",
    # ioredis, which lives through it, writes its line of an "Unhandled error event" for every try to connect.
    "redis_connection": r"Redis connection (?:to|lost)|Ready check failed|Connection is closed|Unhandled error event",
    "redis_auth": r"NOAUTH|WRONGPASS|invalid username-password pair",
    "redis_certificate": r"unable to verify the first certificate",
    "callback_of_undefined": r"Cannot read property .callback. of undefined|reading .callback.",
    "refresh_scheduler": r"Refresh Scheduler (?:Interval )?Error",
    "partitions_not_built": r"partitions were not built|No pre-aggregation table has been built",
    "table_exists": r"ER_TABLE_EXISTS_ERROR",
    "no_such_table": r"ER_NO_SUCH_TABLE|Table .{1,200} doesn.t exist",
    "too_long_identifier": r"ER_TOO_LONG_IDENT",
    "data_too_long": r"ER_DATA_TOO_LONG|Data too long for column",
    "packet_too_large": r"ER_NET_PACKET_TOO_LARGE|PROTOCOL_PACKETS_OUT_OF_ORDER",
    "access_denied": r"ER_ACCESS_DENIED_ERROR|ER_DBACCESS_DENIED_ERROR|ER_NOT_SUPPORTED_AUTH_MODE",
    "too_many_connections": r"ER_CON_COUNT_ERROR|Too many connections",
    "module_not_found": r"ERR_PACKAGE_PATH_NOT_EXPORTED|MODULE_NOT_FOUND|Cannot find module",
    "uncaught": r"UnhandledPromiseRejection|uncaughtException",
    "address_in_use": r"EADDRINUSE",
    "heap": r"JavaScript heap out of memory|Reached heap limit",
    "out_of_memory": r"killed by the OOM killer|oom-kill|Failed with result .oom-kill",
    "deprecated": r"is deprecated and will be removed|has been deprecated and removed",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}

Lines = Callable[[Sequence[str], float], "tuple[list[bytes], bool]"]


class JournalError(Exception):
    """The journal cannot be read; the message says why."""


def may_read() -> bool:
    """Return whether journalctl would show other users' messages; it leaves them out without a word."""
    return os.geteuid() == 0 or any(group_name(each) in READERS for each in os.getgroups())


def read_lines(command: Sequence[str], seconds: float) -> tuple[list[bytes], bool]:
    """Return what a command prints, and whether that is all of it. Raises JournalError."""
    if not may_read():
        raise JournalError(f"only root and members of {', '.join(READERS)} may read it: run the task with become: true")
    try:
        done = subprocess.run(
            list(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise JournalError("journalctl did not end in time") from exc
    except OSError as exc:
        raise JournalError(f"journalctl cannot be run: {exc.strerror}") from exc
    if done.returncode != 0 and not done.stdout:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        # A search that finds nothing ends with 1 and says nothing.
        if done.returncode != 1 or said:
            raise JournalError((said or [f"journalctl ended with {done.returncode}"])[-1][:300])
    return done.stdout[:MAX_BYTES].split(b"\n"), len(done.stdout) <= MAX_BYTES


def look(
    units: Iterable[str], deadline: Deadline, now: float, hours: float = 24.0, lines: Lines = read_lines
) -> dict[str, Journal]:
    """Return unit -> what its journal holds of the last hours. Raises JournalError, and OutOfTimeError.

    now: seconds since the epoch. The search itself is journalctl's where it can (--grep), so that a unit that logs
    hundreds of lines a second leaves room for the others.
    """
    named = sorted(set(units))
    if not named:
        return {}
    command = [
        "journalctl", "--no-pager", "--quiet", "--output=json", "--output-fields=MESSAGE,_SYSTEMD_UNIT,UNIT",
        f"--since=@{int(now - hours * 3600)}", f"--lines={MAX_LINES}", *(f"--unit={unit}" for unit in named),
    ]  # fmt: skip
    search = f"--grep={'|'.join(f'(?:{pattern})' for pattern in PATTERNS.values())}"
    try:
        found, whole = lines([*command, "--case-sensitive=true", search], deadline.left())
    except JournalError as exc:
        if "pattern matching" not in str(exc).lower():
            raise
        found, whole = lines(command, deadline.left())
    rows = [line for line in found if line]
    whole = whole and len(rows) < MAX_LINES
    journals = {unit: Journal(hours, {}, {}, whole) for unit in named}
    for unit, name, at in _matches(rows, journals):
        counts = {**journals[unit].counts, name: journals[unit].counts.get(name, 0) + 1}
        last = {**journals[unit].last_at, name: at}
        journals[unit] = replace(journals[unit], counts=counts, last_at=last)
    return journals


def _matches(rows: Iterable[bytes], units: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    for row in rows:
        try:
            entry = json.loads(row)
        except (ValueError, RecursionError):
            continue
        if not isinstance(entry, dict):
            continue
        # What systemd itself says of a unit carries the unit in UNIT.
        unit = next((entry[key] for key in ("UNIT", "_SYSTEMD_UNIT") if entry.get(key) in units), None)
        message = _message(entry.get("MESSAGE"))
        at = entry.get("__REALTIME_TIMESTAMP")
        if unit is None or not isinstance(at, str) or not at.isdecimal():
            continue
        for name, pattern in _COMPILED.items():
            if pattern.search(message):
                yield unit, name, int(at) / 1e6


def _message(value: object) -> str:
    """Return the text of an entry: one with bytes that are no text is a list of numbers."""
    if isinstance(value, list) and all(isinstance(each, int) and 0 <= each < 256 for each in value):
        return bytes(value[:MAX_LINE_CHARACTERS]).decode("utf-8", "replace")
    return value[:MAX_LINE_CHARACTERS] if isinstance(value, str) else ""
