"""What several tests put into an inventory."""

from __future__ import annotations

from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory

MASTER = "kD93hfLw02mXoQz71RbVtYc5NgUe8sAi"
# The groups of whoever has everything on one host.
EVERYTHING = tuple(name for name in inventory.GROUPS if name != inventory.SENTINELS)
# The groups of a cluster in which Redis fails over, as in examples/cluster.
CLUSTER = {
    "cubejs_redis": ["one", "two"],
    "cubejs_redis_sentinels": ["one", "two", "three"],
    "cubejs_mysql": ["three"],
    "cubejs_api": ["one", "two"],
    "cubejs_refresh_worker": ["three"],
    "cubejs_nginx": ["one", "two"],
}
TENANT: dict[str, Any] = {
    "name": "acme",
    "number": 1,
    "server_name": "cube.acme.example",
    "project": {"path": "."},
    "database": {"type": "mysql", "host": "h", "name": "n", "user": "u", "password": "MARKED"},
}
