# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules applied to a fleet: to its plan, or to what was seen of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import NOT_APPLICABLE, PASS, UNKNOWN, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES


def judge_plan(fleet: Fleet, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """Return what is wrong with a plan."""
    return [_sourced(rule, finding) for rule in rules for finding in rule.planned(fleet)]


def judge_hosts(fleet: Fleet, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """Return what the rules say of live hosts: a finding for each subject, those that pass included.

    fleet.live holds what was seen; the rest of it is the plan, where there is one, and says which hosts belong to a
    tenant. A rule that compares hosts does not pass while one that matters was not looked at: it is unknown then, and
    names the host.
    """
    live = fleet.live or Live()
    found: list[Finding] = []
    for rule in rules:
        guarded = live.missing and (rule.across_hosts or rule.across_tenants)
        findings = _guarded(rule, fleet, live) if guarded else rule.observed(fleet, live)
        # Those that a rule makes itself have its source: there may be hundreds of thousands.
        found += (finding if finding.reference else _sourced(rule, finding) for finding in findings)
    return found


def _guarded(rule: Rule, fleet: Fleet, live: Live) -> Iterator[Finding]:
    for finding in rule.observed(fleet, live):
        passes = finding.status in (PASS, NOT_APPLICABLE)
        missing = _missing(fleet, live, rule, finding.tenant) if passes else {}
        if missing:
            yield replace(finding, status=UNKNOWN, message=known.told_unseen(missing), remedy=known.LOOK)
        else:
            yield finding


def _missing(fleet: Fleet, live: Live, rule: Rule, tenant: str) -> Mapping[str, str]:
    """Return host -> why it was not looked at, for those that may matter to what a rule says of a tenant ("": all)."""
    return known.unseen(live, None if rule.across_tenants else fleet.tenant(tenant))


def _sourced(rule: Rule, finding: Finding) -> Finding:
    return finding if finding.reference or not rule.source else replace(finding, reference=rule.source)
