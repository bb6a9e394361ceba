# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A tenant's definition, already checked against its specification, turned into the fleet's Tenant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory as inventories
from ansible_collections.cubeops.cubejs.plugins.module_utils import names, pools, redis_url, secrets, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Problem
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import (
    DatabaseLink,
    RedisLink,
    Secret,
    StorageLink,
    Tenant,
)

# Where Cube puts pre-aggregations in releases that do not read CUBEJS_PRE_AGGREGATIONS_SCHEMA.
OLD_SCHEMA = "stb_pre_aggregations"
READS_SCHEMA = ">=0.25.4"
MYSQL_PORT = 3306
LOOPBACKS = ("127.0.0.1", "localhost", "::1")
SHARED_REDIS = "cubejs_shared_redis"
NOTHING: Mapping[str, Any] = {}
# node_redis obeys the URL, ioredis the variable.
GIVEN_TWICE = Problem("it carries a password and redis.password is set too", "Give it in redis.password only")


@dataclass(frozen=True)
class Reader:
    """Reads definitions against one inventory. key is that of the fingerprints."""

    inventory: inventories.Inventory
    vault: secrets.Vault
    key: bytes

    def tenant(self, definition: Mapping[str, Any], subject: str) -> Tenant:
        """Return the tenant; what a broken definition does not say is empty."""
        hosts = self._hosts(definition)
        api_hosts = tuple(host for host in self.inventory.members(inventories.API) if host in hosts)
        worker_host = self._worker_host(definition, hosts)
        wanted = self._versions(definition, (*api_hosts, worker_host))
        redis = self._redis(definition, hosts)
        storage = self._storage(definition, hosts, wanted)
        return Tenant(
            name=str(definition.get("name") or ""),
            subject=subject,
            number=definition.get("number"),
            versions=wanted,
            version_subject=f"{subject}.version" if definition.get("version") is not None else "cubejs_version",
            server_name=str(definition.get("server_name") or ""),
            hosts=tuple(definition.get("hosts") or ()),
            api_hosts=api_hosts,
            worker_host=worker_host,
            proxy_hosts=self._near(inventories.NGINX, hosts),
            api_instances=int(definition.get("api_instances", 1)),
            refresh_worker=bool(definition.get("refresh_worker", True)),
            max_in_flight=int(definition.get("max_in_flight", 10)),
            orchestrators=int(definition.get("orchestrators", 1)),
            cache_and_queue_driver=str(definition.get("cache_and_queue_driver", "redis")),
            listen=str(definition.get("listen") or ""),
            redis=redis,
            storage=storage,
            database=_database(definition.get("database") or NOTHING),
            secrets=tuple(self._secrets(definition, subject, redis, storage)),
            environment=tuple(_environment(definition)),
            missing=tuple(_missing(definition, redis, storage)),
            suspended=bool(definition.get("suspended", False)),
            wave=int(definition.get("wave", 1)),
        )

    def _hosts(self, definition: Mapping[str, Any]) -> frozenset[str]:
        bound = definition.get("hosts") or ()
        return frozenset(self.inventory.expand(bound) if bound else self.inventory.hosts())

    def _worker_host(self, definition: Mapping[str, Any], hosts: frozenset[str]) -> str:
        if not definition.get("refresh_worker", True):
            return ""
        candidates = [host for host in self.inventory.members(inventories.REFRESH_WORKER) if host in hosts]
        return inventories.choose(candidates, str(definition.get("name")))

    def _versions(self, definition: Mapping[str, Any], hosts: Sequence[str]) -> tuple[str, ...]:
        own = definition.get("version")
        if own is not None:
            return (_version_text(own),)
        asked = [self.inventory.variable(host, "cubejs_version", versions.DEFAULT) for host in hosts if host]
        return tuple(dict.fromkeys(map(_version_text, asked))) or (versions.DEFAULT,)

    def _server(self, group: str, stated: str | None, hosts: frozenset[str], name: str) -> str:
        """Return the host of a group whose server is the tenant's; "" where it is an external one or none."""
        members = self.inventory.members(group)
        if stated is not None:
            return stated if stated in members else ""
        return inventories.choose(self._near(group, hosts), name)

    def _near(self, group: str, hosts: frozenset[str]) -> tuple[str, ...]:
        """Return those of a group's hosts to which the tenant is bound; all of them where it is bound to none."""
        members = self.inventory.members(group)
        return tuple(host for host in members if host in hosts) or members

    def _redis(self, definition: Mapping[str, Any], hosts: frozenset[str]) -> RedisLink | None:
        if definition.get("cache_and_queue_driver") == "memory":
            return None
        given: Mapping[str, Any] = definition.get("redis") or NOTHING
        in_flight = int(definition.get("max_in_flight", 10))
        pool_max = given.get("pool_max")
        link = RedisLink(
            server="",
            host=str(given.get("host") or ""),
            port=int(given.get("port", redis_url.PORT)),
            index=_index(definition, given),
            tls=bool(given.get("tls", False)),
            client=str(given.get("client", redis_url.NODE_REDIS)),
            pool_min=int(given.get("pool_min", 2)),
            pool_max=pools.redis_pool(in_flight) if pool_max is None else pool_max,
            maxclients=given.get("maxclients"),
            shared=bool(given.get("shared", False)),
        )
        if given.get("url") is not None:
            return replace(_by_url(link, given), sentinel=bool(given.get("sentinel")))
        server = self._server(inventories.REDIS, given.get("host"), hosts, str(definition.get("name")))
        if given.get("sentinel"):
            link = self._watched(link, server, hosts)
        if not server:
            return link
        if link.shared:
            settings = shared_redis(self.inventory, server)
            return replace(
                link, server=server, host="", port=names.shared_redis_port(), tls=bool(settings.get("tls", False))
            )
        return replace(link, server=server, host="", port=names.redis_port(definition.get("number") or 0))

    def _watched(self, link: RedisLink, server: str, hosts: frozenset[str]) -> RedisLink:
        """Return a link by Sentinel: an instance on each host of Redis that is the tenant's, and ioredis as client."""
        others = self._near(inventories.REDIS, hosts) if server else ()
        return replace(
            link,
            sentinel=True,
            client=redis_url.IOREDIS,
            replicas=tuple(host for host in others if host != server),
            sentinels=self.inventory.members(inventories.SENTINELS),
        )

    def _storage(
        self, definition: Mapping[str, Any], hosts: frozenset[str], wanted: tuple[str, ...]
    ) -> StorageLink | None:
        given: Mapping[str, Any] = definition.get("pre_aggregations") or NOTHING
        if not given.get("enabled", True):
            return None
        name = str(definition.get("name"))
        server = self._server(inventories.MYSQL, given.get("host"), hosts, name)
        reads = any(versions.problem(version) or versions.within(version, READS_SCHEMA) for version in wanted)
        own_port = int(self.inventory.variable(server, "mysql_port", MYSQL_PORT))
        return StorageLink(
            server=server,
            host="" if server else str(given.get("host") or ""),
            port=own_port if server else int(given.get("port", MYSQL_PORT)),
            schema=str(given.get("schema") or (names.mysql_schema(name) if reads else OLD_SCHEMA)),
            user=str(given.get("user") or (names.mysql_user(name) if server else "")),
            tls=bool(given.get("tls", False)),
            max_age_seconds=given.get("max_age_seconds"),
            max_connections=given.get("max_connections"),
        )

    def _secrets(
        self, definition: Mapping[str, Any], subject: str, redis: RedisLink | None, storage: StorageLink | None
    ) -> Iterator[Secret]:
        ours = {secrets.FOR_API: True}
        if redis is not None:
            ours[secrets.FOR_REDIS] = bool(redis.server)
            ours[secrets.FOR_REDIS_URL] = False
        if storage is not None:
            ours[secrets.FOR_STORAGE] = bool(storage.server)
        ours[secrets.FOR_DATABASE] = False
        ours.update((f"{secrets.FOR_ENVIRONMENT}{name}", False) for name in _environment(definition))
        if redis is not None and redis.shared and redis.server:
            del ours[secrets.FOR_REDIS]
            yield self._shared_secret(redis.server)
        found = (self._secret(definition, subject, purpose, mine) for purpose, mine in ours.items())
        yield from (secret for secret in found if secret is not None)

    def _shared_secret(self, server: str) -> Secret:
        """Return the password of the Redis that tenants share: nobody's own, so always derived."""
        rotation = shared_redis(self.inventory, server).get("rotation")
        definition = secrets.of_shared_redis(rotation if isinstance(rotation, int) else 0)
        found = self._secret(definition, SHARED_REDIS, secrets.FOR_REDIS, True)
        return cast(Secret, found)

    def _secret(self, definition: Mapping[str, Any], subject: str, purpose: str, ours: bool) -> Secret | None:
        stated = secrets.given(definition, purpose)
        if stated is None and not ours:
            return None
        reference = secrets.reference(definition, purpose)
        try:
            value = stated if stated is not None else self.vault.value(reference)
        except secrets.SecretError:
            value = ""
        return Secret(
            purpose=purpose,
            reference=reference,
            subject=f"{subject}.{secrets.path(purpose)}",
            given=stated is not None,
            ours=ours,
            fingerprint=secrets.fingerprint(self.key, value) if value else "",
            problems=secrets.problems_of(purpose, stated) if stated is not None else (),
            carried=stated is None or secrets.is_carried(stated),
        )


def shared_redis(inventory: inventories.Inventory, server: str) -> Mapping[str, Any]:
    """Return what a host's variables say of the Redis that tenants share there."""
    given = inventory.variable(server, SHARED_REDIS)
    return given if isinstance(given, Mapping) else NOTHING


def _index(definition: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    """Return the database index: on a shared instance by the tenant's number, so that nobody has another's."""
    index = given.get("index")
    if index is None:
        return int(definition.get("number") or 0) if given.get("shared") else 0
    return int(index)


def _environment(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    found = definition.get("environment")
    return found if isinstance(found, Mapping) else NOTHING


def _version_text(value: object) -> str:
    return value if isinstance(value, str) else f"{value} (a {type(value).__name__})"


def _by_url(link: RedisLink, given: Mapping[str, Any]) -> RedisLink:
    try:
        target = redis_url.parse(str(given["url"]), link.client)
    except redis_url.RedisUrlError as exc:
        return replace(link, by_url=True, problems=(exc.problem,))
    twice = target.password is not None and given.get("password") is not None
    return replace(
        link,
        host=target.host,
        port=target.port,
        index=target.index,
        tls=link.tls or target.tls,
        by_url=True,
        problems=(GIVEN_TWICE,) if twice else (),
    )


def _database(given: Mapping[str, Any]) -> DatabaseLink:
    return DatabaseLink(
        type=str(given.get("type") or ""),
        host=str(given.get("host") or ""),
        port=given.get("port"),
        name=str(given.get("name") or ""),
        user=str(given.get("user") or ""),
        tls=bool(given.get("ssl", False)),
        pool_max=int(given.get("pool_max", pools.MYSQL_POOL)),
    )


def on_source_server(tenant: Tenant, address: str) -> bool:
    """Say whether a tenant's storage and its MySQL source are one server, as far as addresses tell.

    address: where other hosts reach the storage's host, if the storage is ours.
    """
    link, database = tenant.storage, tenant.database
    if link is None or database.type != "mysql" or (database.port or MYSQL_PORT) != link.port:
        return False
    if not link.server:
        return database.host.lower() == link.host.lower()
    if database.host in (link.server, address):
        return True
    return database.host in LOOPBACKS and link.server in (*tenant.api_hosts, tenant.worker_host)


def _missing(definition: Mapping[str, Any], redis: RedisLink | None, storage: StorageLink | None) -> list[str]:
    found = []
    if redis is not None and not (redis.server or redis.host or redis.problems):
        found.append("redis.host")
    if storage is not None and not storage.server:
        external: Mapping[str, Any] = definition.get("pre_aggregations") or NOTHING
        needed = ("host", "user", "password") if storage.host else ("host",)
        found += [f"pre_aggregations.{key}" for key in needed if external.get(key) is None]
    database: Mapping[str, Any] = definition.get("database") or NOTHING
    if database.get("type") in versions.DATABASES_WITH_HOST:
        found += [f"database.{key}" for key in ("host", "name", "user") if database.get(key) is None]
    return found
