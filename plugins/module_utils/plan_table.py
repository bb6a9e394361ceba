# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan's summary as tables that a person can read in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, SEVERITIES, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.memory import MEBIBYTE
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.text import LONGEST_NAME, printable

UNKNOWN = "?"
NOTHING = "-"
GAP = "  "
MOST_HOSTS = 3

Row = Mapping[str, Any]


def table(summary: Row) -> str:
    """Return the summary as text: a table for tenants, servers and hosts each, then what is wrong.

    "30/160" are the connections that pools may open together, and those that the server allows; "?" is not known.
    """
    parts = [
        _section("Tenants", TENANT_COLUMNS, map(_tenant, summary["tenants"])),
        _section("Redis", SERVER_COLUMNS, map(_redis, summary["redis"])),
        _section("MySQL", SERVER_COLUMNS, map(_mysql, summary["mysql"])),
        _section("Servers that are not deployed", EXTERNAL_COLUMNS, map(_external, summary["external"])),
        _section("Hosts", HOST_COLUMNS, map(_host, summary["hosts"])),
        _findings([Finding.from_dict(each) for each in summary["findings"]]),
    ]
    return "\n\n".join(part for part in parts if part)


TENANT_COLUMNS = (
    "tenant",
    "number",
    "wave",
    "version",
    "API instances",
    "refresh worker",
    "ports",
    "Redis",
    "connections",
    "MySQL",
    "connections",
    "RAM limits",
)
SERVER_COLUMNS = ("host", "port", "name", "tenants", "connections", "RAM")
EXTERNAL_COLUMNS = ("host", "port", "kind", "tenants", "connections")
HOST_COLUMNS = ("host", "address", "processes", "Cube.js RAM", "Redis", "Redis RAM", "MySQL RAM", "RAM")


def _tenant(row: Row) -> Sequence[str]:
    redis, mysql = row["redis"] or {}, row["mysql"] or {}
    return (
        row["name"],
        _known(row["number"]),
        "suspended" if row["suspended"] else str(row["wave"]),
        row["version"],
        _places(row["api"]),
        row["refresh_worker"] or NOTHING,
        " ".join(filter(None, (_ports(row["ports"]), _sockets(row["sockets"])))) or NOTHING,
        f"{redis['server']}:{redis['port']}/{redis['index']}{_kind(redis)}" if redis else NOTHING,
        f"{redis['need']}/{_known(redis['maxclients'])}" if redis else NOTHING,
        f"{mysql['server']}:{mysql['port']}/{mysql['schema']}{_kind(mysql)}" if mysql else NOTHING,
        f"{mysql['need']}/{_known(mysql['max_connections'])}" if mysql else NOTHING,
        _size(row["memory_bytes"]),
    )


def _places(counts: Mapping[str, int]) -> str:
    """Return where API instances are: each host and their count there, or of many hosts how many."""
    if len(counts) > MOST_HOSTS:
        return f"{len(counts)} hosts:{next(iter(counts.values()))}"
    return " ".join(f"{host}:{count}" for host, count in counts.items()) or NOTHING


def _kind(link: Row) -> str:
    return "" if link["kind"] == "own" else f" ({link['kind']})"


def _ports(ports: Sequence[int]) -> str:
    """Return ports as ranges: 10010-10012."""
    starts = [port for port in ports if port - 1 not in ports]
    ends = [port for port in ports if port + 1 not in ports]
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in zip(starts, ends))


def _sockets(count: int) -> str:
    return f"{count} socket{'' if count == 1 else 's'}" if count else ""


def _redis(row: Row) -> Sequence[str]:
    connections = f"{row['need']}/{_known(row['maxclients'])}"
    return (row["host"], str(row["port"]), row["name"], _count(row), connections, _size(row["maxmemory_bytes"]))


def _mysql(row: Row) -> Sequence[str]:
    connections = f"{row['need']}/{_known(row['max_connections'])}"
    return (row["host"], str(row["port"]), row["distribution"], _count(row), connections, _size(row["memory_bytes"]))


def _external(row: Row) -> Sequence[str]:
    return (row["host"], str(row["port"]), row["kind"], _count(row), f"{row['need']}/{_known(row['allowed'])}")


def _host(row: Row) -> Sequence[str]:
    return (
        row["name"],
        row["address"],
        str(row["processes"]),
        _of(row["cubejs"]),
        str(row["redis_instances"]),
        _of(row["redis"]),
        _size(row["mysql"]["share_bytes"]),
        _size(row["memory_bytes"]),
    )


def _of(sizes: Row) -> str:
    """Return what the limits of all add up to, and the share that they have together."""
    if not sizes["limits_bytes"] and sizes["share_bytes"] is None:
        return UNKNOWN if sizes["limits_bytes"] is None else NOTHING
    return f"{_size(sizes['limits_bytes'])}/{_size(sizes['share_bytes'])}"


def _count(row: Row) -> str:
    return str(len(row["tenants"]))


def _known(value: Any) -> str:
    return UNKNOWN if value is None else str(value)


def _size(size: int | None) -> str:
    """Return bytes in MiB or GiB, as memory is sold."""
    if size is None:
        return UNKNOWN
    mebibytes = size / MEBIBYTE
    return f"{mebibytes:.0f}M" if mebibytes < 1024 else f"{mebibytes / 1024:.1f}G"


def _section(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a titled table; "" without rows."""
    cells = [columns, *([printable(cell, LONGEST_NAME) for cell in row] for row in rows)]
    if len(cells) == 1:
        return ""
    widths = [max(len(row[column]) for row in cells) for column in range(len(columns))]
    return "\n".join([f"{title} ({len(cells) - 1})", *(_line(row, widths) for row in cells)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()


def _findings(findings: Sequence[Finding]) -> str:
    """Return the findings, the worst first, or that there is none."""
    failed = [finding for finding in findings if finding.status == FAIL]
    if not failed:
        return "Nothing is wrong with this plan."
    return "\n".join([f"Findings ({len(failed)})", *_by_severity(failed)])


def _by_severity(findings: Sequence[Finding]) -> Iterator[str]:
    for severity in SEVERITIES:
        yield from (f"{severity}: {finding.text()}" for finding in findings if finding.severity == severity)
