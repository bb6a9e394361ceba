# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings on proxies: on what they answered, and on Nginx' files; and on tenants of which no proxy was seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.proxying import (
    Asked,
    Serving,
    Site,
    proxies_of,
    unread_nginx,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import Verdict

ASK = "Name it: proxies: [{server_name: ..., address: ...}], or cubejs_audit_proxies where a playbook of ours looks"
NO_API = verdicts.not_applicable("it has no API instance")


def of_asked(
    rule: Rule,
    fleet: Fleet,
    live: Live,
    judge: Callable[[Serving, Asked], Verdict],
    otherwise: Callable[[Serving], Verdict] | None = None,
    *,
    silent: bool = False,
) -> Iterator[Finding]:
    """Yield a finding on each proxy that was asked, and on each tenant of which none was.

    judge: of one that speaks TLS; of a silent one, too, where silence says something. otherwise: of a tenant without
    any; it cannot be known unless this says more.
    """
    for tenant, serving in proxies_of(fleet, live).items():
        for asked in serving.asked:
            verdict = judge(serving, asked) if asked.seen.reachable or silent else _silent(asked)
            yield verdicts.found(rule, asked.subject, verdict, tenant=tenant, host=asked.host)
        if not serving.asked and live.instances_of(tenant):
            yield verdicts.found(rule, tenant, _not_asked(live, serving, otherwise), tenant=tenant)


def of_sites(rule: Rule, fleet: Fleet, live: Live, judge: Callable[[Serving, Site], Verdict]) -> Iterator[Finding]:
    """Yield a finding on each name in Nginx' files that leads to a tenant, and on each tenant to which none does."""
    for tenant, serving in proxies_of(fleet, live).items():
        for site in serving.sites:
            yield verdicts.found(rule, site.subject, judge(serving, site), tenant=tenant, host=site.host)
        if not serving.sites and live.instances_of(tenant):
            yield verdicts.found(rule, tenant, _no_site(live, serving), tenant=tenant)


def apis_of(live: Live, tenant: str) -> tuple[LiveInstance, ...]:
    """Return the API instances of a tenant."""
    return tuple(instance for instance in live.instances_of(tenant) if instance.kind == API)


def unread(live: Live) -> Verdict | None:
    """Return that some host's Nginx could not be read, where one could not."""
    for host, note in unread_nginx(live).items():
        return verdicts.unknown(f"Nginx' files on {host} could not be read: {note.reason}", note.remedy)
    return None


def why(asked: Asked, what: str) -> Unknown | None:
    """Return why something of a proxy is not known; None where nothing is noted."""
    return next((note for note in asked.seen.unknown if note.what in (what, "everything")), None)


def _silent(asked: Asked) -> Verdict:
    return verdicts.unknown(f"the proxy did not answer: {asked.seen.problem or 'nobody asked'}")


def _not_asked(live: Live, serving: Serving, otherwise: Callable[[Serving], Verdict] | None) -> Verdict:
    if not apis_of(live, serving.tenant):
        return NO_API
    if otherwise is not None:
        return otherwise(serving)
    names = ", ".join(serving.names) or "its name"
    return verdicts.unknown(f"no host asked for {names}", ASK)


def _no_site(live: Live, serving: Serving) -> Verdict:
    if not apis_of(live, serving.tenant):
        return NO_API
    hidden = unread(live)
    if hidden is not None:
        return hidden
    if serving.asked:
        return verdicts.not_applicable("its proxy is no Nginx of the hosts that were looked at")
    return verdicts.unknown("no Nginx that leads to it was seen", "Look at the host of its proxy, too")
