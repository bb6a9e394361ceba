# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on what the processes of a tenant have in common: one Redis, or one process that does without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REFRESH_WORKER, Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import MEMORY, REMEDY, Link
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import View, view
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import of_redis
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

Place = tuple[str, int]


class RedisSameForTenant(of_redis.TenantRule):
    """Instances with different queues build and drop each other's pre-aggregations, and answer from different caches.

    What counts is the server's own identity (run_id), the database index and the prefix of keys, seen from each host
    with each instance's settings: names, addresses, Sentinel and TLS may differ.
    """

    id = "redis-same-for-tenant"
    title = "All instances of a tenant use the same Redis"
    severity = CRITICAL
    sentences = ("redis-same", "redis-same-queue")
    source = "Production Checklist: Set up Redis; source of @cubejs-backend/query-orchestrator 0.29.51"
    remedy = "Let all instances of the tenant have the same Redis URL (server and index) and the same CUBEJS_APP"

    def judged(self, _tenant: str, links: Sequence[Link], _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return whether the instances of a tenant meet in one keyspace."""
        tenant = links[0].instance.tenant
        if len(links) == 1:
            return self.on(tenant, NOT_APPLICABLE, "it has one process that uses Redis")
        places: dict[Place, list[Link]] = {}
        for link in links:
            if link.reached:
                places.setdefault(link.place, []).append(link)
        if len(places) > 1:
            message = f"its {len(links)} processes use {len(places)} different databases of Redis"
            return self.on(tenant, FAIL, message, evidence=_by_place(places))
        prefixes = {link.instance.seen.prefix for link in links if link.reached}
        known = sorted(each for each in prefixes if each is not None)
        if len(known) > 1:
            message = f"its processes share a database of Redis, but not the prefix of keys: {of_redis.listed(known)}"
            return self.on(tenant, FAIL, message)
        blind = [link for link in links if not link.reached]
        if blind:
            told = of_redis.listed(f"{link.label} ({link.why})" for link in blind)
            return self.on(tenant, UNKNOWN, f"it is not known which Redis these use: {told}", REMEDY)
        if None in prefixes and not _alike(links):
            message = "its project chooses the prefix of keys in code, and its processes do not run the same project"
            return self.on(tenant, UNKNOWN, message, "Let all instances run one version of Cube and of the project")
        message = f"its {len(links)} processes use one database of Redis, and one prefix"
        return self.on(tenant, PASS, message, evidence=_by_place(places))


def _by_place(places: Mapping[Place, Sequence[Link]]) -> Iterator[str]:
    for (run_id, index), members in sorted(places.items())[: of_redis.SHOWN]:
        asked = of_redis.listed({link.seen.asked for link in members if link.seen})
        yield f"server {run_id[:12]}, index {index} (as {asked}): {of_redis.listed(link.label for link in members)}"


def _alike(links: Iterable[Link]) -> bool:
    """Return whether all run the same code with the same name of the application, and so choose the same prefix."""
    found = {(link.instance.version, link.settings.value("app"), link.mentions, *_project(link)) for link in links}
    return len(found) == 1 and all(digest for *_others, digest in found)


def _project(link: Link) -> tuple[str, str]:
    project = link.instance.seen.project
    return (project.configuration, project.schema_digest) if project else ("", "")


class MemoryDriverIsAlone(Rule):
    """Cache and queue in memory belong to one process: others would build and answer from states of their own."""

    id = "memory-driver-one-process"
    title = "The memory driver serves one process only"
    sentences = ("memory-driver", "memory-alone")
    source = "Production Checklist: Running without Redis"
    remedy = "Give all processes of the tenant a Redis, or keep one API instance and no refresh worker"
    across_hosts = True

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants with the memory driver and more than one process."""
        for tenant in fleet.tenants:
            if tenant.cache_and_queue_driver == "memory" and tenant.processes > 1:
                workers = 1 if tenant.worker_host else 0
                yield self.found(
                    f"{tenant.subject}.cache_and_queue_driver",
                    f"'memory' with {tenant.processes} processes ({tenant.processes - workers} api, "
                    f"{workers} refresh worker)",
                    "Use redis, or one API instance on one host and refresh_worker: false",
                    tenant=tenant.name,
                )

    def observed(self, _fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield for each tenant whether a process of several keeps cache and queue to itself."""
        for tenant, links in live.once(view).tenants.items():
            yield self._judged(tenant, links)

    def _judged(self, tenant: str, links: Sequence[Link]) -> Finding:
        alone = [link for link in links if link.driver == MEMORY]
        workers = sum(link.instance.kind == REFRESH_WORKER for link in links)
        if alone and len(links) > 1:
            message = (
                f"{len(alone)} of its {len(links)} processes ({len(links) - workers} api, {workers} refresh worker) "
                "have cache and queue in memory"
            )
            evidence = sorted(link.label for link in alone)[: of_redis.SHOWN]
            return self.found("driver", message, tenant=tenant, evidence=evidence)
        blind: Optional[Link] = next((link for link in links if not link.driver), None)
        if blind is not None:
            return self.found("driver", f"{blind.label}: {blind.why}", REMEDY, tenant=tenant, status=UNKNOWN)
        if alone:
            message = "its one process has cache and queue in memory"
            return self.found("driver", message, tenant=tenant, status=PASS)
        return self.found("driver", "no process of it uses the memory driver", tenant=tenant, status=NOT_APPLICABLE)
