"""One host judged by the rules of a topic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import asserting
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Reach, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.probing import Wanted
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.looking import HostLookedAt

OPTIONS: dict[str, Any] = {
    "fail_on": "error",
    "whole": True,
    "deadline_seconds": 10.0,
    "settle_seconds": 3.0,
    "journal_hours": 24.0,
    "token_claims": {"u": 1},
}
TOPIC = asserting.Topic("tests", ("http",), ("says",))
HOST = seen.Observation(
    seen.FORMAT,
    "one",
    "m",
    0.0,
    privileged=True,
    instances=(seen.Instance("cube.service", running=True, found_by=(), manager=seen.SYSTEMD),),
)


class Says(Rule):
    """Says what it is told to say of each process."""

    id = "says"
    title = "It says so"
    remedy = "Mend it"
    status = PASS

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:  # noqa: ARG002 it looks at what was seen
        """Yield a finding for each process."""
        for each in live.instances:
            yield self.of(each, self.status, "it is so")


class Compares(Says):
    """Says the same, of all hosts."""

    across_hosts = True


def saying(monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    """Let there be one rule besides the one on what was looked at."""
    monkeypatch.setattr(asserting, "RULES", (HostLookedAt(), rule))


@pytest.mark.parametrize(
    ("status", "severity", "fail_on", "outcome"),
    [
        pytest.param(PASS, "error", "error", "ok", id="pass"),
        pytest.param(FAIL, "error", "error", "findings", id="fail"),
        pytest.param(FAIL, WARNING, "error", "ok", id="a warning below the threshold"),
        pytest.param(FAIL, WARNING, "warning", "findings", id="a warning at it"),
        pytest.param(UNKNOWN, "error", "error", "could-not-look", id="unknown"),
        pytest.param(FAIL, "error", "never", "ok", id="never"),
    ],
)
def test_outcomes(status: str, severity: str, fail_on: str, outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = type("Given", (Says,), {"status": status, "severity": severity, "__doc__": "Why."})()
    saying(monkeypatch, rule)
    asked: list[Wanted] = []

    def look(_key: bytes, wanted: Wanted) -> seen.Observation:
        asked.append(wanted)
        return HOST

    result = asserting.look_and_judge(TOPIC, {**OPTIONS, "fail_on": fail_on}, look)
    assert (result["outcome"], result["failed"]) == (outcome, outcome != "ok")
    assert [each["status"] for each in result["findings"]] == ([] if status == PASS else [status])
    assert result["counts"]["findings"] == 2
    assert ("[says]" in result["msg"]) == (outcome != "ok")
    assert (asked[0].probes, asked[0].claims) == (frozenset({"http"}), {"u": 1})


def test_options_that_cannot_be_followed_are_told_at_once() -> None:
    with pytest.raises(asserting.AssertingError) as caught:
        asserting.look_and_judge(TOPIC, {**OPTIONS, "deadline_seconds": 0.5, "journal_hours": 0.0})
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("whole", "rules"),
    [
        pytest.param(True, ["host-looked-at", "says"], id="whole"),
        pytest.param(False, ["host-looked-at"] * 2, id="part"),
    ],
)
def test_rules_that_compare_are_for_whole_hosts(whole: bool, rules: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    saying(monkeypatch, Compares())
    found = asserting.judge(TOPIC, HOST, whole=whole)
    assert [each.rule for each in found] == rules
    assert found[-1].status == (PASS if whole else UNKNOWN), "what nothing can be said of is no pass"


@pytest.mark.parametrize(("whole", "unknown"), [(True, ["cube-port-exposed"]), (False, [])])
def test_what_only_others_can_tell_is_for_whole_hosts(whole: bool, unknown: list[str]) -> None:
    (process,) = HOST.instances
    listening = replace(process, listeners=(seen.Listener("tcp", "0.0.0.0", 4000),))
    found = asserting.judge(asserting.HTTPS, replace(HOST, instances=(listening,)), whole=whole)
    assert [each.rule for each in found if each.rule == "cube-port-exposed"] == unknown


def test_a_stranger_that_gets_through_is_found_by_itself() -> None:
    stranger = replace(HOST, instances=(), reach=(Reach("192.0.2.10", 4000, "open"), Reach("192.0.2.10", 1, "refused")))
    result = asserting.look_and_judge(
        asserting.HTTPS, {**OPTIONS, "proxies": [], "reach": [{"host": "192.0.2.10", "port": 4000}]},
        lambda _key, _wanted: stranger,
    )  # fmt: skip
    assert result["outcome"] == "findings"
    assert [(each["rule"], each["subject"]) for each in result["findings"]] == [
        ("tried-port-closed", "192.0.2.10:4000")
    ]


@pytest.mark.parametrize(
    ("topic", "host", "status", "unknown"),
    [
        pytest.param(TOPIC, HOST, NOT_APPLICABLE, 1, id="nothing to be judged by"),
        pytest.param(TOPIC, HOST, PASS, 0, id="something"),
        pytest.param(TOPIC, replace(HOST, instances=()), PASS, 1, id="no process: told once"),
        pytest.param(
            TOPIC, replace(HOST, unknown=(Unknown("units", "no systemd"),)), NOT_APPLICABLE, 2, id="units unseen too"
        ),
        pytest.param(replace(TOPIC, proxies=True), replace(HOST, instances=()), PASS, 1, id="no proxy either"),
    ],
)
def test_nothing_is_no_pass(
    topic: asserting.Topic, host: seen.Observation, status: str, unknown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, type("Given", (Says,), {"status": status, "__doc__": "Why."})())
    found = asserting.judge(topic, host)
    assert [each.status for each in found].count(UNKNOWN) == unknown


@pytest.mark.parametrize("topic", asserting.TOPICS, ids=lambda topic: topic.name)
def test_a_host_without_cube_is_unknown_to_every_topic(topic: asserting.Topic) -> None:
    found = asserting.judge(topic, replace(HOST, instances=()))
    assert [each.status for each in found if each.status != PASS] == [UNKNOWN]


def test_no_rule_is_of_a_topic_twice() -> None:
    assert all(len(set(topic.rules)) == len(topic.rules) for topic in asserting.TOPICS)


def test_a_process_in_development_mode_is_found() -> None:
    (process,) = HOST.instances
    settings = {"NODE_ENV": seen.Setting(seen.Value("development"), seen.UNIT, "/etc/systemd/system/cube.service")}
    host = replace(HOST, instances=(replace(process, settings=settings, packages=seen.Packages(version="0.29.57")),))
    result = asserting.look_and_judge(asserting.PRODUCTION_MODE, OPTIONS, lambda _key, _wanted: host)
    failed = {each["rule"]: each for each in result["findings"] if each["status"] == FAIL}
    assert "node-env-production" in failed
    assert failed["node-env-production"]["subject"] == "cube.service"
    assert "[node-env-production]" in result["msg"]
