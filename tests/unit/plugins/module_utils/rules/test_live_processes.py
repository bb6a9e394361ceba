"""All rules on live processes together: a healthy fleet, one of which nothing is known, and hostile values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import judging
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Answer, HttpSeen, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import (
    access,
    api_secret,
    environment,
    health,
    production,
    secret_files,
    secrets,
    setting_sources,
    values,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES
from ansible_collections.cubeops.cubejs.plugins.module_utils.setting_names import ROWS

MODULES = (access, api_secret, environment, health, production, secret_files, secrets, setting_sources, values)
OURS = [each for each in RULES if each.judges_hosts and type(each).__module__ in {each.__name__ for each in MODULES}]
LONGEST = 2000
HOSTILE = [
    pytest.param("a\nb\r\x1b[31m\u202e", id="control characters"),
    pytest.param("x" * 1_000_000, id="a megabyte"),
    pytest.param("<script>alert('\"&')</script>", id="HTML"),
    pytest.param("\udcff\x00", id="no UTF-8"),
]


def texts(finding: Finding) -> Iterator[str]:
    """Yield what a finding says, but for its subject, which names an instance."""
    yield from (finding.message, finding.remedy, finding.severity, finding.status, *finding.evidence)


def judge(live: Any) -> list[Finding]:
    """Return the findings of all these rules."""
    return judging.judge_hosts(replace(Fleet(), live=live), OURS)


def test_there_are_rules() -> None:
    assert len(OURS) > 25


def test_a_healthy_fleet_fails_nothing(seeing: Any) -> None:
    findings = judge(seeing.live())
    assert {each.status for each in findings} == {"pass", "not_applicable"}
    assert all(each.message and each.remedy for each in findings)


@pytest.mark.parametrize("rule", OURS, ids=lambda each: each.id)
def test_subjects_are_unique(rule: Rule, seeing: Any) -> None:
    live = seeing.live(*(seeing.instance(f"{index}.service", tenant=f"t{index % 3}") for index in range(6)))
    keys = [each.key for each in judging.judge_hosts(replace(Fleet(), live=live), [rule])]
    assert len(keys) == len(set(keys)) > 0


def test_what_is_not_known_never_passes(seeing: Any) -> None:
    nothing = (Unknown("process.environ", "no"), Unknown("environment_file", "no"), Unknown("dotenv", "no"))
    blind = [
        seeing.instance(name, tenant=tenant, settings={}, layers=(), http=None, version="", unknown=nothing)
        for name, tenant in (("a.service", "acme"), ("b.service", "acme"), ("c.service", "beta"), ("d.service", "beta"))
    ]
    findings = judge(seeing.live(*blind))
    assert {each.rule for each in findings} == {each.id for each in OURS}
    assert {each.status for each in findings} == {"unknown"}
    assert all(each.remedy for each in findings)


@pytest.mark.parametrize("version", ["0.20.10", "0.29.57", "0.32.9", ""])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_bounded(seeing: Any, text: str, version: str) -> None:
    named = [*ROWS, "CUBEJS_LOG_LEVLE", f"CUBEJS_{text}"]
    settings = {name: seen.Setting(seen.Value(text), seen.ENVIRONMENT_FILE, text) for name in named}
    hidden = {name: seen.Setting(seen.Value(None, text, (text,)), seen.DOTENV, text) for name in named}
    instances = [
        seeing.instance(
            name,
            tenant=tenant,
            version=version,
            settings=values,
            layers=(seen.Layer(seen.DOTENV, text, {text: seen.Value(None, text), **secret}, "0600", text, text),),
            differences=(seen.Difference(text, text, seen.Value(text), None),),
            http=HttpSeen(text, text, {"root": Answer(200, text)}, unknown=(Unknown("livez", text, text),)),
            unknown=(Unknown("dotenv", text, text), Unknown("packages.version", text, text)),
            project=seen.Project(text, mentions=(text,)),
        )
        for name, tenant, values, secret in (
            ("a.service", "acme", settings, {"CUBEJS_API_SECRET": seen.Value(None, text)}),
            ("b.service", "acme", hidden, {}),
            ("c.service", "beta", hidden, {}),
        )
    ]
    findings = judge(seeing.live(*instances))
    assert any(each.status == "fail" for each in findings)
    assert max(len(each) for finding in findings for each in texts(finding)) < LONGEST
    assert all("\n" not in each.message for each in findings if "'" in each.message)
