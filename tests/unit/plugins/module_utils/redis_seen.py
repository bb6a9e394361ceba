"""Live instances that use Redis, and what was seen of the Redis that they reach."""

from __future__ import annotations

from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import (
    ENVIRONMENT_FILE,
    Instance,
    Packages,
    Setting,
    Value,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import RedisSeen


def live_instance(name: str = "api.service", **changes: Any) -> LiveInstance:
    """Return an instance of acme on host one with these settings and fields."""
    values = {
        "CUBEJS_DB_TYPE": "mysql",
        "NODE_ENV": "production",
        "CUBEJS_REDIS_URL": "redis://r",
        **changes.pop("environment", {}),
    }
    settings = {key: Setting(Value(text), ENVIRONMENT_FILE) for key, text in values.items() if text is not None}
    tenant, host = changes.pop("tenant", "acme"), changes.pop("host", "one")
    fields: dict[str, Any] = {
        "running": True, "found_by": (), "manager": "systemd", "settings": settings, "redis": "login",
        "packages": Packages(version=changes.pop("version", "0.29.57")), **changes,
    }  # fmt: skip
    return LiveInstance(tenant, API, host, Instance(name, **fields))


def look(**changes: Any) -> RedisSeen:
    """Return a Redis that was reached."""
    fields: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 6401,
        "index": 0,
        "reachable": True,
        "run_id": "r1",
        **changes,
    }
    return RedisSeen("asked", "node_redis", tls=False, **fields)
