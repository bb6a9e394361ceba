"""The report as JUnit XML, read back by a real parser."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import junit
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples


def parsed(report: Report) -> ElementTree.Element:
    """Return the root, its counts having been compared with what is there."""
    root = ElementTree.fromstring(junit.render(report).encode())
    counted = {
        "tests": "testcase",
        "failures": "testcase/failure",
        "errors": "testcase/error",
        "skipped": "testcase/skipped",
    }
    for name, path in counted.items():
        for suite in root.findall("testsuite"):
            assert int(suite.attrib[name]) == len(suite.findall(path)), (suite.attrib, name)
        assert int(root.attrib[name]) == len(root.findall(f"testsuite/{path}")), name
    return root


def outcomes(report: Report) -> dict[str, str]:
    """Return name of a case -> what is in it."""
    cases = parsed(report).iter("testcase")
    return {f"{case.attrib['classname']} {case.attrib['name']}": case[0].tag if len(case) else "" for case in cases}


def test_one_case_a_finding_red_where_the_outcome_is() -> None:
    assert outcomes(samples.report()) == {
        "redis-shared-by-tenant cubejs_tenants[acme].redis (acme)": "failure",
        "pre-aggregation-age cubejs_tenants[acme].max_age (acme)": "skipped",
        "redis-pool-size cubejs_tenants[acme].redis.pool_max (acme/cube1)": "failure",
        "production-mode cubejs_tenants[acme].environment (acme/cube1)": "",
        "https-certificate-expiry cubejs_tenants[globex].server_name (globex/proxy1)": "system-out",
        "redis-has-room redis_maxclients (globex/redis1)": "error",
        "host-swap host (globex/cube2)": "skipped",
        "host-clock host (cube2)": "system-out",
        "host-looked-at cube3": "error",
    }


@pytest.mark.parametrize(("fail_on", "red"), [("critical", 2), ("error", 4), ("info", 6), ("never", 0)])
def test_red_follows_the_threshold(fail_on: str, red: int) -> None:
    found = list(outcomes(samples.report(fail_on=fail_on)).values())
    assert sum(tag in ("failure", "error") for tag in found) == red


def test_with_new_only_what_was_there_is_green() -> None:
    found = outcomes(samples.compared(new_only=True))
    assert found["redis-pool-size cubejs_tenants[acme].redis.pool_max (acme/cube1)"] == "system-out"


def test_a_failure_tells_everything() -> None:
    failure = parsed(samples.report()).find("testsuite[@name='acme on cube1']/testcase/failure")
    assert failure is not None
    assert failure.attrib == {"type": "error", "message": samples.POOL.message}
    assert (failure.text or "").splitlines() == [
        f"fail, error: {samples.POOL.message}",
        f"Remedy: {samples.POOL.remedy}",
        "At: inventory/group_vars/all.yml:12",
        "Reference: Production Checklist: Set up Redis Pool",
        "Evidence: CUBEJS_REDIS_POOL_MAX=1 in /proc/4711/environ",
        "Evidence: connected clients now: 1",
    ]


def test_nothing_found_is_valid_too() -> None:
    assert list(parsed(samples.report(findings=(), missing_hosts=()))) == []


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_hostile_values_are_read_back_as_text(value: str) -> None:
    report = samples.hostile(value)
    root = parsed(report)
    shape = [element.tag for element in root.iter()]
    assert shape == [element.tag for element in parsed(samples.hostile("harmless")).iter()]
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.attrib["message"] == report.findings[0].message
