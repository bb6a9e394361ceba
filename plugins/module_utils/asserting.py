# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One host judged by the rules of one topic, on the host itself: what the assert_* modules have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import auditing, outcome
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    ERROR,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_observation import observe
from ansible_collections.cubeops.cubejs.plugins.module_utils.linking import link
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import wishes
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.probing import Wanted
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.looking import HostLookedAt
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES


@dataclass(frozen=True)
class Topic:
    """What one module judges: the ids of its rules, what has to be asked for them, and what it is about, in a word.

    The host's own processes are always looked at.
    """

    name: str
    probes: tuple[str, ...]
    rules: tuple[str, ...]
    proxies: bool = False


PRODUCTION_MODE = Topic("production mode", ("http",), (
    "node-env-production", "node-env-agrees", "development-mode-off", "root-page-production", "playground-closed",
    "token-required", "bad-token-refused", "unsigned-token-refused", "api-secret-set", "secret-strength",
    "playground-secret-unset",
))  # fmt: skip
REDIS_POOL = Topic("Redis pools", ("redis", "journal"), (
    "redis-pool-size", "redis-maxclients", "redis-queue-times-tenants", "redis-connections-used",
    "redis-rejected-connections", "journal-pool-timeouts", "open-files",
))  # fmt: skip
SHARED_REDIS = Topic("Redis", ("redis",), (
    "redis-reachable", "redis-same-for-tenant", "redis-shared-by-tenants", "redis-other-deployments",
    "redis-other-clients", "redis-locks-shared", "redis-url", "redis-variable-names", "redis-variables-agree",
    "redis-password", "redis-tls", "redis-role", "redis-cluster-mode", "redis-keys-command", "redis-eviction-policy",
    "redis-maxmemory", "redis-evicted-keys", "redis-listens-privately", "redis-queue-moves",
    "redis-version", "cache-driver-legal", "memory-driver-one-process", "cubejs-app-isolation",
))  # fmt: skip
STORAGE = Topic("the pre-aggregation storage", ("mysql", "journal"), (
    "storage-type-set", "storage-settings-complete", "storage-socket", "storage-reachable", "storage-login-plugin",
    "storage-server-version", "storage-foreign-tables", "storage-schema-shared", "storage-schema-agrees",
    "storage-on-source-server", "storage-grants-sufficient", "storage-grants-minimal",
    "storage-tls", "storage-tls-verified", "storage-sql-mode", "storage-packet-size", "storage-buffer-pool",
    "storage-temporary-tables", "storage-character-set", "storage-binary-log", "storage-max-connections",
    "storage-connections-used", "storage-aborted-connects", "storage-orphans", "storage-name-length",
    "storage-endpoint", "storage-server-agrees", "database-settings-agree", "journal-storage-errors",
))  # fmt: skip
REFRESH_WORKER = Topic("the refresh worker", ("http", "redis", "mysql", "journal"), (
    "one-refresh-worker", "refresh-flag", "refresh-flags-agree", "api-does-not-refresh", "refresh-worker-alive",
    "pre-aggregations-built", "pre-aggregations-flagged", "pre-aggregations-fresh",
    "refresh-contexts", "time-zones-agree", "schema-files-agree", "journal-refresh-errors",
))  # fmt: skip
HTTPS = Topic("HTTPS", ("http",), (
    "https-answers", "https-redirect", "https-tls-version", "https-hsts", "certificate-expiry", "certificate-names",
    "certificate-trusted", "certificate-key", "proxy-http-version", "proxy-upgrade", "proxy-headers",
    "proxy-body-size", "proxy-timeouts", "proxy-upstreams", "proxy-web-sockets", "proxy-production-mode",
    "cube-port-exposed", "tried-port-closed", "cube-tls-off", "websockets-as-set",
), proxies=True)  # fmt: skip
# What a host cannot see of itself: another one has to look.
FROM_ELSEWHERE = frozenset({"cube-port-exposed"})
TOPICS = (PRODUCTION_MODE, REDIS_POOL, SHARED_REDIS, STORAGE, REFRESH_WORKER, HTTPS)


class AssertingError(ValueError):
    """Options that cannot be followed; the message has every problem."""


def argument_spec(topic: Topic) -> dict[str, Any]:
    """Return the options of the module of a topic."""
    return {
        "fail_on": {"type": "str", "choices": list(outcome.THRESHOLDS), "default": "error"},
        "whole": {"type": "bool", "default": True},
        **wishes.LOOK_OPTIONS,
        **(wishes.OUTSIDE_OPTIONS if topic.proxies else {}),
    }


def look_and_judge(
    topic: Topic, options: Mapping[str, Any], look: Callable[[bytes, Wanted], Observation] = observe
) -> dict[str, Any]:
    """Return what the module returns of this host; `failed` where its outcome is not ok. Raises AssertingError."""
    wished = {"proxies": [], "reach": [], **options, "fingerprint_key": None, "probes": list(topic.probes)}
    try:
        key, wanted = wishes.parse(wished)
    except wishes.WishError as exc:
        raise AssertingError(str(exc)) from exc
    found = judge(topic, look(key, wanted), whole=options["whole"])
    verdict = outcome.judge(found, options["fail_on"])
    wrong = [finding for finding in found if finding.status not in (PASS, NOT_APPLICABLE)]
    return {
        "changed": False,
        "failed": verdict.name != outcome.OK,
        "msg": _told(topic, wrong, verdict, options["fail_on"]),
        "outcome": verdict.name,
        "exit_status": verdict.exit_status,
        "counts": {"failed": verdict.failed, "unknown": verdict.unknown, "findings": len(found)},
        "findings": [auditing.explained(finding).as_dict() for finding in wrong],
    }


def judge(topic: Topic, seen: Observation, *, whole: bool = True) -> list[Finding]:
    """Return what the rules of a topic say of a host. whole: no other host is asked what this one cannot tell."""
    fleet = link(Fleet(), {seen.host: seen}, {})
    wanted = {*topic.rules, *(() if topic.proxies else (HostLookedAt.id,))}
    if not whole:
        wanted -= {*FROM_ELSEWHERE, *(rule.id for rule in RULES if rule.across_hosts)}
    rules = [rule for rule in RULES if rule.id in wanted]
    found = [finding for rule in rules for finding in auditing.of_rule(rule, fleet)]
    judged = any(finding.status != NOT_APPLICABLE and finding.rule != HostLookedAt.id for finding in found)
    if judged or any(finding.status == UNKNOWN and finding.severity == ERROR for finding in found):
        return found
    return [*found, HostLookedAt().found(seen.host, f"nothing here says anything of {topic.name}", status=UNKNOWN)]


def _told(topic: Topic, wrong: list[Finding], verdict: outcome.Outcome, fail_on: str) -> str:
    counted = [finding for finding in wrong if outcome.counts(finding, fail_on)]
    if fail_on == outcome.NEVER:
        return f"{topic.name}: told for information only, {len(wrong)} findings"
    if not counted:
        return f"Nothing at {fail_on} or above is wrong with {topic.name}"
    words = f"{verdict.failed} failed, {verdict.unknown} unknown at {fail_on} or above"
    return "\n".join([f"{topic.name}: {words}", *(f"  - {finding.text()}" for finding in counted)])
