"""Waivers: read strictly, applied visibly, never for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    ERROR,
    FAIL,
    INFO,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WAIVED,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.waivers import Waiver, WaiverError, apply, parse

TODAY = date(2031, 5, 6)
GIVEN: dict[str, Any] = {
    "rule": "redis-pool-size",
    "subject": "cubejs_tenants[acme].redis.pool_max",
    "reason": "a test system",
    "owner": "ops@acme.example",
    "expires": "2031-12-31",
}
FOUND = Finding(
    "redis-pool-size", "cubejs_tenants[acme].redis.pool_max", "too small", "Write 25", tenant="acme", host="cube1"
)


def waivers(**changes: Any) -> tuple[Waiver, ...]:
    """Return one waiver, with changes."""
    return parse([{**GIVEN, **changes}])


def statuses(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    """Return what each finding is."""
    return [(finding.rule, finding.status, finding.severity) for finding in findings]


def test_a_waived_finding_stays_with_its_reason() -> None:
    assert apply(waivers(), [FOUND], TODAY) == (
        replace(FOUND, status=WAIVED, waiver="a test system (accepted by ops@acme.example until 2031-12-31)"),
    )


@pytest.mark.parametrize(
    ("changes", "waived"),
    [
        pytest.param({}, True, id="the very subject, brackets and all"),
        pytest.param({"subject": "cubejs_tenants[*].redis.*"}, True, id="any characters"),
        pytest.param({"subject": "cubejs_tenants[acm?].redis.pool_max"}, True, id="one character"),
        pytest.param({"subject": "cubejs_tenants?.redis.pool_max"}, False, id="one is not several"),
        pytest.param({"subject": "cubejs_tenants[acme].redis"}, False, id="the whole subject must match"),
        pytest.param({"subject": "cubejs_tenants[a-z]*"}, False, id="brackets are no class of characters"),
        pytest.param({"subject": "CUBEJS*"}, False, id="case counts"),
        pytest.param({"subject": "cubejs.tenants*"}, False, id="a dot is a dot"),
        pytest.param({"rule": "redis-has-room"}, False, id="another rule"),
        pytest.param({"tenant": "acme", "host": "cube1"}, True, id="tenant and host"),
        pytest.param({"tenant": "globex"}, False, id="another tenant"),
        pytest.param({"host": "cube2"}, False, id="another host"),
        pytest.param({"host": "cube*"}, True, id="any of some hosts"),
        pytest.param({"expires": "2031-05-06"}, True, id="the last day counts"),
        pytest.param({"expires": date(2031, 5, 6)}, True, id="a day that YAML read"),
    ],
)
def test_what_a_waiver_matches(changes: dict[str, Any], waived: bool) -> None:
    assert apply(waivers(**changes), [FOUND], TODAY)[0].status == (WAIVED if waived else FAIL)


@pytest.mark.parametrize(
    ("status", "expected"), [(FAIL, WAIVED), (UNKNOWN, WAIVED), (PASS, PASS), (NOT_APPLICABLE, NOT_APPLICABLE)]
)
def test_only_problems_are_waived(status: str, expected: str) -> None:
    assert apply(waivers(), [replace(FOUND, status=status)], TODAY)[0].status == expected


def test_an_expired_waiver_waives_nothing_and_fails_itself() -> None:
    found, expired = apply(waivers(expires="2031-05-05"), [FOUND], TODAY)
    assert found == FOUND
    assert (expired.rule, expired.status, expired.severity) == ("waiver-expired", FAIL, ERROR)
    assert expired.subject == "waivers[redis-pool-size: cubejs_tenants[acme].redis.pool_max]"
    assert "expired on 2031-05-05, and what it waived is still there" in expired.message
    assert expired.evidence == ("waivers[0]", "owner: ops@acme.example", "reason: a test system", "expires: 2031-05-05")


def test_the_order_of_waivers_makes_no_other_finding() -> None:
    both = [{**GIVEN, "expires": "2031-01-01", "subject": subject} for subject in ("a", "b")]
    one, two = ({found.key for found in apply(parse(given), [], TODAY)} for given in (both, both[::-1]))
    assert one == two
    assert len(one) == 2


def test_an_expired_waiver_that_nothing_needs_says_so() -> None:
    (expired,) = apply(waivers(expires="2031-05-05"), [], TODAY)
    assert (expired.rule, expired.remedy) == ("waiver-expired", "Remove it")


def test_another_waiver_that_holds_still_waives() -> None:
    both = parse([{**GIVEN, "expires": "2031-01-01"}, {**GIVEN, "subject": "cubejs_*"}])
    assert statuses(apply(both, [FOUND], TODAY)) == [
        ("redis-pool-size", WAIVED, ERROR),
        ("waiver-expired", FAIL, ERROR),
    ]


def test_an_unused_waiver_is_reported() -> None:
    passed = replace(FOUND, status=PASS)
    assert statuses(apply(waivers(), [passed], TODAY))[1:] == [("waiver-unused", FAIL, WARNING)]


def test_whether_a_waiver_is_used_is_not_known_when_not_all_was_looked_at() -> None:
    assert statuses(apply(waivers(), [], TODAY, complete=False)) == [("waiver-unused", UNKNOWN, INFO)]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param({**GIVEN, "owner": ""}, "owner is empty: say who answers for it", id="no owner"),
        pytest.param({**GIVEN, "reason": "  "}, "reason is empty", id="a blank reason"),
        pytest.param({**GIVEN, "subject": ["a"]}, "subject is \"['a']\" (list): write a string", id="a list"),
        pytest.param({**GIVEN, "rule": None}, "rule is 'None' (NoneType): write a string", id="null"),
        pytest.param({**GIVEN, "host": 1}, "host is '1' (int): write a string", id="a number for a host"),
        pytest.param({**GIVEN, "expires": "31.12.2031"}, "expires is '31.12.2031': write a day", id="not ISO"),
        pytest.param({**GIVEN, "expires": "2031-02-30"}, "expires is '2031-02-30': write a day", id="no such day"),
        pytest.param({**GIVEN, "expires": "20311231"}, "expires is '20311231': write a day", id="without hyphens"),
        pytest.param({**GIVEN, "expires": datetime(2031, 1, 1)}, "write a day that there is", id="a time"),
        pytest.param({**GIVEN, "expires": "never"}, "write a day that there is", id="for ever"),
        pytest.param({**GIVEN, "expirs": "x"}, "'expirs' is not known, is expires meant?", id="misspelt"),
        pytest.param({**GIVEN, "rule": "redis-pool-sice"}, "is redis-pool-size meant?", id="a rule that there is not"),
        pytest.param({**GIVEN, "rule": "waiver-expired"}, "cannot be waived", id="waiving waivers"),
        pytest.param({"rule": "redis-pool-size"}, "expires is missing", id="missing"),
        pytest.param("redis-pool-size", "it is a mapping with rule, subject", id="text"),
    ],
)
def test_malformed_waivers_stop_the_run(item: object, expected: str) -> None:
    with pytest.raises(WaiverError) as refused:
        parse([GIVEN, item], rules=("redis-pool-size", "redis-has-room"))
    assert expected in str(refused.value)
    assert "waivers[1]" in str(refused.value)
    assert "waivers[0]" not in str(refused.value)


def test_every_problem_of_every_waiver_is_in_one_message() -> None:
    with pytest.raises(WaiverError) as refused:
        parse([{**GIVEN, "owner": "", "expires": "x"}, 7, {**GIVEN, "more": 1}])
    assert str(refused.value).startswith("The waivers cannot be used: 4 problems.\n  - waivers[0]: owner")
    assert len(str(refused.value).splitlines()) == 5


@pytest.mark.parametrize("data", [{}, "text", None, 3, b"x"], ids=repr)
def test_what_is_no_list_is_refused(data: object) -> None:
    with pytest.raises(WaiverError, match="waivers are a list of mappings"):
        parse(data)


def test_no_waivers_change_nothing() -> None:
    assert apply(parse([]), [FOUND], TODAY) == (FOUND,)
