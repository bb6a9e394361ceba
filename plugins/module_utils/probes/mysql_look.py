# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A MySQL or MariaDB server as an instance's own settings reach it: its limits, its grants, what its schema holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import MysqlSeen, Peers, Tables, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import (
    MysqlEndpoint,
    MysqlError,
    MysqlUnknownError,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql_sessions import Row, Session, open_session
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline

VARIABLES = (
    "binlog_expire_logs_seconds", "bind_address", "character_set_server", "collation_server", "datadir",
    "expire_logs_days", "have_ssl", "hostname", "innodb_buffer_pool_size", "innodb_file_per_table",
    "innodb_flush_log_at_trx_commit", "local_infile", "log_bin", "max_allowed_packet", "max_connections",
    "max_heap_table_size", "open_files_limit", "port", "require_secure_transport", "server_id", "server_uuid",
    "sql_mode", "sync_binlog", "table_open_cache", "time_zone", "tmp_table_size", "version", "version_comment",
    "wait_timeout",
)  # fmt: skip
STATUS = (
    "Aborted_connects", "Connection_errors_max_connections", "Max_used_connections", "Threads_connected", "Uptime",
)  # fmt: skip
# What tells one server from another, whatever address it is reached by.
IDENTITY = ("server_uuid", "hostname", "port", "datadir", "server_id")
OWN_SCHEMAS = frozenset({"information_schema", "performance_schema"})
MAX_TABLES = 20_000
MAX_FOREIGN = 20
MAX_ROWS = 500
# An administrator's has some 2,000; one that is cut off is not understood.
MAX_GRANT_CHARACTERS = 4000
# Access denied for user, to schema; for a login that only a plugin knows that Cube does not.
AUTH_ERRORS = (1044, 1045, 1698, 1251, 2059, 4151)
# The driver could not connect: refused, no such host, gone while it read.
NETWORK_ERRORS = (2002, 2003, 2005, 2013)

# <cube>_<pre-aggregation>_<content>_<structure>_<time>: seconds in base 32, or milliseconds (PreAggregations.js). Its
# version() leaves out leading zeros: of a million digests 30,000 have seven characters, 1,000 six and 27 five.
_CUBE_TABLE = re.compile(r"(.+)_([a-z0-9]{5,8})_([a-z0-9]{5,8})_([0-9a-v]{1,20})", re.DOTALL)
_MILLISECONDS_DIGITS = 13
_HASH = re.compile(r"(IDENTIFIED (?:BY PASSWORD|BY)|USING|AS) +'(?:[^']|'')*'", re.IGNORECASE)
_PLUGIN = re.compile(r"(?:IDENTIFIED (?:WITH|VIA)| OR) [`'\"]?(\w+)", re.IGNORECASE)
# The server looks who is at the other end of a socket, without a word to the client, and goes on to the next plugin.
_ASKS_NOTHING = "unix_socket"
_ADMINISTRATOR = "Only an administrator of the server may read it"


def default_schema(version: str, node_env: str | None) -> str:
    """Return the schema that holds pre-aggregations where nothing names one: stb_ up to 0.25.3, then by NODE_ENV."""
    if versions.within(version, "<0.25.4"):
        return "stb_pre_aggregations"
    return "prod_pre_aggregations" if node_env == "production" else "dev_pre_aggregations"


def look(
    endpoint: MysqlEndpoint,
    schemas: Iterable[str],
    redactor: Redactor,
    deadline: Deadline,
    connect: Callable[[MysqlEndpoint, Deadline], Session] = open_session,
) -> MysqlSeen:
    """Return what there is to see; a server that does not serve these settings has a `problem`.

    schemas: those whose tables are looked at. Raises OutOfTimeError, and MysqlUnknownError without any client.
    """
    seen = MysqlSeen(
        asked=redactor.text(str(endpoint)),
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        database=endpoint.database or "",
        socket=endpoint.socket_path or "",
        tls=endpoint.tls,
    )
    try:
        session = connect(endpoint, deadline)
    except MysqlUnknownError:
        raise
    except MysqlError as exc:
        return replace(seen, reachable=False, problem=redactor.text(str(exc)), reason=_reason(exc))
    try:
        return _asked(replace(seen, reachable=True, client=session.kind), session, schemas, redactor)
    finally:
        session.close()


def _reason(exc: MysqlError) -> str:
    if exc.code in AUTH_ERRORS:
        return "auth"
    if "timed out" in str(exc) or "in time" in str(exc):
        return "timeout"
    if exc.code == 1049:
        return "database"
    return "unreachable" if exc.code in NETWORK_ERRORS else "refused" if exc.code else "protocol"


def _asked(seen: MysqlSeen, session: Session, schemas: Iterable[str], redactor: Redactor) -> MysqlSeen:
    unknown: list[Unknown] = []

    def ask(what: str, sql: str) -> list[Row] | None:
        try:
            return session.rows(sql)
        except MysqlError as exc:
            unknown.append(Unknown(what, redactor.text(str(exc)), _ADMINISTRATOR))
            return None

    variables = _named(ask("variables", f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({_list(VARIABLES)})"), redactor)
    status = _named(ask("status", f"SHOW GLOBAL STATUS WHERE Variable_name IN ({_list(STATUS)})"), redactor)
    grants = ask("grants", "SHOW GRANTS")
    account = ask("plugin", "SHOW CREATE USER CURRENT_USER()")
    visible = ask("schemas", "SHOW DATABASES")
    peers = ask("peers", "SELECT host, COALESCE(db, '') FROM information_schema.processlist")
    tables = {}
    for schema in schemas:
        rows = ask(f"tables.{schema}", _tables_sql(schema))
        if rows is not None:
            tables[redactor.text(schema)] = summarise(schema, rows, redactor)
    return replace(
        seen,
        identity=redactor.fingerprint("\0".join(variables.get(name, "") for name in IDENTITY)) if variables else "",
        version=variables.get("version", ""),
        plugin=None if account is None else _plugin(account),
        grants=None if grants is None else tuple(_grant(row, redactor) for row in grants),
        variables=variables,
        status=status,
        schemas=None if visible is None else _visible(visible, redactor),
        tables=tables,
        peers=None if peers is None else _peers(peers, redactor),
        unknown=tuple(unknown),
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _tables_sql(schema: str) -> str:
    # A text in hexadecimal needs no quoting, whatever it holds.
    name = schema.encode("utf-8", "surrogateescape").hex()
    columns = "table_name, COALESCE(data_length, 0) + COALESCE(index_length, 0)"
    where = f"table_schema = CONVERT(0x{name} USING utf8mb4) ORDER BY create_time DESC LIMIT {MAX_TABLES + 1}"
    return f"SELECT {columns} FROM information_schema.tables WHERE {where}"  # noqa: S608 hexadecimal digits


def _named(rows: list[Row] | None, redactor: Redactor) -> dict[str, str]:
    pairs = ((row[0] or "", row[1] or "") for row in rows or [] if len(row) == 2)
    return {redactor.text(name, 64): redactor.text(value) for name, value in pairs}


def _grant(row: Row, redactor: Redactor) -> str:
    return redactor.text(_HASH.sub(r"\1 '...'", _first(row)), MAX_GRANT_CHARACTERS)


def _first(row: Row) -> str:
    return (row[0] or "") if row else ""


def _plugin(rows: list[Row]) -> str | None:
    text = _first(rows[0]) if rows else ""
    found = _PLUGIN.findall(text)
    if found:
        return next((name for name in found if name != _ASKS_NOTHING), _ASKS_NOTHING)
    # MariaDB writes a password of the native plugin, or none at all, without naming it.
    return versions.MYSQL_AUTH_PLUGIN if text else None


def _visible(rows: list[Row], redactor: Redactor) -> tuple[str, ...]:
    names = sorted({_first(row) for row in rows} - OWN_SCHEMAS)
    return tuple(redactor.text(name, 64) for name in names[:MAX_ROWS])


def _peers(rows: list[Row], redactor: Redactor) -> tuple[Peers, ...]:
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        host = (row[0] or "").rpartition(":")
        key = (host[0] or host[2], (row[1] or "") if len(row) > 1 else "")
        counts[key] = counts.get(key, 0) + 1
    found = sorted(counts.items())[:MAX_ROWS]
    return tuple(Peers(redactor.text(host, 64), redactor.text(db, 64), count) for (host, db), count in found)


def summarise(schema: str, rows: list[Row], redactor: Redactor) -> Tables:
    """Return what a list of tables (name, bytes) says of a schema of pre-aggregations."""
    sizes = {_first(row): int(float(row[1] or 0)) if len(row) > 1 else 0 for row in rows[:MAX_TABLES]}
    matches = [match for match in map(_CUBE_TABLE.fullmatch, sizes) if match]
    foreign = sorted(name for name in sizes if not _CUBE_TABLE.fullmatch(name))
    contents: dict[tuple[str, str], list[tuple[float, str, str]]] = {}
    for match in matches:
        contents.setdefault((match[1], match[3]), []).append((made_at(match[4]), match[2], match[0]))
    versions_of = [sorted(each) for each in contents.values()]
    replaced = [(newer[0], old[2]) for each in versions_of for old, newer in zip(each, each[1:])]
    times = [each[0] for group in versions_of for each in group]
    return Tables(
        schema=redactor.text(schema, 64),
        count=len(sizes),
        cube=len(matches),
        foreign=tuple(redactor.text(name, 64) for name in foreign[:MAX_FOREIGN]),
        foreign_count=len(foreign),
        size_bytes=sum(sizes.values()),
        newest_at=max(times, default=None),
        oldest_at=min(times, default=None),
        most_versions=max((len({content for _at, content, _name in each}) for each in versions_of), default=0),
        replaced=len(replaced),
        replaced_bytes=sum(sizes[name] for _at, name in replaced),
        replaced_at=min((at for at, _name in replaced), default=None),
        longest_name=max(map(len, sizes), default=0),
        whole=len(rows) <= MAX_TABLES,
    )


def made_at(suffix: str) -> float:
    """Return the time in the last part of a table's name, in seconds since the epoch."""
    if len(suffix) >= _MILLISECONDS_DIGITS and suffix.isdecimal():
        return int(suffix) / 1000
    return float(int(suffix, 32))
