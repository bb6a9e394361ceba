# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the API secret of live instances, with which tokens are signed. Its value never appears."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import (
    BECOME,
    MOST_TOLD,
    doubt,
    doubtful,
    origin,
    place,
    several,
    version_of,
    without_version,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.secrets import API_SECRET, JWT_KEY

JWK_URL = "CUBEJS_JWK_URL"
_KNOWS_JWK = ">=0.26.79"
_IN_CODE = frozenset({"apiSecret", "checkAuth", "checkAuthMiddleware"})


class ApiSecretIsSet(Rule):
    """Without an API secret Cube makes one up in development; with an empty one it takes unsigned tokens (0.29.57).

    Where tokens are verified with published keys (CUBEJS_JWK_URL), none is needed. A project may give one in its code.
    """

    id = "api-secret-set"
    title = "CUBEJS_API_SECRET is set, and not empty"
    severity = CRITICAL
    sentences = ("api-only",)
    source = "Measured on Cube.js 0.29.57; source of @cubejs-backend/server-core 0.20.10 and 0.29.57"
    remedy = "Set CUBEJS_API_SECRET to 32 random characters or more, and restart the instance"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        setting = instance.seen.settings.get(API_SECRET)
        missing = doubt(instance, API_SECRET)
        if setting is not None and not setting.value.given:
            return self.of(instance, FAIL, f"{API_SECRET} is set and empty", evidence=[f"from {origin(setting)}"])
        if missing:
            return doubtful(self, instance, API_SECRET, missing)
        if setting is not None:
            return self.of(instance, PASS, f"{API_SECRET} is set", evidence=[f"from {origin(setting)}"])
        version, published = version_of(instance), instance.seen.settings.get(JWK_URL)
        if published is not None and published.value.given:
            if not version:
                return without_version(self, instance, f"whether {JWK_URL} makes up for {API_SECRET}")
            if versions.within(version, _KNOWS_JWK):
                return self.of(instance, PASS, f"{JWK_URL} names the keys that verify tokens")
        project = instance.seen.project
        if project is not None and _IN_CODE.intersection(project.mentions):
            told = f"{API_SECRET} is not set, and the project's code may give it or verify tokens itself"
            return self.of(instance, UNKNOWN, told, "Give the secret in the environment, or look at the project's code")
        return self.of(instance, FAIL, f"{API_SECRET} is not set")


class ApiSecretsAgree(Rule):
    """A token that one API instance signed for is refused by another with another secret: some requests answer 403.

    The refresh worker needs a secret to start and verifies no token of a client, so that it is not compared.
    """

    id = "api-secret-same"
    title = "All API instances of a tenant have the same secret"
    source = "Source of @cubejs-backend/api-gateway 0.29.57"
    remedy = "Set one CUBEJS_API_SECRET (and CUBEJS_JWT_KEY) for all instances of the tenant, and restart them"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each tenant."""
        for tenant in live.tenants:
            yield self._judged(tenant, [each for each in live.instances_of(tenant) if each.kind == API])

    def _judged(self, tenant: str, instances: list[LiveInstance]) -> Finding:
        groups: dict[tuple[str, ...], list[LiveInstance]] = {}
        for each in instances:
            groups.setdefault(tuple(_fingerprint(each, name) for name in (API_SECRET, JWT_KEY)), []).append(each)
        blind = [each for each in instances if doubt(each, API_SECRET) or doubt(each, JWT_KEY)]
        if len(instances) < 2:
            return self.found(tenant, "it has one API instance or none", tenant=tenant, status=NOT_APPLICABLE)
        if blind:
            told = f"it cannot be known, since settings were not read: {several(map(place, blind))}"
            return self.found(tenant, told, BECOME, tenant=tenant, status=UNKNOWN)
        evidence = [f"the same: {several(map(place, members))}" for members in list(groups.values())[:MOST_TOLD]]
        if len(groups) > 1:
            told = f"{len(instances)} API instances have {len(groups)} different keys for tokens"
            return self.found(tenant, told, tenant=tenant, evidence=evidence)
        return self.found(tenant, f"{len(instances)} API instances have the same", tenant=tenant, status=PASS)


def _fingerprint(instance: LiveInstance, name: str) -> str:
    setting = instance.seen.settings.get(name)
    return setting.value.fingerprint if setting is not None and setting.value.given else ""
