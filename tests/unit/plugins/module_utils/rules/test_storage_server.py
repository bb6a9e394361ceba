"""Rules on the settings of the storage's server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

GOOD = {
    "character_set_server": "utf8mb4", "expire_logs_days": "0.000000", "innodb_buffer_pool_size": str(1 << 30),
    "log_bin": "OFF", "max_allowed_packet": str(64 << 20), "max_heap_table_size": str(16 << 20),
    "sql_mode": "ANSI,STRICT_ALL_TABLES", "tmp_table_size": str(16 << 20), "version": "8.4.3",
}  # fmt: skip
RULES = {
    "storage-packet-size": "max_allowed_packet",
    "storage-buffer-pool": "innodb_buffer_pool_size",
    "storage-sql-mode": "sql_mode",
    "storage-character-set": "character_set_server",
    "storage-binary-log": "log_bin",
    "storage-temporary-tables": "tmp_table_size",
}


def judged(seeing: Any, rule: str, variables: dict[str, str], **changes: Any) -> Any:
    (finding,) = seeing.judge(rule, seeing.storing(seeing.mysql(variables=variables, **changes)))
    return finding


@pytest.mark.parametrize("rule", RULES)
def test_all_is_well(rule: str, seeing: Any) -> None:
    finding = judged(seeing, rule, GOOD)
    assert (finding.status, finding.subject, finding.tenant, finding.host) == ("pass", "one:3306", "acme", "one")


@pytest.mark.parametrize(("rule", "name"), RULES.items())
def test_what_was_not_told(rule: str, name: str, seeing: Any) -> None:
    finding = judged(seeing, rule, {key: value for key, value in GOOD.items() if key != name})
    assert (finding.status, name in finding.message) == ("unknown", True)
    finding = judged(seeing, rule, {}, unknown=(Unknown("variables", "denied", "ask"),))
    assert (finding.status, "denied" in finding.message, finding.remedy) == ("unknown", True, "ask")
    assert [each.status for each in seeing.judge(rule, seeing.live(seeing.instance()))] == ["unknown"]


@pytest.mark.parametrize("rule", RULES)
def test_without_a_storage(rule: str, seeing: Any) -> None:
    none = seeing.live(seeing.instance(environment={"CUBEJS_EXT_DB_TYPE": None}))
    assert [each.status for each in seeing.judge(rule, none)] == ["not_applicable"]


@pytest.mark.parametrize(
    ("rule", "variables", "said"),
    [
        pytest.param("storage-packet-size", {"max_allowed_packet": str((64 << 20) - 1)}, "64 MiB", id="packets"),
        pytest.param("storage-packet-size", {"max_allowed_packet": "16777216"}, "16 MiB", id="packets of the default"),
        pytest.param("storage-buffer-pool", {"innodb_buffer_pool_size": "1048575"}, "1 MiB for 1 MiB", id="pool"),
        pytest.param("storage-sql-mode", {"sql_mode": ""}, "not strict", id="no mode"),
        pytest.param("storage-sql-mode", {"sql_mode": "NO_STRICT_TRANS_TABLES"}, "not strict", id="another mode"),
        pytest.param("storage-character-set", {"character_set_server": "latin1"}, "latin1", id="character set"),
        pytest.param("storage-binary-log", {"log_bin": "ON"}, "never expires", id="a log for ever"),
        pytest.param(
            "storage-binary-log",
            {"log_bin": "1", "binlog_expire_logs_seconds": "0"},
            "never expires",
            id="a log for ever, twice said",
        ),
        pytest.param("storage-temporary-tables", {"tmp_table_size": "1048576"}, "default", id="small"),
        pytest.param(
            "storage-temporary-tables", {"tmp_table_size": str(64 << 20)}, "smaller of the two", id="one only"
        ),
    ],
)
def test_what_is_wrong(rule: str, variables: dict[str, str], said: str, seeing: Any) -> None:
    finding = judged(seeing, rule, {**GOOD, **variables})
    assert (finding.status, finding.severity) == ("fail", "warning")
    assert said in finding.message


@pytest.mark.parametrize(
    ("variables", "status"),
    [
        pytest.param({"log_bin": "ON", "binlog_expire_logs_seconds": "2592000"}, "pass", id="seconds"),
        pytest.param({"log_bin": "ON", "expire_logs_days": "7.000000"}, "pass", id="days"),
        pytest.param({"log_bin": "ON", "expire_logs_days": "nonsense"}, "unknown", id="no number"),
    ],
)
def test_a_log_that_expires(variables: dict[str, str], status: str, seeing: Any) -> None:
    assert judged(seeing, "storage-binary-log", {**GOOD, **variables}).status == status


def test_the_pool_holds_the_schemas_of_all_tenants(seeing: Any) -> None:
    def server(size: int, **changes: Any) -> Any:
        half = {"size_bytes": size // 2, **changes}
        tables = {name: seeing.tables(name, **half) for name in ("cube_acme", "cube_beta")}
        return seeing.live(
            seeing.instance(storage="s"),
            seeing.instance(
                "b", tenant="beta", storage="s", environment={"CUBEJS_PRE_AGGREGATIONS_SCHEMA": "cube_beta"}
            ),
            hosts=(seeing.host(mysql={"s": seeing.mysql(variables=GOOD, tables=tables)}),),
        )

    assert [each.status for each in seeing.judge("storage-buffer-pool", server(1 << 30))] == ["pass"]
    assert [each.status for each in seeing.judge("storage-buffer-pool", server((1 << 30) + 2))] == ["fail"]
    # What was not counted can only make it worse.
    assert [each.status for each in seeing.judge("storage-buffer-pool", server(2, whole=False))] == ["unknown"]
    assert [each.status for each in seeing.judge("storage-buffer-pool", server(4 << 30, whole=False))] == ["fail"]
