# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One live instance and the Redis that its own settings lead to: what is known of it, and what it asks of that Redis.

What is not known stays so: a link without a place is never taken for one that is fine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import pools, redis_pool, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import MASK
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import DOTENV, ENVIRONMENT_FILE, Value
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import RedisSeen, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import Subject
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import is_loopback

REDIS, MEMORY, CUBESTORE = "redis", "memory", "cubestore"
REMEDY = "Let the audit look into the process as root (become: true), with its questions to Redis on"
# Options of a project that decide in code what the environment otherwise does.
DRIVER_IN_CODE = "cacheAndQueueDriver"
CLIENT_IN_CODE = "createClient"
POOL_IN_CODE = "redisPoolOptions"
POOLS_IN_CODE = frozenset({"contextToAppId", "contextToOrchestratorId", "contextToDataSourceId"})

# Of a process that runs the environment decides, else the files; a .env adds to either.
_OF_PROCESS = ("process.environ", "settings", DOTENV)
_OF_FILES = (ENVIRONMENT_FILE, "unit.file", "settings", DOTENV)
# Addresses of servers and their clients: a fleet's come again and again.
CACHED = 4096
# Where the version is not known, what all versions do alike is.
_OLDEST, _NEWEST = "0.19.0", "0.35.81"


@dataclass(frozen=True)
class Settings:
    """What an instance goes by, as its version reads it. unread: why not all of it is known; None where it is."""

    subjects: tuple[Subject, ...]
    unread: Optional[Unknown] = None

    def value(self, name: str) -> str | None:
        """Return a setting's text as the version reads it among its synonyms; a mask for a secret."""
        return self.subjects[-1].value(name)

    def is_on(self, name: str) -> bool:
        """Return whether a switch is on."""
        return self.subjects[-1].is_on(name)

    @cached_property
    def driver(self) -> str:
        """Return where cache and queue are: redis, memory, cubestore, or what stands there instead; "" not known."""
        found = {_driver(each) for each in self.subjects}
        driver = found.pop() if len(found) == 1 else ""
        # What is not there may stand where nobody could look; what is there is known.
        return driver if driver == REDIS or self.unread is None else ""


def _driver(subject: Subject) -> str:
    given = subject.value("cache_and_queue_driver")
    if given:
        return given
    if subject.uses_redis:
        return REDIS
    production = subject.environment.get("NODE_ENV") == "production"
    return CUBESTORE if production and versions.within(subject.version, ">=0.32") else MEMORY


def settings_of(instance: LiveInstance) -> Settings:
    """Return what an instance goes by."""
    seen = instance.seen
    environment = {name: _text(each.value) for name, each in seen.settings.items()}
    try:
        versions.parse(instance.version)
        known: tuple[str, ...] = (instance.version,)
    except versions.VersionError:
        known = (_OLDEST, _NEWEST)
    names = _OF_PROCESS if seen.running else _OF_FILES
    unread = next((each for each in seen.unknown if each.what in names), None)
    if unread is None and not environment:
        unread = Unknown("settings", "none of its settings could be read")
    return Settings(tuple(Subject(version, environment) for version in known), unread)


def _text(value: Value) -> str:
    return value.value if value.value is not None else MASK if value.given else ""


@dataclass(frozen=True)
class Link:
    """One live instance and the Redis that its own settings lead to. seen: None where nobody looked there."""

    instance: LiveInstance
    settings: Settings
    driver: str
    seen: Optional[RedisSeen] = None
    own_addresses: frozenset[str] = frozenset()

    @cached_property
    def label(self) -> str:
        """Return the instance's name with its host, for evidence."""
        return f"{self.instance.host}/{self.instance.name}"

    @cached_property
    def mentions(self) -> frozenset[str]:
        """Return the options that the project sets in code."""
        project = self.instance.seen.project
        return frozenset(project.mentions) if project else frozenset()

    @cached_property
    def reached(self) -> bool:
        """Return whether the server is known that this instance uses."""
        return bool(self.seen and self.seen.reachable and self.seen.run_id) and self.driver == REDIS

    @cached_property
    def place(self) -> tuple[str, int]:
        """Return the database: the server's run_id and the index; ("", 0) where it is not known."""
        return (self.seen.run_id, self.seen.index) if self.seen and self.reached else ("", 0)

    @property
    def why(self) -> str:
        """Return why it is not known which Redis the instance uses."""
        unread = self.settings.unread
        if not self.driver:
            if DRIVER_IN_CODE in self.mentions:
                return "its project chooses where cache and queue are, in code"
            return unread.reason if unread else "its version, which decides where cache and queue are, is not known"
        if self.seen is None:
            live = next((each.reason for each in self.instance.seen.unknown if each.what == "live"), "")
            if CLIENT_IN_CODE in self.mentions:
                return "its project makes its own client of Redis, in code"
            return live or (unread.reason if unread else "its Redis was not asked")
        return f"its Redis was not reached: {self.seen.problem or 'it did not say why'}"

    @cached_property
    def remote(self) -> bool | None:
        """Return whether its Redis is on another host; None where that is not known."""
        addresses = self.server_addresses
        return any(not self._is_here(each) for each in addresses) if addresses else None

    @cached_property
    def server_addresses(self) -> tuple[str, ...]:
        """Return the server's addresses as far as they are seen: by the URL, or by what is connected."""
        if self.seen is None:
            return ()
        if is_address(self.seen.host):
            return (self.seen.host,)
        if self.seen.host == "localhost":
            return ("127.0.0.1",)
        return tuple(address for address, port in map(_endpoint, self._connections) if port == self.seen.port)

    def _is_here(self, address: str) -> bool:
        return is_loopback(address) or address in self.own_addresses

    @cached_property
    def open_connections(self) -> int | None:
        """Return how many connections the process has open to its Redis; None where that is not known."""
        if self.seen is None or not self._sees_connections:
            return None
        return sum(count for name, count in self._connections.items() if _endpoint(name)[1] == self.seen.port)

    @property
    def _connections(self) -> Mapping[str, int]:
        return self.instance.seen.connections

    @property
    def _sees_connections(self) -> bool:
        blind = any(each.what == "listeners" for each in self.instance.seen.unknown)
        return self.instance.seen.process is not None and not blind

    @cached_property
    def pool(self) -> redis_pool.Pool | None:
        """Return its pool's size; None where the version is not known, or the project sets it in code."""
        if len(self.settings.subjects) > 1 or POOL_IN_CODE in self.mentions:
            return None
        least, most = self.settings.value("redis_pool_min"), self.settings.value("redis_pool_max")
        if self.settings.unread and None in (least, most):
            return None
        return redis_pool.read(self.instance.version, least, most)


@dataclass(frozen=True)
class Demand:
    """What one process asks of its Redis; None is not known.

    orchestrators: each has a pool. declared, observed: queries in flight in each, by the plan and by open connections.
    """

    orchestrators: Optional[int]
    declared: Optional[int]
    observed: Optional[int]

    @cached_property
    def in_flight(self) -> int | None:
        """Return the queries in flight that a pool must serve: the larger number."""
        return max((each for each in (self.declared, self.observed) if each is not None), default=None)

    @cached_property
    def need(self) -> int | None:
        """Return the connections that one pool needs."""
        return None if self.in_flight is None else pools.redis_pool(self.in_flight)

    @property
    def told(self) -> str:
        """Return where the need comes from, in words."""
        if self.declared is not None and self.declared == self.in_flight:
            return f"{self.declared} queries in flight, as declared"
        return f"{self.observed} queries in flight, by its open connections"


def demand(link: Link, fleet: Fleet) -> Demand:
    """Return what a process asks of its Redis, by the plan where there is one."""
    planned = fleet.tenant(link.instance.tenant)
    count: Optional[int] = 1
    if planned is not None:
        count = planned.orchestrators
    elif POOLS_IN_CODE & link.mentions:
        # Each orchestrator has a pool and a prefix of its own.
        seen = link.seen
        count = max(1, len(seen.prefixes)) if seen and seen.prefixes is not None and seen.scanned_whole else None
    opened = link.open_connections
    observed = None if opened is None or count is None else pools.in_flight(-(-opened // max(1, count)))
    return Demand(count, planned.max_in_flight if planned else None, observed)


@lru_cache(maxsize=CACHED)
def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_address(text: str) -> bool:
    """Return whether a text is an IP address."""
    return _parsed(text) is not None


def _endpoint(text: str) -> tuple[str, int]:
    address, _colon, port = text.rpartition(":")
    return address.strip("[]"), int(port) if port.isdecimal() else 0
