# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every rule, explicitly: none is found by its name or by being imported."""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import (
    cube,
    mysql,
    network,
    numbers,
    redis,
    secrets,
    sharing,
    tenants,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

RULES: tuple[Rule, ...] = (
    cube.VersionWorks(),
    tenants.TenantName(),
    tenants.NumberInRange(),
    tenants.TenantsDiffer(),
    tenants.ServerName(),
    tenants.TenantHasHosts(),
    secrets.MasterSecretGiven(),
    secrets.SecretStrength(),
    secrets.SecretsDiffer(),
    cube.MemoryDriverIsAlone(),
    cube.RefreshWorkerStarts(),
    cube.EnvironmentIsFree(),
    cube.DatabaseKnown(),
    cube.MemorySuffices(),
    redis.RedisGiven(),
    redis.RedisUrlCarried(),
    redis.RedisPoolSize(),
    redis.RedisHasRoom(),
    redis.RedisNotShared(),
    mysql.StorageGiven(),
    mysql.StorageSchemaIsOwn(),
    mysql.StorageOffSource(),
    mysql.StorageSpeaksTls(),
    mysql.StorageServerWorks(),
    mysql.StorageHasRoom(),
    network.PortsDiffer(),
    network.AddressesAreKnown(),
    network.SocketIsReached(),
    # Of many tenants together.
    numbers.NumberNotRetired(),
    sharing.SharedRedisIsOurs(),
    sharing.RedisIndexIsNoWall(),
    sharing.EndpointHasRoom(),
    sharing.RedisMemorySuffices(),
)
