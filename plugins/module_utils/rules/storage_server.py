# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on how the storage's server is set up for taking in and serving pre-aggregations."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import live_storage, mysql_settings
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.live_storage import Server
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import storage_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import MEBIBYTE, Verdict

# 1000 rows of 16 columns with 255 characters of utf8mb4 are 16 MB; wider and escaped ones four times as much.
PACKET_BYTES = 64 * MEBIBYTE
_STRICT = frozenset({"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"})
_EXPIRES = ("binlog_expire_logs_seconds", "expire_logs_days")
_CHECKLIST = "Production Checklist: Set up Pre-aggregations Storage"


class StoragePacketSize(Rule):
    """Cube inserts 1000 rows with one statement: a limit that is too small drops the build that meets it."""

    id = "storage-packet-size"
    title = "max_allowed_packet is 64 MiB or more"
    severity = WARNING
    sentences = ("mysql-tuned",)
    source = "Source of @cubejs-backend/mysql-driver 0.29.33 (uploadTableWithIndexes)"
    remedy = "Set max_allowed_packet = 128M"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server the largest statement that it takes."""
        yield from storage_findings.of_servers(self, fleet, live, _takes_packets)


class StorageBufferPool(Rule):
    """Pre-aggregations are read at every query: those that are not in the buffer pool are read from disk."""

    id = "storage-buffer-pool"
    title = "innodb_buffer_pool_size holds all pre-aggregations"
    severity = WARNING
    sentences = ("mysql-tuned",)
    source = _CHECKLIST
    remedy = "Raise innodb_buffer_pool_size, give the server more memory, or keep fewer pre-aggregations"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server whether its pool is as large as the schemas that are there."""
        yield from storage_findings.of_servers(self, fleet, live, _holds_schemas)


class StorageSqlMode(Rule):
    """Texts become varchar(255): longer ones are cut off in silence unless the server is strict."""

    id = "storage-sql-mode"
    title = "sql_mode is strict"
    severity = WARNING
    sentences = ("mysql-tuned",)
    source = "Source of @cubejs-backend/mysql-driver 0.29.33"
    remedy = "Put STRICT_TRANS_TABLES into sql_mode"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server its mode."""
        yield from storage_findings.of_servers(self, fleet, live, _is_strict)


class StorageCharacterSet(Rule):
    """Cube's columns are utf8mb4; where the server's own are not, joins and filters compare across collations."""

    id = "storage-character-set"
    title = "character_set_server is utf8mb4"
    severity = WARNING
    sentences = ("mysql-tuned",)
    source = "Source of @cubejs-backend/mysql-driver 0.29.33"
    remedy = "Set character_set_server = utf8mb4"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server its character set."""
        yield from storage_findings.of_servers(self, fleet, live, _is_utf8)


class StorageBinaryLog(Rule):
    """Every build is written to the binary log once more, and one that never expires fills the disk."""

    id = "storage-binary-log"
    title = "The binary log is off, or expires"
    severity = WARNING
    sentences = ("mysql-tuned",)
    source = _CHECKLIST
    remedy = "Set skip_log_bin on a server of its own, or binlog_expire_logs_seconds (expire_logs_days before MySQL 8)"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server whether its log ends."""
        yield from storage_findings.of_servers(self, fleet, live, _log_ends)


class StorageTemporaryTables(Rule):
    """Grouping in memory was measured to be 8.6 times faster; the smaller of two settings is what counts."""

    id = "storage-temporary-tables"
    title = "tmp_table_size and max_heap_table_size are equal, and not below the default"
    severity = WARNING
    sentences = ("mysql-tuned",)
    source = "Measured on MariaDB 10.5 to 11.8"
    remedy = "Set tmp_table_size and max_heap_table_size to the same size, 64M if the memory allows it"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each server how large a table may be that is made in memory."""
        yield from storage_findings.of_servers(self, fleet, live, _groups_in_memory)


def _missing(server: Server, name: str) -> Verdict:
    return verdicts.unknown(f"the server does not tell {name} ({server.best.version})")


def _takes_packets(server: Server) -> Verdict:
    size = server.number("max_allowed_packet")
    if size is None:
        return _missing(server, "max_allowed_packet")
    told = f"max_allowed_packet is {verdicts.mebibytes(size)}"
    return verdicts.passes(told) if size >= PACKET_BYTES else verdicts.fails(told)


def _holds_schemas(server: Server) -> Verdict:
    pool = server.number("innodb_buffer_pool_size")
    if pool is None:
        return _missing(server, "innodb_buffer_pool_size")
    sizes = {use.schema: use.tables.size_bytes for use in server.uses if use.tables}
    told = f"{verdicts.mebibytes(pool)} for {verdicts.mebibytes(sum(sizes.values()))} in {len(sizes)} schemas"
    if sum(sizes.values()) > pool:
        return verdicts.fails(told)
    blind = next((use for use in server.uses if use.tables is None or not use.tables.whole), None)
    if blind is not None:
        return verdicts.unknown(live_storage.why(blind.seen, f"tables.{blind.schema}"))
    return verdicts.passes(told)


def _is_strict(server: Server) -> Verdict:
    modes = server.best.variables.get("sql_mode")
    if modes is None:
        return _missing(server, "sql_mode")
    if _STRICT.intersection(modes.split(",")):
        return verdicts.passes("it is strict", modes)
    return verdicts.fails("it is not strict: texts of more than 255 characters are cut off", "", modes)


def _is_utf8(server: Server) -> Verdict:
    name = server.best.variables.get("character_set_server")
    if name is None:
        return _missing(server, "character_set_server")
    return verdicts.passes("it is utf8mb4") if name == "utf8mb4" else verdicts.fails(f"it is {name}")


def _log_ends(server: Server) -> Verdict:
    log = server.best.variables.get("log_bin")
    if log is None:
        return _missing(server, "log_bin")
    if log.upper() in ("OFF", "0"):
        return verdicts.passes("it is off")
    limits = {name: server.number(name) for name in _EXPIRES}
    if not any(value is not None for value in limits.values()):
        return _missing(server, " nor ".join(_EXPIRES))
    told = ", ".join(f"{name} is {value}" for name, value in limits.items() if value is not None)
    return verdicts.passes(told) if any(limits.values()) else verdicts.fails(f"it never expires: {told}")


def _groups_in_memory(server: Server) -> Verdict:
    sizes = {name: server.number(name) for name in ("tmp_table_size", "max_heap_table_size")}
    missing = [name for name, size in sizes.items() if size is None]
    if missing:
        return _missing(server, missing[0])
    told = ", ".join(f"{name} is {verdicts.mebibytes(size or 0)}" for name, size in sizes.items())
    smallest, largest = min(size or 0 for size in sizes.values()), max(size or 0 for size in sizes.values())
    if smallest < mysql_settings.TMP_TABLE_MINIMUM:
        return verdicts.fails(f"{told}: the default is {verdicts.mebibytes(mysql_settings.TMP_TABLE_MINIMUM)}")
    if smallest < largest:
        return verdicts.fails(f"{told}: the smaller of the two counts")
    return verdicts.passes(told)
