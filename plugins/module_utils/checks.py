# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a specification cannot say of a tenant's definition: ranges of numbers, one of two keys, files that exist."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import firewall
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import MASK, Finding

MEBIBYTE = 2**20
# Key -> lowest and highest value that can work.
RANGES: Mapping[str, tuple[int, int]] = {
    "max_in_flight": (1, 10_000),
    "orchestrators": (1, 10_000),
    # Zero is no grace at all; systemd would wait for an hour with every stop.
    "graceful_shutdown_seconds": (1, 3600),
    "api_memory_bytes": (128 * MEBIBYTE, 2**50),
    "refresh_worker_memory_bytes": (128 * MEBIBYTE, 2**50),
    "rotation.api": (0, 10**9),
    "rotation.redis": (0, 10**9),
    "rotation.storage": (0, 10**9),
    "database.port": (1, 65535),
    "database.pool_max": (1, 10_000),
    "redis.port": (1, 65535),
    "redis.index": (0, 10_000),
    "redis.maxclients": (1, 10**6),
    "pre_aggregations.max_connections": (1, 10**6),
    "redis.maxmemory_bytes": (MEBIBYTE, 2**50),
    "pre_aggregations.port": (1, 65535),
    "pre_aggregations.max_age_seconds": (60, 10 * 366 * 86400),
}
# What belongs to the instance that tenants share, and not to one of them.
OF_SHARED_REDIS = ("url", "password", "tls", "ca", "maxclients", "maxmemory_bytes", "settings")
SHARED_INDEXES = (0, 999)
# Variables of a host -> lowest and highest value that can work.
HOST_RANGES: Mapping[str, tuple[int, int]] = {
    "cubejs_shared_redis.rotation": (0, 10**9),
    "cubejs_shared_redis.maxclients": (1, 10**6),
    "cubejs_shared_redis.maxmemory_bytes": (MEBIBYTE, 2**50),
}
# Keys that name files or folders on the controller.
PATHS = ("project.path", "certificate.certificate_path", "certificate.key_path", "database.ca", "redis.ca")


# Variables that hold a major and minor version, as package archives have it: to YAML without quotes, 7.10 is 7.1.
SERIES = ("redis_version",)
_SERIES = re.compile(r"\d{1,3}\.\d{1,3}")


def absolute(definition: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Return the definition with its paths made absolute: relative ones belong to the inventory's folder."""
    changed: dict[str, Any] = dict(definition)
    for key in PATHS:
        outer, inner = key.split(".")
        section = changed.get(outer)
        value = section.get(inner) if isinstance(section, Mapping) else None
        if isinstance(section, Mapping) and isinstance(value, str) and value:
            path = os.path.normpath(os.path.join(base, os.path.expanduser(value)))  # noqa: PTH111,PTH118 pure: no file is looked at
            changed[outer] = {**section, inner: path}
    return changed


def check(definition: Mapping[str, Any], subject: str, exists: Callable[[str], bool]) -> Iterator[Finding]:
    """Yield what is wrong with a definition whose types are right and whose paths are absolute."""
    tenant = str(definition.get("name") or "")
    for key, limits in RANGES.items():
        yield from _range(f"{subject}.{key}", _get(definition, key), limits, tenant)
    yield from _shared_redis(definition, subject, tenant)
    yield from _environment(definition, subject, tenant)
    yield from _project(definition, subject, tenant)
    yield from _certificate(definition, subject, tenant)
    for key in PATHS:
        path = _get(definition, key)
        if path and not exists(path):
            message = f"there is no {path} on the controller"
            remedy = "Correct the path; a relative one starts in the inventory's folder"
            yield Finding("path-exists", f"{subject}.{key}", message, remedy, tenant=tenant)


def check_host(variables: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the variables of a host, whose types are right."""
    for name in SERIES:
        value = variables.get(name)
        if value is not None and not (isinstance(value, str) and _SERIES.fullmatch(value)):
            message = f"{value!r} is no major and minor version in quotes"
            yield Finding("version-series", name, message, 'Write it like "7.0", or leave it to the distribution')
    for key, limits in HOST_RANGES.items():
        yield from _range(key, _get(variables, key), limits)
    clients = variables.get("firewall_clients")
    for subject, message in firewall.client_problems(clients if isinstance(clients, Mapping) else {}):
        yield Finding("client-address", subject, message, "Write IP addresses and networks, in quotes")


def _range(subject: str, value: Any, limits: tuple[int, int], tenant: str = "") -> Iterator[Finding]:
    lowest, highest = limits
    if isinstance(value, int) and not lowest <= value <= highest:
        message = f"{value} is not within {lowest} to {highest}"
        yield Finding("value-range", subject, message, "Use a number within", tenant=tenant)


def _shared_redis(definition: Mapping[str, Any], subject: str, tenant: str) -> Iterator[Finding]:
    """Yield what a tenant cannot say of a Redis that it shares."""
    given = definition.get("redis")
    if not isinstance(given, Mapping) or not given.get("shared"):
        return
    yield from _range(f"{subject}.redis.index", given.get("index"), SHARED_INDEXES, tenant)
    keys = [f"redis.{key}" for key in OF_SHARED_REDIS if given.get(key)]
    keys += ["rotation.redis"] if _get(definition, "rotation.redis") else []
    for key in keys:
        message = "redis.shared is set, and this is the shared instance's"
        yield Finding(
            "redis-shared-key", f"{subject}.{key}", message, "Set it in cubejs_shared_redis, or nowhere", tenant=tenant
        )


def _environment(definition: Mapping[str, Any], subject: str, tenant: str) -> Iterator[Finding]:
    """Yield what is wrong with a tenant's own variables: untyped in the specification, since they may be secret."""
    environment = definition.get("environment") or {}
    if not isinstance(environment, Mapping):
        message, remedy = f"{MASK}, not a dictionary", "Write name: text for each variable"
        yield Finding("value-type", f"{subject}.environment", message, remedy, tenant=tenant)
        return
    for name, value in environment.items():
        if not isinstance(value, str):
            message = f"{MASK} is a {type(value).__name__}, not a text"
            yield Finding("value-type", f"{subject}.environment.{name}", message, "Put it in quotes", tenant=tenant)


def _project(definition: Mapping[str, Any], subject: str, tenant: str) -> Iterator[Finding]:
    project = definition.get("project")
    if not isinstance(project, Mapping):
        return
    path, git, version = (project.get(key) for key in ("path", "git", "version"))
    if bool(path) == bool(git):
        message = "path and git are both set" if path else "neither path nor git is set"
        yield Finding("project-source", f"{subject}.project", message, "Set one of them", tenant=tenant)
    elif git and not version:
        remedy = "Set project.version to a commit or tag, so that a run is repeatable"
        yield Finding("project-source", f"{subject}.project", "git has no version", remedy, tenant=tenant)


def _certificate(definition: Mapping[str, Any], subject: str, tenant: str) -> Iterator[Finding]:
    certificate = definition.get("certificate")
    if not isinstance(certificate, Mapping) or certificate.get("source") != "provided":
        return
    for key in ("certificate_path", "key_path"):
        if not certificate.get(key):
            message = "a provided certificate needs it"
            yield Finding("value-required", f"{subject}.certificate.{key}", message, "Set it", tenant=tenant)


def _get(definition: Mapping[str, Any], key: str) -> Any:
    value: Any = definition
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
