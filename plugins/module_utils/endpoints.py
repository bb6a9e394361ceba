# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Redis and MySQL servers that are given, not deployed: who uses each, and what its clients need of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.cubeops.cubejs.plugins.module_utils import pools
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import MYSQL, REDIS, Endpoint, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.servers import mysql_client, redis_need

Place = tuple[str, int]


def of(tenants: Iterable[Tenant]) -> Iterator[Endpoint]:
    """Yield the servers that are not ours; one that several tenants use is one, by its host and port."""
    redis: dict[Place, list[Tenant]] = {}
    mysql: dict[Place, list[Tenant]] = {}
    for tenant in tenants:
        if tenant.redis is not None and tenant.redis.host:
            redis.setdefault((tenant.redis.host.lower(), tenant.redis.port), []).append(tenant)
        if tenant.storage is not None and tenant.storage.host:
            mysql.setdefault((tenant.storage.host.lower(), tenant.storage.port), []).append(tenant)
    for place, clients in redis.items():
        need = sum(map(redis_need, clients)) + pools.REDIS_RESERVE
        said = [(tenant, tenant.redis.maxclients) for tenant in clients if tenant.redis]
        yield _endpoint(REDIS, place, said, need, "redis.maxclients")
    for place, clients in mysql.items():
        need = pools.mysql_need(mysql_client(tenant, place[0]) for tenant in clients)
        limits = [(tenant, tenant.storage.max_connections) for tenant in clients if tenant.storage]
        yield _endpoint(MYSQL, place, limits, need, "pre_aggregations.max_connections")


def _endpoint(kind: str, place: Place, said: Sequence[tuple[Tenant, int | None]], need: int, key: str) -> Endpoint:
    """Return the server; where tenants say different things of it, the least counts."""
    limits = [(limit, tenant) for tenant, limit in said if limit is not None]
    allowed, teller = min(limits, key=lambda pair: pair[0]) if limits else (None, said[0][0])
    names = tuple(tenant.name for tenant, _limit in said)
    return Endpoint(kind, *place, names, need, allowed, f"{teller.subject}.{key}")
