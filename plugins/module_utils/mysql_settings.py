# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of a MySQL or MariaDB server that holds Cube's pre-aggregations, with the reason for each.

A setting stands here when the way Cube uses the server, upstream's documentation or a measurement asks for it. What is
not here stays as the server has it. Named time zones are not loaded: Cube's driver sets `+00:00` in every session and
converts by offsets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEBIBYTE = 2**20
MARIADB = "mariadb"
MYSQL = "mysql"

# Seen on MariaDB 10.5, 10.11 and 11.8: 85 to 122 MB when idle, 76 to 83 kB for a connection, 121 to 131 after a query.
SERVER_BYTES = 128 * MEBIBYTE
CONNECTION_BYTES = 128 * 1024
DEFAULT_CONNECTIONS = 151
# Sort, join and read buffers of a query, at the servers' defaults.
QUERY_BYTES = 3 * MEBIBYTE
POOL_PERCENT = 60
QUERIES_PERCENT = 25
# The default, and what resizing was seen to round to on 10.5.
POOL_UNIT = 128 * MEBIBYTE
# Cube opens up to 8 connections for each pool and runs 2 queries at once over them.
CONNECTIONS_PER_QUERY = 4
# 16 MiB is the default. Raising it to 512 MiB made a wide GROUP BY 8.6 times faster; more was not measured.
TMP_TABLE_MINIMUM = 16 * MEBIBYTE
TMP_TABLE_MAXIMUM = 512 * MEBIBYTE
LOG_MINIMUM = 96 * MEBIBYTE
LOG_MAXIMUM = 1024 * MEBIBYTE
# Cube inserts 1000 rows with one statement; a row has at most 65,535 bytes, and escaping can double each of them.
PACKET_BYTES = 128 * MEBIBYTE
# From 10.11 on MariaDB takes several addresses, as Oracle's MySQL does.
MARIADB_SEVERAL_ADDRESSES = (10, 11)

STRICT_MODES: Mapping[str, str] = {
    MARIADB: "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION",
    MYSQL: "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION",
}
# Settings that a variable of the role, or the package, decides on.
DECIDED_ELSEWHERE: Mapping[str, str] = {
    "port": "set mysql_port",
    "bind_address": "set mysql_bind_addresses",
    "max_connections": "set mysql_max_connections",
    "datadir": "it is the package's",
    "socket": "it is the package's",
    "pid_file": "it is the package's",
    "user": "it is the package's",
}


class MysqlSettingsError(Exception):
    """The settings cannot work; the message holds every problem on a line of its own."""


@dataclass(frozen=True)
class Setting:
    """One line of the server's configuration and why it is there."""

    name: str
    value: str
    reason: str


@dataclass(frozen=True)
class Sizes:
    """How a server's memory is divided, in bytes; `queries` is how many are expected to run at once."""

    buffer_pool: int
    log: int
    tmp_table: int
    queries: int


@dataclass(frozen=True)
class Request:
    """What the settings follow from. memory_bytes is the server's share of the host, version None when unknown."""

    distribution: str
    memory_bytes: int
    max_connections: int
    port: int
    bind_addresses: Sequence[str]
    dedicated: bool
    version: tuple[int, ...] | None = None
    extra: Mapping[str, Any] | None = None


def sizes(memory_bytes: int, max_connections: int) -> Sizes:
    """Return how the memory is divided; raises MysqlSettingsError when there is too little for the connections."""
    connections = max(DEFAULT_CONNECTIONS, max_connections) * CONNECTION_BYTES
    usable = memory_bytes - SERVER_BYTES - connections
    if usable < POOL_UNIT // 2:
        needed = SERVER_BYTES + connections + POOL_UNIT // 2
        raise MysqlSettingsError(
            f"mysql_memory_bytes: {memory_bytes} is too little for {max_connections} connections "
            f"(mysql_max_connections): give at least {needed}"
        )
    pool = max(POOL_UNIT, usable * POOL_PERCENT // 100 // POOL_UNIT * POOL_UNIT)
    queries = max(4, max_connections // CONNECTIONS_PER_QUERY)
    each = usable * QUERIES_PERCENT // 100 // queries - QUERY_BYTES
    return Sizes(
        buffer_pool=pool,
        log=_within(pool // 4, LOG_MINIMUM, LOG_MAXIMUM),
        tmp_table=_within(each, TMP_TABLE_MINIMUM, TMP_TABLE_MAXIMUM),
        queries=queries,
    )


def _within(size: int, minimum: int, maximum: int) -> int:
    return min(maximum, max(minimum, size // MEBIBYTE * MEBIBYTE))


def resolve(request: Request) -> list[Setting]:
    """Return the whole configuration, the user's own settings last; raises MysqlSettingsError with all problems."""
    problems = list(_problems(request))
    try:
        divided = sizes(request.memory_bytes, request.max_connections)
    except MysqlSettingsError as exc:
        problems.append(str(exc))
    if problems:
        raise MysqlSettingsError("\n".join(problems))
    extra = {_plain(name): value for name, value in (request.extra or {}).items()}
    derived = [row for row in _derived(request, divided) if row.name not in extra]
    given = ((name, value) for name, value in extra.items() if value is not None)
    return [*derived, *(Setting(name, _written(value), "mysql_settings says so.") for name, value in given)]


def _derived(request: Request, divided: Sizes) -> Iterator[Setting]:
    yield Setting("port", str(request.port), "Where its clients look for it.")
    yield bind_address(request)
    yield Setting(
        "max_connections",
        str(max(DEFAULT_CONNECTIONS, request.max_connections)),
        "All pools of its clients at once, and never below the default that other clients may count on.",
    )
    yield Setting(
        "max_allowed_packet",
        _size(PACKET_BYTES),
        "Cube inserts 1000 rows in one statement: room for the longest rows there are, escaped.",
    )
    yield Setting(
        "character_set_server", "utf8mb4", "What Cube's columns are made of, so that no other comes into joins."
    )
    yield Setting(
        "sql_mode",
        STRICT_MODES[request.distribution],
        "Strict: a value that does not fit fails its build, instead of being cut off in silence.",
    )
    yield from _memory(divided, request)
    if request.dedicated:
        yield Setting(
            "innodb_flush_log_at_trx_commit",
            "2",
            "Cube commits each insert by itself; at worst a second of what can be built anew is lost.",
        )
    if request.distribution == MYSQL:
        yield from _oracle(request.dedicated)


def _memory(divided: Sizes, request: Request) -> Iterator[Setting]:
    yield Setting(
        "innodb_buffer_pool_size", _size(divided.buffer_pool), f"{POOL_PERCENT} % of what its connections leave over."
    )
    log = "innodb_redo_log_capacity" if request.distribution == MYSQL else "innodb_log_file_size"
    yield Setting(
        log, _size(divided.log), "A quarter of the pool, from 96 MiB to 1 GiB, so that checkpoints do not stop a build."
    )
    yield Setting(
        "tmp_table_size",
        _size(divided.tmp_table),
        f"Grouping in memory was seen to be 8.6 times faster; {QUERIES_PERCENT} % for {divided.queries} at once.",
    )
    yield Setting("max_heap_table_size", _size(divided.tmp_table), "The smaller of this and tmp_table_size counts.")


def _oracle(dedicated: bool) -> Iterator[Setting]:
    yield Setting(
        "loose_mysql_native_password", "ON", "The only login that Cube's driver speaks; 8.4 has it turned off."
    )
    yield Setting("loose_mysqlx", "OFF", "Nothing here speaks the X protocol, and it listens everywhere.")
    if dedicated:
        yield Setting("skip_log_bin", "ON", "What can be built anew need not be written twice.")


def bind_address(request: Request) -> Setting:
    """Return what the server listens on: its clients' addresses, or all where it cannot listen on several."""
    addresses = list(dict.fromkeys(request.bind_addresses))
    if len(addresses) > 1 and not takes_several_addresses(request.distribution, request.version):
        return Setting(
            "bind_address", "*", "This release listens on one address or on all: keep others out by a firewall."
        )
    return Setting("bind_address", ",".join(addresses), "Where its clients reach it, and nowhere else.")


def takes_several_addresses(distribution: str, version: tuple[int, ...] | None) -> bool:
    """Return whether the server can listen on a list of addresses; one of unknown version is taken for a recent one."""
    return distribution == MYSQL or version is None or version >= MARIADB_SEVERAL_ADDRESSES


def _problems(request: Request) -> Iterator[str]:
    if not request.bind_addresses:
        yield "mysql_bind_addresses: is empty; give the addresses on which clients reach the server"
    if request.max_connections < 10:
        yield f"mysql_max_connections: {request.max_connections} is too few; Cube's pool alone opens 8"
    if not 0 < request.port < 65536:
        yield f"mysql_port: {request.port} is no port; give a number from 1 to 65535"
    for name, value in (request.extra or {}).items():
        decided = DECIDED_ELSEWHERE.get(_plain(name))
        if decided:
            yield f"mysql_settings.{name}: is not set here; {decided}"
        if not _plain(name).replace("_", "").replace(".", "").isalnum():
            yield f"mysql_settings.{name}: is no name of a setting; write letters, digits and underscores"
        if isinstance(value, (dict, list)) or "\n" in str(value):
            yield f"mysql_settings.{name}: write one value on one line, or null to leave the server's own"


def _plain(name: str) -> str:
    return name.replace("-", "_").lower()


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    text = str(value)
    return f'"{text}"' if "#" in text or text != text.strip() else text


def _size(count: int) -> str:
    return f"{count // MEBIBYTE}M"
