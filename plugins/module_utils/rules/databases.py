# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on source and storage: all processes of a tenant use the same ones, with the same login.

An address is another on every host, so that servers are told by who they are where that could be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import MASK, PASS, UNKNOWN, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Value
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.agreement import MAX_EVIDENCE, for_each_tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

SOURCE, STORAGE = "CUBEJS_DB_", "CUBEJS_EXT_DB_"
SHARED = (SOURCE, STORAGE, "CUBEJS_DS_")
# Sizes and waits of a process's own, and what says where a server is, which another rule compares.
OWN = frozenset(
    {"CUBEJS_DB_MAX_POOL", "CUBEJS_DB_QUERY_TIMEOUT", "CUBEJS_DB_POLL_TIMEOUT", "CUBEJS_DB_POLL_MAX_INTERVAL"}
    | {f"{prefix}{name}" for prefix in (SOURCE, STORAGE) for name in ("HOST", "PORT", "SOCKET_PATH")}
)
LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "::1"})
MYSQL, MYSQL_PORT = "mysql", "3306"


class DatabaseSettingsAgree(Rule):
    """With different databases or logins, a worker fills one storage and an API looks into another, by turns.

    They share the list of tables in Redis, so that names of one are asked for in the other.
    """

    id = "database-settings-agree"
    title = "All processes of a tenant have the same settings of source and storage"
    sentences = ("external-storage",)
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51"
    remedy = "Give all processes of the tenant the same variables CUBEJS_DB_* and CUBEJS_EXT_DB_*"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        return for_each_tenant(self, fleet, live, self._judged)

    def _judged(self, name: str, present: Sequence[LiveInstance]) -> Finding:
        hidden = [(each, known.environment_gap(each.seen, known.ANY)) for each in present]
        blind = {each.name: why for each, why in hidden if why}
        seen = [each for each in present if each.name not in blind]
        names = sorted({variable for each in seen for variable in each.seen.settings if _is_shared(variable)})
        differing = [each for each in names if len({_comparable(one, each) for one in seen}) > 1]
        if differing:
            told = [f"{each}: {_shown(each, seen)}" for each in differing]
            message = f"its processes differ in {', '.join(differing)}"
            return self.found(name, message, tenant=name, evidence=told[:MAX_EVIDENCE])
        if blind:
            told = [f"{each}: {why.reason}" for each, why in blind.items()]
            message = f"the variables of {len(blind)} of its {len(present)} processes are not known"
            return self.found(name, message, known.BECOME, tenant=name, status=UNKNOWN, evidence=told[:MAX_EVIDENCE])
        return self.found(name, f"{len(names)} variables are the same in all {len(present)} processes", tenant=name,
                          status=PASS)  # fmt: skip


def _is_shared(name: str) -> bool:
    return name.startswith(SHARED) and name not in OWN


def _value(instance: LiveInstance, name: str) -> Optional[Value]:
    setting = instance.seen.settings.get(name)
    return setting.value if setting else None


def _comparable(instance: LiveInstance, name: str) -> Optional[str]:
    value = _value(instance, name)
    return None if value is None else value.fingerprint if value.value is None else f"={value.value}"


def _shown(name: str, instances: Sequence[LiveInstance]) -> str:
    """Return who has which value; of a secret, who has it otherwise than the others."""
    groups: dict[Optional[str], list[LiveInstance]] = {}
    for instance in instances:
        groups.setdefault(_comparable(instance, name), []).append(instance)
    told = []
    for members in groups.values():
        value = _value(members[0], name)
        text = "not set" if value is None else MASK if value.value is None else repr(value.value[:100])
        told.append(f"{text} in {', '.join(f'{each.name} on {each.host}' for each in members[:3])}")
    return "; ".join(told)


@dataclass(frozen=True)
class _Place:
    """Where a process finds a server: who that is ("" where nobody saw it), its address as told, and as compared."""

    identity: str
    told: str
    address: tuple[str, str]


class _Servers:
    """Compares the servers of one kind. prefix: of the variables that name them."""

    def __init__(self, rule: Rule, live: Live, prefix: str) -> None:
        self._rule = rule
        self._live = live
        self._prefix = prefix
        self._owners = {address: host for host, seen in live.observations.items() for address in seen.addresses}

    def judged(self, name: str, present: Sequence[LiveInstance]) -> Finding:
        """Return what is said of a tenant's running processes."""
        found = [(each, place) for each, place in ((each, self._place(each)) for each in present) if place]
        told = [f"{each.name} on {each.host}: {place.told}" for each, place in found][:MAX_EVIDENCE]
        identities = {place.identity for _each, place in found}
        one_address = len({place.address for _each, place in found}) < 2
        told_apart = "" not in identities
        # Only of MySQL it could have been seen that several addresses are one server.
        may_be_one = all(each.seen.value(f"{self._prefix}TYPE") == MYSQL for each, _place in found)
        what = "source" if self._prefix == SOURCE else "storage"
        if len(identities - {""}) > 1 or not (one_address or told_apart or may_be_one):
            message = f"its {len(present)} processes use different servers as {what}"
            return self._rule.found(name, message, tenant=name, evidence=told)
        if len(found) < len(present):
            message = f"the {what} of {len(present) - len(found)} of its {len(present)} processes is not known"
            return self._rule.found(name, message, known.BECOME, tenant=name, status=UNKNOWN, evidence=told)
        if not (one_address or told_apart):
            message = f"its processes have several addresses of the {what}, and whether that is one server is not known"
            remedy = "Let all hosts reach it when they are observed (probe mysql), or write one address"
            return self._rule.found(name, message, remedy, tenant=name, status=UNKNOWN, evidence=told)
        message = f"all {len(present)} processes use the same {what}"
        return self._rule.found(name, message, tenant=name, status=PASS, evidence=told[:1])

    def _place(self, instance: LiveInstance) -> Optional[_Place]:
        seen = instance.seen
        names = [f"{self._prefix}{name}" for name in ("TYPE", "HOST", "PORT")]
        socket = seen.value(f"{SOURCE}SOCKET_PATH") or ""
        kind, host, port = (seen.value(name) or "" for name in names)
        if known.environment_gap(seen, *names):
            return None
        if not kind and not host:
            return _Place("none", "none is set", ("", ""))
        port = socket or port or (MYSQL_PORT if kind == MYSQL else "")
        where = f"host {instance.host}" if socket or host in LOOPBACK else host
        where = f"host {self._owners[host]}" if host in self._owners and not socket else where
        observed = self._live.observations.get(instance.host)
        server = observed.mysql.get(seen.source if self._prefix == SOURCE else seen.storage) if observed else None
        identity = server.identity if server else ""
        return _Place(identity, socket or f"{host or 'localhost'}:{port or 'its default port'}", (where, port))


class StorageServerAgrees(Rule):
    """A worker that fills one server, and an API that looks into another, share the list of tables in Redis only.

    Queries then end with "Table doesn't exist", by turns.
    """

    id = "storage-server-agrees"
    title = "All processes of a tenant use the same pre-aggregation storage"
    sentences = ("external-storage",)
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51"
    remedy = f"Give all processes the same {STORAGE}HOST and {STORAGE}PORT"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        return for_each_tenant(self, fleet, live, _Servers(self, live, STORAGE).judged)


class SourceServerAgrees(Rule):
    """Whatever process takes a query from the queue runs it on its own source, and the others take its result."""

    id = "source-server-agrees"
    title = "All processes of a tenant use the same source database"
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51"
    remedy = f"Give all processes the same {SOURCE}HOST and {SOURCE}PORT"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        return for_each_tenant(self, fleet, live, _Servers(self, live, SOURCE).judged)
