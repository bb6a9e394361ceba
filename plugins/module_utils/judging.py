# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules applied to a fleet: to its plan, or to what was seen of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import NOT_APPLICABLE, PASS, UNKNOWN, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES

LOOK = "Look at all hosts of the tenant in one run: leave --limit out, or make the host reachable"


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
    return [_sourced(rule, finding) for rule in rules for finding in _of_rule(rule, fleet, live)]


def _of_rule(rule: Rule, fleet: Fleet, live: Live) -> Iterator[Finding]:
    for finding in rule.observed(fleet, live):
        passes = finding.status in (PASS, NOT_APPLICABLE)
        missing = _missing(fleet, live, rule, finding.tenant) if passes else []
        if missing:
            yield replace(finding, status=UNKNOWN, message=_not_looked_at(live, missing), remedy=LOOK)
        else:
            yield finding


def _missing(fleet: Fleet, live: Live, rule: Rule, tenant: str) -> list[str]:
    """Return the hosts that were not looked at and may matter to what a rule says of a tenant; "" is all tenants."""
    if not live.missing or not (rule.across_hosts or rule.across_tenants):
        return []
    if rule.across_tenants or not tenant:
        return sorted(live.missing)
    planned = fleet.tenant(tenant)
    if planned is None:
        return sorted(live.missing)
    return sorted({*planned.api_hosts, planned.worker_host} & set(live.missing))


def _not_looked_at(live: Live, hosts: Iterable[str]) -> str:
    told = ", ".join(f"{host} ({live.missing[host]})" for host in hosts)
    return f"it cannot be known, since these hosts were not looked at: {told}"


def _sourced(rule: Rule, finding: Finding) -> Finding:
    # A finding knows its source already, unless a rule made it by hand: copying each would take a third of the time.
    return replace(finding, reference=rule.source) if rule.source and not finding.reference else finding
