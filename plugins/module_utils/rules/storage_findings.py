# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings on what instances share: each login, schema and server of the storage judged once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import live_storage
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.live_storage import LiveStorage, Schema, Server, Use
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import Verdict

NONE = verdicts.not_applicable("it has no storage in MySQL")


def of_uses(rule: Rule, fleet: Fleet, live: Live, judge: Callable[[Use], Verdict]) -> Iterator[Finding]:
    """Yield a finding on each instance."""
    for uses in live_storage.storage_of(fleet, live).uses.values():
        for use in uses:
            yield verdicts.of(rule, use.instance, judge(use) if use.wanted else NONE)


def of_schemas(rule: Rule, fleet: Fleet, live: Live, judge: Callable[[Schema], Verdict]) -> Iterator[Finding]:
    """Yield a finding on each tenant's schema, and on each tenant whose schema was not seen."""
    storage = live_storage.storage_of(fleet, live)
    for schema in storage.schemas:
        subject = f"{schema.name} on {schema.server.name}"
        yield verdicts.found(rule, subject, judge(schema), tenant=schema.tenant, host=schema.server.host)
    yield from _of_others(rule, storage)


def of_servers(rule: Rule, fleet: Fleet, live: Live, judge: Callable[[Server], Verdict]) -> Iterator[Finding]:
    """Yield a finding on each server, and on each tenant whose server was not seen; judge: of one with variables."""
    storage = live_storage.storage_of(fleet, live)
    for server in storage.servers:
        best = server.best
        verdict = judge(server) if best.variables else verdicts.unknown(live_storage.why(best, "variables"))
        yield verdicts.found(rule, server.name, verdict, tenant=server.tenant, host=server.host)
    yield from _of_others(rule, storage)


def _of_others(rule: Rule, storage: LiveStorage) -> Iterator[Finding]:
    for tenant, uses in live_storage.wanting(storage):
        blind = next((use for use in uses if not use.server), None)
        if blind is not None:
            verdict = verdicts.unknown(live_storage.why_not_seen(blind))
        elif not uses:
            verdict = NONE
        else:
            continue
        yield verdicts.found(rule, tenant, verdict, tenant=tenant)
