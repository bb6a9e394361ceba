# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One instance as its own environment describes it: where it listens, and with what it logs in to Redis and MySQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_url, settings, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import Address
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import MysqlEndpoint
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Tls
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

PORT = "4000"
MYSQL_PORT = 3306
STORAGE, SOURCE = "storage", "database"


class SubjectError(ValueError):
    """A setting with which nothing can be reached; the message names it, never its value."""


@dataclass(frozen=True)
class RedisLogin:
    """Where an instance's client finds Redis, and how it logs in there."""

    target: redis_url.Target
    client: str
    password: Optional[str] = field(default=None, repr=False)
    tls: Optional[Tls] = None


@dataclass(frozen=True)
class Subject:
    """One instance: its version, the environment it is started with, claims for its token."""

    version: str
    environment: Mapping[str, str] = field(repr=False)
    claims: Mapping[str, object] = field(default_factory=dict)

    def value(self, name: str) -> str | None:
        """Return the setting as this version of Cube reads it among its synonyms; None where it is not set."""
        row = settings.winner(TABLE, name, self.version, self.environment)
        return self.environment[row.target] if row else None

    def is_on(self, name: str) -> bool:
        """Return whether a switch is on."""
        return (self.value(name) or "").lower() == "true"

    @property
    def address(self) -> Address:
        """Return where the instance listens: PORT is the path of a socket or a number."""
        port = self.environment.get("PORT", PORT)
        return Address(port=int(port)) if re.fullmatch(r"[0-9]{1,9}", port) else Address(socket_path=port)

    @property
    def uses_redis(self) -> bool:
        """Return whether cache and queue are in Redis.

        Unset, the driver is Redis in production; from 0.32 only where Redis is configured (QueryOrchestrator.js).
        """
        driver = self.value("cache_and_queue_driver")
        if driver is not None:
            return driver == "redis"
        if self.value("redis_url") is not None or self.is_on("redis_use_ioredis"):
            return True
        return versions.within(self.version, "<0.32") and self.environment.get("NODE_ENV") == "production"

    def redis_login(self) -> RedisLogin:
        """Return how the instance's client reaches Redis; raise RedisUrlError for a URL that it would misread."""
        client = redis_url.IOREDIS if self.is_on("redis_use_ioredis") else redis_url.NODE_REDIS
        url = self.value("redis_url")
        target = redis_url.parse(url or redis_url.build("127.0.0.1", redis_url.PORT, 0), client)
        own = self.value("redis_password")
        # node_redis lets the URL win over the variable, ioredis the other way round.
        first, second = (own, target.password) if client == redis_url.IOREDIS else (target.password, own)
        uses_tls = target.tls or self.is_on("redis_tls")
        tls = Tls(ca_path=self.value("extra_ca_certificates")) if uses_tls else None
        return RedisLogin(target, client, first or second, tls)

    def mysql_endpoint(self, kind: str) -> MysqlEndpoint | None:
        """Return the MySQL server that is the storage, or the source; None where there is none of MySQL.

        Raises SubjectError for a port that is none.
        """
        if self.value(f"{kind}_type") != "mysql":
            return None
        port = self.value(f"{kind}_port") or str(MYSQL_PORT)
        if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise SubjectError(f"the port of the {kind} is none: write 1 to 65535")
        return MysqlEndpoint(
            host=self.value(f"{kind}_host") or "localhost",
            port=int(port),
            user=self.value(f"{kind}_user") or "",
            password=self.value(f"{kind}_password") or "",
            database=self.value(f"{kind}_name"),
            # One switch for source and storage alike, and so is the source's socket, which the driver prefers.
            tls=self.is_on("database_ssl"),
            socket_path=self.value("database_socket"),
        )
