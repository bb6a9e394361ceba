"""Error patterns in the journal, counted."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import journal
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.journal import JournalError, look, read_lines
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline


def row(unit: str, message: Any, at: float = 100.0, key: str = "_SYSTEMD_UNIT") -> bytes:
    return json.dumps({key: unit, "MESSAGE": message, "__REALTIME_TIMESTAMP": str(int(at * 1e6))}).encode()


ROWS = [
    row("a.service", "TimeoutError: ResourceRequest timed out", 100),
    row("a.service", "Error: ResourceRequest timed out", 200),
    row("b.service", "ER_TABLE_EXISTS_ERROR: Table 'x' already exists"),
    row("b.service", list(b"\xff\xfeJavaScript heap out of memory")),
    row("a.service", "a.service: Failed with result 'oom-kill'.", key="UNIT"),
    row("strange.service", "ResourceRequest timed out"),
    row("a.service", "all is well"),
    b"no json", b"[]", b"{}", b"[" * 100_000, row("a.service", None),
    row("a.service", "EADDRINUSE", 1).replace(b'"1000000"', b"1"),
]  # fmt: skip


def test_counts_by_unit_and_when_it_was_last() -> None:
    asked: list[Sequence[str]] = []

    def lines(command: Sequence[str], _seconds: float) -> tuple[list[bytes], bool]:
        asked.append(command)
        return ROWS, True

    found = look(["b.service", "a.service", "c.service"], Deadline.within(5), 100_000.0, 24.0, lines)
    assert found["a.service"].counts == {"resource_request_timed_out": 2, "out_of_memory": 1}
    assert found["a.service"].last_at["resource_request_timed_out"] == 200.0
    assert found["b.service"].counts == {"table_exists": 1, "heap": 1}
    assert (found["c.service"].counts, found["c.service"].whole) == ({}, True)
    assert len(asked) == 1
    assert {"--since=@13600", "--unit=a.service", "--unit=c.service", "--lines=20000"} < set(asked[0])


def test_a_journalctl_that_cannot_search_is_read_whole() -> None:
    asked: list[Sequence[str]] = []

    def lines(command: Sequence[str], _seconds: float) -> tuple[list[bytes], bool]:
        asked.append(command)
        if any(word.startswith("--grep") for word in command):
            raise JournalError("Compiled without pattern matching support")
        return ROWS, False

    assert not look(["a.service"], Deadline.within(5), 1e6, 24.0, lines)["a.service"].whole
    assert len(asked) == 2


def test_too_many_lines_are_not_the_whole() -> None:
    rows = [row("a.service", "EADDRINUSE")] * journal.MAX_LINES
    found = look(["a.service"], Deadline.within(5), 1e6, 24.0, lambda *_arguments: (rows, True))
    assert (found["a.service"].counts, found["a.service"].whole) == ({"address_in_use": journal.MAX_LINES}, False)


def test_no_units_cost_nothing() -> None:
    def never(*_arguments: Any) -> Any:
        raise AssertionError

    assert look([], Deadline.within(5), 1e6, 24.0, never) == {}


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests be root's."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_who_may_not_read_is_told_instead_of_a_clean_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Journalctl leaves out what one may not read, and ends well."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getgroups", lambda: [4_000_000_000])
    with pytest.raises(JournalError, match="systemd-journal"):
        read_lines(["true"], 5)
    monkeypatch.setattr(journal, "group_name", lambda _group: "adm")
    assert read_lines(["true"], 5) == ([b""], True)


def script(tmp_path: Path, text: str) -> list[str]:
    program = tmp_path / "journalctl"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return [str(program)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("sleep 5", "did not end in time", id="hangs"),
        pytest.param("echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1",
                     "insufficient permissions", id="refused"),
        pytest.param("exit 2", "ended with 2", id="fails"),
    ],
)  # fmt: skip
def test_a_journal_that_cannot_be_read(tmp_path: Path, as_root: None, text: str, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(JournalError, match=said):
        read_lines(script(tmp_path, text), 0.3)
    assert time.monotonic() - began < 2


def test_a_search_that_finds_nothing_is_no_failure(tmp_path: Path, as_root: None) -> None:
    assert read_lines(script(tmp_path, "exit 1"), 5)[1]
    with pytest.raises(JournalError, match="cannot be run"):
        read_lines([str(tmp_path / "none")], 5)


def test_every_pattern_is_known_by_a_message_of_its_own() -> None:
    """What people saw in production (and a pattern that matches nothing would never tell)."""
    messages = {
        "max_clients_reached": "ReplyError: ERR max number of clients reached",
        "redis_connection": "Error: Redis connection to h:6379 failed - connect ECONNREFUSED",
        "redis_auth": "ReplyError: NOAUTH Authentication required.",
        "redis_certificate": "Error: unable to verify the first certificate",
        "callback_of_undefined": "TypeError: Cannot read property 'callback' of undefined",
        "refresh_scheduler": "Refresh Scheduler Interval Error",
        "partitions_not_built": "pre-aggregation partitions were not built yet",
        "no_such_table": "ER_NO_SUCH_TABLE: Table 'a.b' doesn't exist",
        "too_long_identifier": "ER_TOO_LONG_IDENT: Identifier name",
        "data_too_long": "ER_DATA_TOO_LONG: Data too long for column 'x'",
        "packet_too_large": "ER_NET_PACKET_TOO_LARGE: Got a packet",
        "access_denied": "ER_ACCESS_DENIED_ERROR: Access denied",
        "too_many_connections": "ER_CON_COUNT_ERROR: Too many connections",
        "module_not_found": "Error [ERR_PACKAGE_PATH_NOT_EXPORTED]: './index'",
        "uncaught": "(node:1) UnhandledPromiseRejectionWarning: Error: no driver",
        "address_in_use": "Error: listen EADDRINUSE: address already in use",
        "heap": "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        "out_of_memory": "cube.service: A process of this unit has been killed by the OOM killer.",
        "deprecated": "CUBEJS_ENABLE_TLS has been deprecated and removed.",
        "resource_request_timed_out": "TimeoutError: ResourceRequest timed out",
        "table_exists": "ER_TABLE_EXISTS_ERROR",
    }
    assert set(messages) == set(journal.PATTERNS)
    for name, message in messages.items():
        lines = [row("a", message)]
        assert look(["a"], Deadline.within(5), 1e6, 1.0, lambda *_a, rows=lines: (rows, True))["a"].counts == {name: 1}


@pytest.mark.parametrize(
    "error",
    ["connect ECONNREFUSED 192.0.2.2:20001", "All sentinels are unreachable. Retrying from scratch after 10ms."],
)
def test_what_ioredis_lives_through_is_no_crash(error: str) -> None:
    """It wrote 220 of these in a failover of seven seconds, on 0.29.57, and the process went on."""
    lines = [row("a", f"[ioredis] Unhandled error event: Error: {error}")]
    assert look(["a"], Deadline.within(5), 1e6, 1.0, lambda *_a: (lines, True))["a"].counts == {"redis_connection": 1}
