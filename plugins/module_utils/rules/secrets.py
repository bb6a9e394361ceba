# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on secrets. Their values never appear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets, setting_names
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    ERROR,
    FAIL,
    MASK,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Setting
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import TOO_LONG
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule, repeated
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import (
    BECOME,
    MOST_TOLD,
    about,
    bounded,
    doubt,
    doubtful,
    origin,
    place,
    several,
    version_of,
)

API_SECRET = "CUBEJS_API_SECRET"  # noqa: S105 a name
JWT_KEY = "CUBEJS_JWT_KEY"
LOOK_AT_ALL = "Look at all hosts in one run: leave --limit out, or make the host reachable"
# What signs tokens, or is asked for by the process itself; and passwords of servers, which we may have set there.
_KEYS = (API_SECRET, JWT_KEY, "CUBEJS_SQL_PASSWORD")
_PASSWORDS: Mapping[str, str] = {
    "REDIS_PASSWORD": secrets.FOR_REDIS,
    "CUBEJS_REDIS_PASSWORD": secrets.FOR_REDIS,
    "CUBEJS_EXT_DB_PASS": secrets.FOR_STORAGE,
}


class SecretStrength(Rule):
    """An HS256 secret can be searched for offline from one token; an empty one lets unsigned tokens in."""

    id = "secret-strength"
    title = "Secrets are long, random and no samples"
    source = "RFC 7518, section 3.2; cube-js/cube issue 1362"
    remedy = "Use 32 random letters and digits or more for keys of tokens, 16 or more for passwords"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield weak secrets; of servers that are not ours a weak password only warns."""
        for tenant in fleet.tenants:
            for secret in filter(lambda secret: secret.problems, tenant.secrets):
                derivable = secret.purpose in secrets.DERIVED
                yield self.found(
                    secret.subject,
                    f"{MASK}: {'; '.join(secret.problems)}",
                    "Leave it out to have it derived, or use random letters and digits"
                    if derivable and secret.ours
                    else "Use another one",
                    tenant=tenant.name,
                    severity=WARNING if derivable and not secret.ours and secret.carried else ERROR,
                )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield weak secrets in force, or one finding for an instance that has none; emptiness is another rule's."""
        for instance in live.instances:
            yield from self._of_instance(fleet, instance)

    def _of_instance(self, fleet: Fleet, instance: LiveInstance) -> Iterator[Finding]:
        judged = list(_in_force(instance))
        found = [each for name, setting in judged for each in self._judged(fleet, instance, name, setting)]
        yield from found
        missing = doubt(instance)
        if missing:
            yield doubtful(self, instance, "the strength of its secrets", missing)
        elif not judged:
            yield self.of(instance, NOT_APPLICABLE, "it has no secret whose strength is judged")
        elif not found:
            yield self.of(instance, PASS, f"{several(name for name, _setting in judged)}: none is weak")

    def _judged(self, fleet: Fleet, instance: LiveInstance, name: str, setting: Setting) -> Iterator[Finding]:
        problems = setting.value.problems
        if any(problem.endswith(TOO_LONG) for problem in problems):
            told = f"{MASK}: it is too long to be judged"
            yield about(self, instance, name, UNKNOWN, told, "Look at it on the host, or take a shorter one")
        elif problems:
            told = f"{MASK}: {'; '.join(bounded(problem) for problem in problems[:MOST_TOLD])}"
            severity = ERROR if name in _KEYS or _is_ours(fleet, instance, name) else WARNING
            yield about(self, instance, name, FAIL, told, severity=severity, evidence=[f"from {origin(setting)}"])


class MasterSecretGiven(Rule):
    """Secrets that a tenant does not give are derived from the master secret, the same on every run."""

    id = "master-secret"
    title = "There is a master secret where secrets are derived"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield once how many secrets nothing gives."""
        orphans = [
            secret
            for tenant in fleet.tenants
            for secret in tenant.secrets
            if not secret.given and not secret.fingerprint
        ]
        if orphans:
            count = "1 secret is" if len(orphans) == 1 else f"{len(orphans)} secrets are"
            yield self.found(
                "cubejs_master_secret",
                f"it is not set, and {count} to be derived from it ({orphans[0].subject})",
                "Set it to 32 random characters or more, in a vault",
            )


class SecretsDiffer(Rule):
    """A secret of two tenants lets either in at the other's."""

    id = "secret-shared-by-tenants"
    title = "No two tenants share a secret"
    source = "Source of @cubejs-backend/api-gateway 0.29.57: any token that the key signs is taken"
    remedy = "Give each tenant its own, and restart its instances"
    across_hosts = True

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield secrets that another tenant has too."""
        own = [
            (tenant, secret)
            for tenant in fleet.tenants
            for secret in tenant.secrets
            if secret.given and secret.purpose in secrets.DERIVED
        ]
        for _shared, members in repeated(own, lambda pair: pair[1].fingerprint):
            first = members[0][0]
            for tenant, secret in members[1:]:
                if tenant is not first:
                    yield self.found(
                        secret.subject,
                        f"{MASK}: it is a secret of {first.name} too",
                        "Give each tenant its own, or leave it out to have it derived",
                        tenant=tenant.name,
                    )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each tenant. Whoever was not looked at may share with anybody."""
        owners: dict[str, dict[str, str]] = {}
        for instance in live.instances:
            for name, setting in _in_force(instance):
                owners.setdefault(setting.value.fingerprint, {}).setdefault(instance.tenant, name)
        shared: dict[str, list[str]] = {}
        for holders in owners.values():
            for tenant, name in holders.items() if len(holders) > 1 else ():
                others = [other for other in holders if other != tenant]
                shared.setdefault(tenant, []).append(f"{name} is a secret of {several(others)} too")
        blind = [each for each in live.instances if doubt(each)]
        return (self._of_tenant(tenant, shared.get(tenant, []), live, blind) for tenant in live.tenants)

    def _of_tenant(self, tenant: str, shared: list[str], live: Live, blind: list[LiveInstance]) -> Finding:
        if shared:
            told = f"{MASK}: {'; '.join(shared[:MOST_TOLD])}"
            return self.found(tenant, told, tenant=tenant)
        if live.missing:
            told = f"it cannot be known, since these hosts were not looked at: {several(sorted(live.missing))}"
            return self.found(tenant, told, LOOK_AT_ALL, tenant=tenant, status=UNKNOWN)
        if blind:
            told = f"it cannot be known, since settings were not read: {several(map(place, blind))}"
            return self.found(tenant, told, BECOME, tenant=tenant, status=UNKNOWN)
        if len(live.tenants) == 1:
            return self.found(tenant, "no other tenant was seen", tenant=tenant, status=NOT_APPLICABLE)
        return self.found(tenant, "no other tenant has a secret of it", tenant=tenant, status=PASS)


def _in_force(instance: LiveInstance) -> Iterator[tuple[str, Setting]]:
    """Yield the secrets that open something, as far as they are given and the version reads them."""
    version = version_of(instance)
    for name in (*_KEYS, *_PASSWORDS):
        setting = instance.seen.settings.get(name)
        if setting is None or not setting.value.given or (version and not setting_names.is_read(name, version)):
            continue
        if name != JWT_KEY or not _is_public(instance):
            yield name, setting


def _is_public(instance: LiveInstance) -> bool:
    """Return whether the key that verifies tokens is one that anybody may know: of RSA or an elliptic curve."""
    algorithms = (instance.seen.value("CUBEJS_JWT_ALGS") or "").upper()
    return bool(algorithms.strip()) and not any(each.strip().startswith("HS") for each in algorithms.split(","))


def _is_ours(fleet: Fleet, instance: LiveInstance, name: str) -> bool:
    """Return whether this collection sets the password on the server too, so that a weak one can be replaced."""
    tenant = fleet.tenant(instance.tenant) if instance.planned else None
    return tenant is not None and any(each.purpose == _PASSWORDS[name] and each.ours for each in tenant.secrets)
