# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on secrets. Their values never appear."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import ERROR, MASK, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule, repeated


class SecretStrength(Rule):
    """An HS256 secret can be searched for offline from one token; an empty one lets unsigned tokens in."""

    id = "secret-strength"
    title = "Secrets are long, random and no samples"

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
