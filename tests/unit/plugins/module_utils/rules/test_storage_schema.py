"""Rules on the schema of pre-aggregations."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.storage_findings import NONE

DAY = 86400
SCHEMA_RULES = (
    "storage-foreign-tables", "storage-grants-sufficient", "storage-grants-minimal", "storage-orphans",
    "storage-name-length",
)  # fmt: skip
WHO = "TO `cube_acme`@`127.0.0.1`"


def with_tables(seeing: Any, **changes: Any) -> Any:
    return seeing.storing(seeing.mysql(tables={"cube_acme": seeing.tables(**changes)}))


@pytest.mark.parametrize("rule", SCHEMA_RULES)
def test_all_is_well(rule: str, seeing: Any) -> None:
    (finding,) = seeing.judge(rule, seeing.storing())
    assert (finding.status, finding.subject) == ("pass", "cube_acme on one:3306")
    assert (finding.tenant, finding.host) == ("acme", "one")


@pytest.mark.parametrize("rule", SCHEMA_RULES)
def test_what_was_not_seen(rule: str, seeing: Any) -> None:
    denied = (Unknown("tables.cube_acme", "denied", "ask"), Unknown("grants", "denied", "ask"))
    (finding,) = seeing.judge(rule, seeing.storing(seeing.mysql(tables={}, grants=None, unknown=denied)))
    assert (finding.status, "denied" in finding.message, finding.remedy) == ("unknown", True, "ask")
    assert [each.status for each in seeing.judge(rule, seeing.live(seeing.instance()))] == ["unknown"]
    none = seeing.instance(environment={"CUBEJS_EXT_DB_TYPE": None})
    assert [(each.status, each.message) for each in seeing.judge(rule, seeing.live(none))] == [
        ("not_applicable", NONE.message)
    ]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"count": 0, "cube": 0, "oldest_at": None, "newest_at": None}, "pass", id="empty"),
        pytest.param({"foreign": ("customers",), "foreign_count": 1, "count": 5}, "fail", id="a foreign table"),
        pytest.param({"whole": False}, "unknown", id="not all were looked at"),
        pytest.param({"whole": False, "foreign": ("x",), "foreign_count": 1}, "fail", id="one among many"),
    ],
)
def test_foreign_tables(changes: dict[str, Any], status: str, seeing: Any) -> None:
    (finding,) = seeing.judge("storage-foreign-tables", with_tables(seeing, **changes))
    assert (finding.status, finding.severity) == (status, "critical")
    assert all(name in finding.message for name in changes.get("foreign", ()))


@pytest.mark.parametrize(
    ("grants", "sufficient", "minimal"),
    [
        pytest.param((r"GRANT ALL PRIVILEGES ON `cube\_acme`.* " + WHO,), "pass", "pass", id="all on it"),
        pytest.param((r"GRANT SELECT, INSERT ON `cube\_acme`.* " + WHO,), "fail", "pass", id="too few"),
        pytest.param((), "fail", "pass", id="none"),
        pytest.param(("GRANT ALL PRIVILEGES ON *.* " + WHO,), "pass", "fail", id="everywhere"),
        pytest.param(("GRANT ALL PRIVILEGES ON `cube_acme`.* " + WHO,), "pass", "fail", id="an underscore"),
        pytest.param(
            (r"GRANT ALL PRIVILEGES ON `cube\_acme`.* " + WHO + " WITH GRANT OPTION",), "pass", "fail", id="may grant"
        ),
        pytest.param(
            (r"GRANT ALL PRIVILEGES ON `cube\_acme`.* " + WHO, "GRANT SELECT ON `shop`.* " + WHO),
            "pass",
            "fail",
            id="another schema",
        ),
        pytest.param(("GRANT `writer`@`%` TO `cube_acme`@`%`",), "unknown", "unknown", id="a role"),
        pytest.param(("GRANT something ...",), "unknown", "unknown", id="not understood"),
    ],
)
def test_grants(grants: tuple[str, ...], sufficient: str, minimal: str, seeing: Any) -> None:
    found = seeing.storing(seeing.mysql(grants=grants))
    assert [each.status for each in seeing.judge("storage-grants-sufficient", found)] == [sufficient]
    assert [each.status for each in seeing.judge("storage-grants-minimal", found)] == [minimal]


def test_the_worst_of_several_users_counts(seeing: Any) -> None:
    instances = [seeing.instance(f"{key}.service", storage=key) for key in ("a", "b")]
    found = {"a": seeing.mysql(), "b": seeing.mysql(user="other", grants=())}
    live = seeing.live(*instances, hosts=(seeing.host(mysql=found),))
    (finding,) = seeing.judge("storage-grants-sufficient", live)
    assert (finding.status, "other lacks" in finding.message) == ("fail", True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"replaced": 40, "replaced_at": 3600}, None, id="just replaced"),
        pytest.param({"replaced": 3, "replaced_at": 2 * DAY, "replaced_bytes": 7 << 20}, "3 tables (7 MiB)", id="left"),
        pytest.param({"oldest_at": 30 * DAY}, None, id="as long as Cube keeps them"),
        pytest.param({"oldest_at": 45 * DAY}, "45 days ago", id="old"),
        pytest.param({"oldest_at": None}, None, id="empty"),
    ],
)
def test_orphans(changes: dict[str, Any], said: str | None, seeing: Any) -> None:
    ages = {key: seeing.now - value if key.endswith("_at") and value else value for key, value in changes.items()}
    (finding,) = seeing.judge("storage-orphans", with_tables(seeing, **ages))
    assert (finding.status, finding.severity) == ("fail" if said else "pass", "info")
    assert (said or "") in finding.message


@pytest.mark.parametrize(("longest", "status"), [(59, "pass"), (60, "fail"), (64, "fail")])
def test_name_length(longest: int, status: str, seeing: Any) -> None:
    found = with_tables(seeing, longest_name=longest)
    assert [each.status for each in seeing.judge("storage-name-length", found)] == [status]
