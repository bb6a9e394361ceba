"""Rules on what processes logged."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Journal, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.journal import PATTERNS
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES

JOURNAL_RULES = {rule.id: rule for rule in RULES if rule.id.startswith("journal-")}
MEANT = [(rule.id, name) for rule in JOURNAL_RULES.values() for name in rule.patterns]


def test_every_pattern_has_one_meaning() -> None:
    assert sorted(name for _rule, name in MEANT) == sorted(PATTERNS)


@pytest.mark.parametrize(("rule", "pattern"), MEANT, ids=[name for _rule, name in MEANT])
def test_each_error_fails_the_rule_that_it_belongs_to(rule: str, pattern: str, seeing: Any) -> None:
    journal = Journal(24, {pattern: 3}, {pattern: seeing.now - 600})
    live = seeing.live(seeing.instance(journal=journal))
    for name in JOURNAL_RULES:
        (found,) = seeing.judge(name, live)
        assert found.status == ("fail" if name == rule else "pass"), name
    (found,) = seeing.judge(rule, live)
    assert found.message.startswith("within 24 h: 3 x ")
    assert found.evidence == (f"{pattern}: 3 lines, the last 10 min before",)
    assert found.remedy


def test_several_errors_are_one_finding(seeing: Any) -> None:
    journal = Journal(24, {"table_exists": 1, "packet_too_large": 2}, {})
    (found,) = seeing.judge("journal-storage-errors", seeing.live(seeing.instance(journal=journal)))
    assert "1 x a table was made twice" in found.message
    assert "2 x a statement is larger" in found.message
    assert "max_allowed_packet" in found.remedy
    assert found.evidence == ("table_exists: 1 lines", "packet_too_large: 2 lines")


@pytest.mark.parametrize(
    ("changes", "of_host", "says"),
    [
        pytest.param({}, (), "not asked", id="nobody asked"),
        pytest.param(
            {}, (Unknown("journal", "only root may read it"),), "only root may read it", id="it may not be read"
        ),
        pytest.param({"manager": seen.PM2, "unit": None}, (), "pm2 writes its log to files", id="pm2"),
        pytest.param({"manager": "", "unit": None}, (), "logs elsewhere", id="nobody keeps it"),
        pytest.param({"journal": Journal(24, {}, {}, whole=False)}, (), "more lines than were read", id="cut off"),
    ],
)
def test_what_was_not_read_is_not_known(
    changes: dict[str, Any], of_host: tuple[Unknown, ...], says: str, seeing: Any
) -> None:
    live = seeing.live(seeing.instance(**changes), hosts=(seeing.host(unknown=of_host),))
    (found,) = seeing.judge("journal-pool-timeouts", live)
    assert (found.status, says in found.message) == ("unknown", True)


def test_what_was_found_counts_though_not_all_was_read(seeing: Any) -> None:
    journal = Journal(24, {"heap": 1}, {}, whole=False)
    (found,) = seeing.judge("journal-out-of-memory", seeing.live(seeing.instance(journal=journal)))
    assert found.status == "fail"


def test_a_unit_that_ended_tells_why(seeing: Any) -> None:
    ended = seeing.instance(running=False, process=None, journal=Journal(24, {"module_not_found": 9}, {}))
    (found,) = seeing.judge("journal-crashes", seeing.live(ended))
    assert found.status == "fail"
    silent = seeing.instance(running=False, process=None)
    assert seeing.judge("journal-crashes", seeing.live(silent)) == []
