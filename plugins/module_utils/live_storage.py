# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The MySQL servers that hold pre-aggregations, as the instances' own settings reach them from their hosts.

A server is known by its identity, under whatever name or address it is reached; findings call it by where it is, since
an identity is another one in every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import MysqlSeen, Tables, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql_look import default_schema
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import whereabouts

MYSQL = "mysql"
# An option of the project that names the schema in code, which is not read.
NAMES_SCHEMA = "preAggregationsSchema"


@dataclass(frozen=True)
class Use:
    """One instance and its storage.

    wanted: whether its settings ask for one in MySQL. seen: the look at it, None where nobody looked. server: how the
    server is called, "" without a look. schema: None where it cannot be known. source, source_server: of its database.
    """

    instance: LiveInstance
    wanted: bool
    seen: Optional[MysqlSeen] = None
    server: str = ""
    schema: Optional[str] = None
    source: Optional[MysqlSeen] = None
    source_server: str = ""

    @property
    def identity(self) -> str:
        """Return what tells the storage's server from others; "" where it is not known."""
        return self.seen.identity if self.seen else ""

    @property
    def source_identity(self) -> str:
        """Return what tells the source's server from others; "" where it is not known."""
        return self.source.identity if self.source else ""

    @property
    def tables(self) -> Tables | None:
        """Return what the schema holds; None where that was not seen."""
        return self.seen.tables.get(self.schema) if self.seen and self.schema else None


@dataclass(frozen=True)
class Server:
    """One MySQL server with pre-aggregations.

    name: where it is. host: the fleet's host on which it runs, "" for another. looks: one for each host and login.
    uses: of the instances that keep their pre-aggregations there. sources: of those whose source database is there.
    """

    name: str
    host: str
    looks: tuple[MysqlSeen, ...]
    uses: tuple[Use, ...]
    sources: tuple[Use, ...]

    @property
    def best(self) -> MysqlSeen:
        """Return the look that saw most."""
        return max(self.looks, key=lambda seen: (bool(seen.reachable), len(seen.variables), len(seen.status)))

    @property
    def tenant(self) -> str:
        """Return whose pre-aggregations it holds; "" where it is several tenants'."""
        tenants = {use.instance.tenant for use in self.uses}
        return tenants.pop() if len(tenants) == 1 else ""

    def number(self, name: str) -> int | None:
        """Return a variable or status of the server as a number; None where it is not known or none."""
        text = {**self.best.variables, **self.best.status}.get(name, "")
        try:
            return int(float(text))
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Schema:
    """One tenant's schema on one server, and the instances that use it."""

    tenant: str
    server: Server
    name: str
    uses: tuple[Use, ...]

    @property
    def tables(self) -> Tables | None:
        """Return what it holds; None where nobody saw that."""
        return next((use.tables for use in self.uses if use.tables is not None), None)


@dataclass(frozen=True)
class LiveStorage:
    """The storages of a fleet. uses: tenant -> of all its instances; servers: those with pre-aggregations."""

    uses: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)
    servers: tuple[Server, ...] = ()
    schemas: tuple[Schema, ...] = ()


def storage_of(fleet: Fleet, live: Live) -> LiveStorage:
    """Return the storages that were seen."""
    return live.once(_all_storages, fleet)


def why(seen: MysqlSeen | None, what: str) -> Unknown:
    """Return why something of a server is not known."""
    if seen is None:
        return Unknown(what, "the server was not looked at", "Look with the probe mysql")
    for note in seen.unknown:
        if note.what in (what, "everything"):
            return note
    if not seen.reachable:
        return Unknown(what, f"the server was not reached: {seen.problem or 'nobody tried'}")
    return Unknown(what, "the server did not tell")


def why_not_seen(use: Use) -> Unknown:
    """Return why an instance's storage was not looked at."""
    notes = (note for note in use.instance.seen.unknown if note.what in ("storage", "live"))
    return next(notes, None) or why(use.seen, "everything")


def schema_of(instance: LiveInstance) -> str | None:
    """Return the schema of an instance's pre-aggregations; None where its project or an unknown version decides."""
    project = instance.seen.project
    if project is not None and NAMES_SCHEMA in project.mentions:
        return None
    named = instance.seen.value("CUBEJS_PRE_AGGREGATIONS_SCHEMA")
    try:
        default = default_schema(instance.version, instance.seen.value("NODE_ENV"))
        return named if named and versions.within(instance.version, ">=0.25.4") else default
    except versions.VersionError:
        return None


def is_local(fleet: Fleet, live: Live, instance: LiveInstance, address: str) -> bool:
    """Say whether an address leads to the very host of an instance."""
    return whereabouts(fleet, live).host_at(instance.host, address) == instance.host


def _all_storages(live: Live, fleet: Fleet) -> LiveStorage:
    return _Storages(fleet, live).all()


class _Storages:
    def __init__(self, fleet: Fleet, live: Live) -> None:
        self._live = live
        self._where = whereabouts(fleet, live)
        # One server behind two names is one: places of an identity are called by the first of them.
        self._names: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        self._looks: dict[str, dict[int, MysqlSeen]] = {}
        looks = [(host, seen) for host, found in live.observations.items() for seen in found.mysql.values()]
        places: dict[str, list[str]] = {}
        for host, seen in looks:
            place = self._place(host, seen)
            self._names[place] = place
            if seen.identity:
                places.setdefault(seen.identity, []).append(place)
        for found in places.values():
            name = min(found, key=lambda place: (not self._hosts[place], place))
            self._names.update(dict.fromkeys(found, name))
        for host, seen in looks:
            self._looks.setdefault(self._name(host, seen), {})[id(seen)] = seen

    def _place(self, host: str, seen: MysqlSeen) -> str:
        at = host if seen.socket else self._where.host_at(host, seen.host)
        place = f"{at or seen.host}:{seen.socket or seen.port}"
        self._hosts[place] = at
        return place

    def _name(self, host: str, seen: MysqlSeen | None) -> str:
        return self._names[self._place(host, seen)] if seen else ""

    def all(self) -> LiveStorage:
        """Return the storages of all tenants."""
        uses: dict[str, list[Use]] = {}
        of_server: dict[str, list[Use]] = {}
        sources: dict[str, list[Use]] = {}
        of_schema: dict[tuple[str, str, str], list[Use]] = {}
        for instance in self._live.instances:
            use = self._use(instance)
            uses.setdefault(instance.tenant, []).append(use)
            if use.server:
                of_server.setdefault(use.server, []).append(use)
                if use.schema:
                    of_schema.setdefault((instance.tenant, use.server, use.schema), []).append(use)
            if use.source_server:
                sources.setdefault(use.source_server, []).append(use)
        servers = {name: self._server(name, found, sources.get(name, ())) for name, found in of_server.items()}
        schemas = tuple(
            Schema(tenant, servers[server], name, tuple(found)) for (tenant, server, name), found in of_schema.items()
        )
        return LiveStorage({name: tuple(found) for name, found in uses.items()}, tuple(servers.values()), schemas)

    def _use(self, instance: LiveInstance) -> Use:
        seen = self._live.observations.get(instance.host)
        found: Mapping[str, MysqlSeen] = seen.mysql if seen else {}
        storage, source = found.get(instance.seen.storage), found.get(instance.seen.source)
        wanted = storage is not None or instance.seen.value("CUBEJS_EXT_DB_TYPE") == MYSQL
        return Use(
            instance=instance,
            wanted=wanted,
            seen=storage,
            server=self._name(instance.host, storage),
            schema=schema_of(instance) if wanted else None,
            source=source,
            source_server=self._name(instance.host, source),
        )

    def _server(self, name: str, uses: Iterable[Use], sources: Iterable[Use]) -> Server:
        looks = tuple(self._looks[name].values())
        return Server(name, self._hosts[name], looks, tuple(uses), tuple(sources))


def wanting(storage: LiveStorage) -> Iterator[tuple[str, tuple[Use, ...]]]:
    """Yield each tenant with those of its instances that want a storage in MySQL."""
    for tenant, uses in storage.uses.items():
        yield tenant, tuple(use for use in uses if use.wanted)
