# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets of tenants: derived where the inventory gives none, references in the plan, revealed when written."""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import names

REFERENCE = "__secret__"
ALPHABET = string.ascii_letters + string.digits
# 40 letters and digits carry 238 bits.
LENGTH = 40
# The audit's floor for the API secret; a shorter HS256 key can be searched for offline.
SHORTEST = 32
SHORTEST_PASSWORD = 16
FEWEST_DIFFERENT = 10

FOR_API = "api_secret"
FOR_REDIS = "redis_password"
FOR_REDIS_URL = "redis_url"
FOR_STORAGE = "storage_password"
FOR_DATABASE = "database_password"
FOR_ENVIRONMENT = "environment:"

PATHS: Mapping[str, tuple[str, ...]] = {
    FOR_API: ("api_secret",),
    FOR_REDIS: ("redis", "password"),
    FOR_REDIS_URL: ("redis", "url"),
    FOR_STORAGE: ("pre_aggregations", "password"),
    FOR_DATABASE: ("database", "password"),
}
# Purpose of a derived secret -> the key of `rotation` that counts it.
ROTATIONS: Mapping[str, str] = {FOR_API: "api", FOR_REDIS: "redis", FOR_STORAGE: "storage"}
DERIVED = tuple(ROTATIONS)

# What people put around a well-known word to make it look like none.
_DECORATION = string.digits + string.punctuation
_SAMPLES = (
    "secret", "mysecret", "password", "passw0rd", "changeme", "change_me", "change-me", "example", "test", "foobared",
    "default", "cubejs", "cube", "admin", "root", "letmein", "qwerty", "yoursecret", "your_secret", "your-secret",
    "apisecret", "api_secret", "api-secret", "cubejs_api_secret", "sample", "insecure", "todo", "xxx",
)  # fmt: skip


class SecretError(ValueError):
    """A secret that cannot be revealed; the message names what to set."""


def derive(master: str, purpose: str, tenant: str, counter: int) -> str:
    """Return a tenant's secret for one purpose: 40 letters and digits, the same for the same arguments.

    HMAC-SHA256 of the master secret over purpose, tenant and rotation counter. Letters and digits
    alone, since both grammars of Redis URLs, MySQL and systemd carry them as they are.
    """
    found: list[str] = []
    block = 0
    # Bytes from 248 on would make the first letters likelier than the last.
    usable = 256 - 256 % len(ALPHABET)
    while len(found) < LENGTH:
        message = "\0".join(("cubeops.cubejs", purpose, tenant, str(counter), str(block))).encode()
        digest = hmac.new(master.encode(), message, hashlib.sha256).digest()
        found.extend(ALPHABET[byte % len(ALPHABET)] for byte in digest if byte < usable)
        block += 1
    return "".join(found[:LENGTH])


def problems(value: str, shortest: int = SHORTEST) -> tuple[str, ...]:
    """Return why a secret is weak, without telling it: empty, short, a sample, or too uniform."""
    if not value.strip():
        return ("it is empty",)
    found = []
    folded = value.strip().lower()
    rest = folded
    for sample in sorted(_SAMPLES, key=len, reverse=True):
        rest = rest.replace(sample, "")
    if folded in _SAMPLES or (rest != folded and len(rest.strip(_DECORATION)) * 3 < len(folded)):
        found.append("it is a sample or made of well-known words")
    if len(value) < shortest:
        found.append(f"it has {len(value)} characters, fewer than {shortest}")
    if len(set(value)) < FEWEST_DIFFERENT:
        found.append(f"it has only {len(set(value))} different characters")
    return (*found, *_uncarried(value))


def problems_of(purpose: str, value: str) -> tuple[str, ...]:
    """Return why a given secret is weak for its purpose.

    The source database's password and a tenant's own variables are not this collection's to choose:
    of them, and of URLs, only what an environment file cannot carry is told.
    """
    if purpose == FOR_API:
        return problems(value)
    if purpose in DERIVED:
        return problems(value, SHORTEST_PASSWORD)
    return _uncarried(value)


def is_carried(value: str) -> bool:
    """Say whether an environment file can carry a value: in one line, without control characters."""
    return not any(ord(character) < 32 or ord(character) == 127 for character in value)


def _uncarried(value: str) -> tuple[str, ...]:
    return () if is_carried(value) else ("it has a line break or another control character",)


def path(purpose: str) -> str:
    """Return the key of a tenant's definition that gives a secret, dotted."""
    if purpose.startswith(FOR_ENVIRONMENT):
        return f"environment.{purpose[len(FOR_ENVIRONMENT) :]}"
    return ".".join(PATHS[purpose])


def fingerprint(key: bytes, value: str) -> str:
    """Return a keyed digest by which equal secrets can be told within one run, and nothing else."""
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:16]


def fingerprint_key(master: str) -> bytes:
    """Return the key of fingerprints that belongs to a master secret."""
    return hmac.new(master.encode(), b"cubeops.cubejs\0fingerprint", hashlib.sha256).digest()


def given(tenant: Mapping[str, Any], purpose: str) -> str | None:
    """Return the secret that a tenant's definition gives for a purpose; None when it gives none."""
    if purpose.startswith(FOR_ENVIRONMENT):
        path: tuple[str, ...] = ("environment", purpose[len(FOR_ENVIRONMENT) :])
    else:
        path = PATHS[purpose]
    value: Any = tenant
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if value is None else str(value)


def counter_of(tenant: Mapping[str, Any], purpose: str) -> int:
    """Return how often a tenant's secret was rotated."""
    rotation = tenant.get("rotation")
    key = ROTATIONS.get(purpose)
    return int(rotation.get(key) or 0) if key and isinstance(rotation, Mapping) else 0


def reference(tenant: Mapping[str, Any], purpose: str) -> str:
    """Return the name of a secret: `<tenant>/<purpose>/<rotation>`."""
    return f"{tenant.get('name')}/{purpose}/{counter_of(tenant, purpose)}"


def refer(tenant: Mapping[str, Any], purpose: str) -> dict[str, str]:
    """Return what stands in the plan for a secret."""
    return {REFERENCE: reference(tenant, purpose)}


def of_shared_redis(rotation: int) -> Mapping[str, Any]:
    """Return what stands for a tenant's definition where the Redis that tenants share is meant: its name, a counter."""
    return {"name": names.SHARED_REDIS, "rotation": {ROTATIONS[FOR_REDIS]: rotation}}


@dataclass(frozen=True)
class Vault:
    """The values behind references: tenants' definitions by name, and the master secret.

    stated: the references that definitions give, where a plan knows them: for others none is looked at.
    """

    tenants: Mapping[str, Mapping[str, Any]] = field(repr=False)
    master: str | None = field(repr=False)
    stated: Collection[str] | None = None

    @classmethod
    def of(cls, tenants: Iterable[Mapping[str, Any]], master: str | None) -> Vault:
        """Return the vault of a list of definitions."""
        return cls({str(tenant.get("name")): tenant for tenant in tenants}, master)

    def value(self, name: str) -> str:
        """Return the secret of a reference; raise SecretError when nothing gives it."""
        parts = name.split("/")
        if len(parts) != 3 or not parts[2].isdecimal():
            raise SecretError(f"{name!r} is no reference to a secret")
        tenant, purpose, counter = parts
        if self.stated is not None and name not in self.stated and purpose in DERIVED and self.master:
            return derive(self.master, purpose, tenant, int(counter))
        definition = of_shared_redis(int(counter)) if tenant == names.SHARED_REDIS else self.tenants.get(tenant)
        if definition is None:
            raise SecretError(f"{name}: cubejs_tenants has no tenant {tenant!r} here; define it for all hosts")
        stated = given(definition, purpose)
        if stated is not None:
            return stated
        if purpose not in DERIVED:
            raise SecretError(f"{name}: the tenant's definition gives none, and it cannot be derived")
        if not self.master:
            raise SecretError(f"{name}: set cubejs_master_secret, from which it is derived, or give it in the tenant")
        return derive(self.master, purpose, tenant, int(counter))

    def reveal(self, value: Any) -> Any:
        """Return a value with every reference in it replaced by its secret."""
        if isinstance(value, Mapping):
            if set(value) == {REFERENCE}:
                return self.value(value[REFERENCE])
            return {key: self.reveal(item) for key, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            return [self.reveal(item) for item in value]
        return value
