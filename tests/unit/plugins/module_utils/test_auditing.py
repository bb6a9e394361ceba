"""One run of the checklist, without Ansible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import auditing, drift, secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils.auditing import Criteria, Judged
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, PASS, UNKNOWN, WAIVED, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.linking import link
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import FORMAT, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Location, Report
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.looking import HostLookedAt
from ansible_collections.cubeops.cubejs.plugins.module_utils.waivers import Waiver

NOW = datetime(2030, 1, 2, tzinfo=timezone.utc)
SEEN = Observation(FORMAT, "one", "m", 0.0, privileged=True)
POOL, HOST = "redis-pool-size", "host-looked-at"


def finding(rule: str = POOL, subject: str = "s", **changes: Any) -> Finding:
    """Return a finding that failed."""
    return Finding(rule, subject, "m", "r", **changes)


def told(findings: list[Finding], criteria: Criteria | None = None, live: Live | None = None, **changes: Any) -> Report:
    """Return the report of findings."""
    criteria = criteria or Criteria()
    return auditing.report(Judged(findings), Fleet(live=live), criteria, now=NOW, collection_version="1", **changes)


@pytest.mark.parametrize(
    ("only", "skip", "judged", "left_out"),
    [
        pytest.param((), (), {POOL, HOST}, set(), id="all"),
        pytest.param((POOL,), (), {POOL}, {HOST}, id="only one"),
        pytest.param((), (POOL,), {HOST}, {POOL}, id="all but one"),
        pytest.param((POOL, HOST), (POOL,), {HOST}, {POOL}, id="both"),
        pytest.param((), ("unknown-key",), {POOL}, {"unknown-key"}, id="the inventory's form"),
    ],
)
def test_rules_are_chosen(only: Any, skip: Any, judged: set[str], left_out: set[str]) -> None:
    rules = auditing.chosen(only, skip)
    assert judged <= rules
    assert not left_out & rules


def test_rules_that_there_are_not_are_all_named() -> None:
    with pytest.raises(auditing.AuditError) as caught:
        auditing.chosen(["redis-pool-sise", "x"], ["y"])
    assert str(caught.value) == (
        "only: there is no rule 'redis-pool-sise', is redis-pool-size meant?; only: there is no rule 'x'; "
        "skip: there is no rule 'y'"
    )


@pytest.mark.parametrize(
    ("result", "played", "reason"),
    [
        pytest.param(None, ["one"], "nothing was registered for it", id="not registered"),
        pytest.param(None, [], "left out by --limit", id="not in the play"),
        pytest.param({"unreachable": True, "msg": "timed\nout"}, ["one"], "unreachable: timed out", id="unreachable"),
        pytest.param({"skipped": True}, ["one"], "its look was skipped", id="skipped"),
        pytest.param({"failed": True, "msg": "boom"}, ["one"], "instance_info failed: boom", id="failed"),
        pytest.param({"rc": 1, "msg": ""}, ["one"], "instance_info failed: it returned no observation", id="no words"),
        pytest.param({"msg": "x" * 1_000_000}, ["one"], f"instance_info failed: {'x' * 278}...", id="a megabyte"),
        pytest.param("text", ["one"], "nothing was registered for it", id="a text"),
        pytest.param({"observation": [1]}, ["one"], "cannot be read: This is no observation", id="a list"),
        pytest.param({"observation": {"format": 99}}, ["one"], "its format is '99'", id="another format"),
        pytest.param(
            {"observation": {"format": FORMAT, "instances": [1]}},
            ["one"],
            "observation.instances[0] is a int",
            id="odd",
        ),
    ],
)
def test_why_a_host_was_not_looked_at(result: Any, played: list[str], reason: str) -> None:
    results = {} if result is None else {"one": result}
    observations, missing = auditing.read_results(results, ["one"], played)
    assert not observations
    assert reason in missing["one"]


def test_what_hosts_returned_is_read() -> None:
    observations, missing = auditing.read_results({"one": {"observation": SEEN.to_dict()}}, ["one"], ["one"])
    assert (observations, missing) == ({"one": SEEN}, {})


class Stumbles(Rule):
    """Cannot take what it sees."""

    id = "stumbles"
    title = "It does not stumble"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:  # noqa: ARG002 it does not come to that
        """Yield one finding, and fall."""
        yield self.found("first", "all is well", status=PASS)
        raise KeyError("what was not foreseen")


def test_a_rule_that_fails_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "RULES", (Stumbles(), HostLookedAt()))
    criteria = replace(Criteria(), rules=frozenset({"stumbles", HOST}))
    found = auditing.judge(Fleet(live=Live(missing={"two": "unreachable"})), (), criteria).findings
    assert [(each.rule, each.status) for each in found] == [("stumbles", UNKNOWN), (HOST, UNKNOWN)]
    assert "KeyError: 'what was not foreseen'" in found[0].message


@pytest.mark.parametrize(
    ("mode", "rules"),
    [
        pytest.param(auditing.PLAN, ["redis-pool-size"], id="plan"),
        pytest.param(auditing.HOSTS, ["redis-pool-size", "host-looked-at"], id="hosts and plan"),
        pytest.param(auditing.DRIFT, ["host-looked-at", "drift-redis"], id="hosts beside the plan"),
    ],
)
def test_what_is_judged(
    mode: str, rules: list[str], make_plan: Callable[..., Plan], make_tenant: Callable[..., Mapping[str, Any]]
) -> None:
    made = make_plan([make_tenant(redis={"pool_max": 12})])
    fleet = link(made.fleet, {}, {"one": "unreachable"})
    compared = drift.Plan(made.data, secrets.Vault({}, None))
    found = auditing.judge(fleet, made.findings, replace(Criteria(), mode=mode), compared).findings
    looked_for = ("redis-pool-size", "host-looked-at", "drift-redis")
    assert [each.rule for each in found if each.rule in looked_for] == rules


def test_a_refused_plan_is_told_and_stops_nothing(make_plan: Callable[..., Plan]) -> None:
    made = make_plan([{"name": "Acme", "sever_name": "x"}])
    found = auditing.judge(link(made.fleet, {"one": SEEN}, {}), made.findings, Criteria()).findings
    assert {"unknown-key", "tenant-name", "host-looked-at"} <= {each.rule for each in found}


WAIVER = Waiver(POOL, "s", "reason", "owner", date(2030, 1, 2))


@pytest.mark.parametrize(
    ("mode", "waiver", "rules"),
    [
        pytest.param(auditing.HOSTS, WAIVER, [(POOL, WAIVED)], id="used"),
        pytest.param(
            auditing.HOSTS, replace(WAIVER, rule=HOST), [(POOL, FAIL), ("waiver-unused", FAIL)], id="not used"
        ),
        pytest.param(auditing.PLAN, replace(WAIVER, rule=HOST), [(POOL, FAIL)], id="about what is not judged"),
    ],
)
def test_waivers(mode: str, waiver: Waiver, rules: list[tuple[str, str]]) -> None:
    report = told([finding()], replace(Criteria(), mode=mode, waivers=(waiver,)))
    assert [(each.rule, each.status) for each in report.findings] == rules


def test_whether_a_waiver_is_used_is_not_known_while_a_host_is_missing() -> None:
    criteria = replace(Criteria(), waivers=(replace(WAIVER, rule=HOST),))
    report = told([], criteria, Live(missing={"two": "unreachable"}))
    assert [(each.rule, each.status) for each in report.findings] == [("waiver-unused", UNKNOWN)]


@pytest.mark.parametrize(
    ("mode", "fixed"),
    [
        pytest.param(auditing.HOSTS, [POOL, HOST], id="all is judged"),
        pytest.param(auditing.PLAN, [POOL], id="what is not judged is not fixed"),
    ],
)
def test_the_baseline(mode: str, fixed: list[str]) -> None:
    earlier = (finding(), finding(HOST), finding(subject="still"))
    report = told([finding(subject="still")], replace(Criteria(), mode=mode, earlier=earlier))
    assert report.comparison
    assert [each.rule for each in report.comparison.fixed] == fixed
    assert len(report.comparison.unchanged) == 1


def test_the_report_says_why_and_where() -> None:
    report = told([finding(), finding(subject="p", status=PASS)], locations={"s": Location("inv.yml", 3)})
    failed, passed = report.findings
    assert "two connections" in failed.why
    assert passed.why == ""
    assert report.titles[POOL].startswith("Redis pools")
    assert str(report.locations["s"]) == "inv.yml:3"


def test_the_report_names_hosts_and_tenants(make_plan: Callable[..., Plan]) -> None:
    fleet = link(make_plan().fleet, {"one": SEEN}, {"two": "unreachable"})
    report = auditing.report(Judged([]), fleet, Criteria(), now=NOW, collection_version="1")
    assert (report.hosts, report.tenants, report.missing_hosts) == (("one",), ("acme",), ("two",))
    assert report.outcome.name == "could-not-look"


def test_without_hosts_it_names_those_of_the_plan(make_plan: Callable[..., Plan]) -> None:
    report = told([], Criteria(), hosts=["one"])
    assert (report.hosts, report.outcome.name) == (("one",), "ok")


@pytest.mark.parametrize(
    ("most", "told", "counted"),
    [
        pytest.param(2, 3, {}, id="few are told"),
        pytest.param(1, 1, {("error", PASS): 2}, id="many are counted"),
    ],
)
def test_of_very_many_findings_problems_are_told_and_the_rest_is_counted(
    most: int, told: int, counted: dict[Any, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "MOST_TOLD", most)
    hosts = {name: replace(SEEN, host=name, machine=name) for name in ("one", "two")}
    fleet = link(Fleet(), hosts, {"three": "unreachable"})
    criteria = replace(Criteria(), rules=frozenset({HOST}))
    # Two hosts pass, a third and a fleet without Cube.js are unknown.
    judged = auditing.judge(fleet, (), criteria)
    assert [each.status for each in judged.findings].count(UNKNOWN) == 2
    assert (len(judged.findings) - 1, dict(judged.counted)) == (told, counted)
    report = auditing.report(judged, fleet, criteria, now=NOW, collection_version="1")
    assert report.totals["error"][PASS] == 2
    assert report.counted_only == sum(counted.values())
