"""Rules applied to fleets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import judging
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, PASS, UNKNOWN, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule


class Compares(Rule):
    """Compares hosts."""

    id = "compares-hosts"
    title = "Hosts agree"
    source = "somewhere"
    remedy = "Mend it"
    across_hosts = True
    says = PASS

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:  # noqa: ARG002 it says the same of all
        """Yield one finding."""
        yield self.found("redis", "they agree", tenant="acme", status=self.says)


class Fails(Compares):
    """Finds something wrong."""

    says = FAIL


class ComparesTenants(Compares):
    """Compares tenants."""

    across_hosts = False
    across_tenants = True


class Alone(Compares):
    """Looks at one host."""

    across_hosts = False


@pytest.mark.parametrize(
    ("rule", "missing", "status"),
    [
        pytest.param(Compares(), {}, PASS, id="all hosts seen"),
        pytest.param(Compares(), {"two": "unreachable"}, UNKNOWN, id="one of the tenant's was not"),
        pytest.param(Compares(), {"three": "unreachable"}, PASS, id="a host of somebody else was not"),
        pytest.param(ComparesTenants(), {"two": "unreachable"}, UNKNOWN, id="tenants: one of its own was not"),
        pytest.param(Alone(), {"two": "unreachable"}, PASS, id="a rule that compares nothing"),
        pytest.param(Fails(), {"two": "unreachable"}, FAIL, id="what is wrong stays wrong"),
    ],
)
def test_missing_hosts(rule: Rule, missing: dict[str, str], status: str, make_fleet: Callable[..., Fleet]) -> None:
    planned = make_fleet(groups={"cubejs_api": ["one", "two"], "cubejs_redis": ["three"]})
    fleet = Fleet(tenants=planned.tenants, live=Live(missing=missing))
    (finding,) = judging.judge_hosts(fleet, [rule])
    assert finding.status == status
    assert ("two (unreachable)" in finding.message) == (status == UNKNOWN)
    assert finding.reference == "somewhere"


def test_without_a_plan_every_missing_host_matters() -> None:
    (finding,) = judging.judge_hosts(Fleet(live=Live(missing={"nine": "left out by --limit"})), [Compares()])
    assert (finding.status, "nine (left out by --limit)" in finding.message) == (UNKNOWN, True)


def test_between_tenants_every_missing_host_matters(make_fleet: Callable[..., Fleet]) -> None:
    planned = make_fleet(groups={"cubejs_api": ["one", "two"], "cubejs_redis": ["three"]})
    (finding,) = judging.judge_hosts(
        Fleet(tenants=planned.tenants, live=Live(missing={"three": "unreachable"})), [ComparesTenants()]
    )
    assert (finding.status, "three (unreachable)" in finding.message) == (UNKNOWN, True)
