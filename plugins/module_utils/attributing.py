# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which processes belong to one deployment: they read the same source, and have one thing more in common.

That is the API secret, the Redis and index, or the schema of the pre-aggregations. A source alone is not enough: two
deployments may read one database. Nor is Redis alone: that two deployments share one is what an audit looks for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Instance, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql_look import default_schema
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import Whereabouts

_PORTS = {"mysql": "3306", "postgres": "5432", "redshift": "5439", "mssql": "1433"}
_SOURCE = ("CUBEJS_DB_TYPE", "CUBEJS_DB_HOST", "CUBEJS_DB_PORT", "CUBEJS_DB_NAME", "CUBEJS_DB_USER")
_API_SECRET = "CUBEJS_API_SECRET"  # noqa: S105  (a name)
_REDIS_URLS = ("CUBEJS_REDIS_URL", "REDIS_URL")
_SCHEMA = "CUBEJS_PRE_AGGREGATIONS_SCHEMA"
# Of a release that was not found, where most of them put their pre-aggregations.
_NO_VERSION = "0.29.57"

Trait = tuple[Hashable, ...]


@dataclass(frozen=True)
class Traits:
    """What tells a deployment. sources: names of its source, each enough; marks: of which one more must be shared.

    tenant: whose it is known to be, "" where that is asked.
    """

    sources: tuple[Trait, ...]
    marks: tuple[Trait, ...]
    tenant: str = ""


def of_instance(host: str, seen: Instance, observation: Observation, where: Whereabouts, tenant: str = "") -> Traits:
    """Return the traits of an observed process."""
    return Traits(
        tuple(_sources(host, seen, observation, where)),
        (
            *_secret_marks(seen),
            *_redis_marks(host, seen, observation, where),
            *_storage_marks(host, seen, observation, where),
        ),
        tenant,
    )


def of_tenant(tenant: Tenant, host: str, where: Whereabouts) -> Traits:
    """Return the traits that a planned tenant's processes would have on a host."""
    database, redis, storage = tenant.database, tenant.redis, tenant.storage
    port = str(database.port or _PORTS.get(database.type, ""))
    source = ("settings", database.type, where.place(host, database.host), port, database.name, database.user)
    marks: list[Trait] = [("secret", each.fingerprint) for each in tenant.secrets if each.purpose == secrets.FOR_API]
    if redis and (redis.server or redis.host):
        marks.append(("redis", redis.server or where.place(host, redis.host), redis.port, redis.index))
    if storage and (storage.server or storage.host):
        marks.append(("storage", storage.server or where.place(host, storage.host), str(storage.port), storage.schema))
    return Traits((source,) if database.type else (), tuple(marks), tenant.name)


def groups(traits: Sequence[Traits]) -> list[int]:
    """Return for each the number of its group, which is the position of one member.

    Two tenants that are known never become one, whatever they share: a rule tells of that.
    """
    parents = list(range(len(traits)))
    tenants = [each.tenant for each in traits]

    def root(item: int) -> int:
        while parents[item] != item:
            parents[item] = parents[parents[item]]
            item = parents[item]
        return item

    for members in _buckets(traits):
        first = root(members[0])
        for other in map(root, members[1:]):
            if other == first or (tenants[first] and tenants[other] and tenants[first] != tenants[other]):
                continue
            parents[other] = first
            tenants[first] = tenants[first] or tenants[other]
    return [root(item) for item in range(len(traits))]


def _buckets(traits: Sequence[Traits]) -> Iterable[list[int]]:
    """Return who have a source and a mark in common, or are known to be of one tenant; those who are known first."""
    found: dict[Hashable, list[int]] = {}
    ordered = sorted(range(len(traits)), key=lambda item: (not traits[item].tenant, traits[item].tenant, item))
    for item in ordered:
        each = traits[item]
        if each.tenant:
            found.setdefault(("tenant", each.tenant), []).append(item)
        for source in each.sources:
            for mark in each.marks:
                found.setdefault((source, mark), []).append(item)
    return found.values()


def _sources(host: str, seen: Instance, observation: Observation, where: Whereabouts) -> Iterator[Trait]:
    kind, address, port, name, user = (seen.value(variable) or "" for variable in _SOURCE)
    if not (kind or address or name):
        # Its project's code chooses the source: those with the same code choose alike.
        if seen.project and seen.project.schema_digest and seen.project.schema_files:
            yield ("project", seen.project.schema_digest)
        return
    yield ("settings", kind, where.place(host, address), port or _PORTS.get(kind, ""), name, user)
    reached = observation.mysql.get(seen.source)
    if reached and reached.identity:
        yield ("server", reached.identity, name, user)


def _secret_marks(seen: Instance) -> Iterator[Trait]:
    setting = seen.settings.get(_API_SECRET)
    if setting and setting.value.fingerprint and setting.value.given:
        yield ("secret", setting.value.fingerprint)


def _redis_marks(host: str, seen: Instance, observation: Observation, where: Whereabouts) -> Iterator[Trait]:
    reached = observation.redis.get(seen.redis)
    if reached:
        if reached.run_id:
            yield ("redis", reached.run_id, reached.index)
        if reached.host:
            yield ("redis", where.place(host, reached.host), reached.port, reached.index)
    for name in _REDIS_URLS:
        setting = seen.settings.get(name)
        if setting and setting.value.given:
            yield ("redis", setting.value.fingerprint or setting.value.value)


def _storage_marks(host: str, seen: Instance, observation: Observation, where: Whereabouts) -> Iterator[Trait]:
    if not seen.value("CUBEJS_EXT_DB_TYPE"):
        return
    schema = seen.value(_SCHEMA) or default_schema(seen.packages.version or _NO_VERSION, seen.value("NODE_ENV"))
    address, port = (
        where.place(host, seen.value("CUBEJS_EXT_DB_HOST") or ""),
        seen.value("CUBEJS_EXT_DB_PORT") or "3306",
    )
    yield ("storage", address, port, schema)
    reached = observation.mysql.get(seen.storage)
    if reached and reached.identity:
        yield ("storage", reached.identity, schema)
