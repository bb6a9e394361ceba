# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift: the plan and what was seen side by side. What differs is told with where it stands; the plan is right.

Each planned instance has findings of its own: what is as planned is told too, as one finding a subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import (
    drift_firewall,
    drift_proxies,
    environment,
    memory,
    names,
    secrets,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.drift_firewall import FIREWALL
from ansible_collections.cubeops.cubejs.plugins.module_utils.drift_proxies import PROXY
from ansible_collections.cubeops.cubejs.plugins.module_utils.drift_settings import APPLY, Planned, differing
from ansible_collections.cubeops.cubejs.plugins.module_utils.environment import EnvironmentFileError
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    ERROR,
    FAIL,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Instance, Live, LiveInstance, Tenant
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Unit
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings import SettingError

INSTANCE, VERSION, SETTING = "drift-instance", "drift-version", "drift-setting"
UNIT, LISTENER, REDIS, STORAGE = "drift-unit", "drift-listener", "drift-redis", "drift-storage"
TITLES: Mapping[str, str] = {
    INSTANCE: "What runs is what is planned, on the planned hosts",
    VERSION: "Every instance has the planned version of Cube.js",
    SETTING: "Every instance has the planned settings, and no others",
    UNIT: "Every unit runs and is as planned",
    LISTENER: "Every instance listens where it is planned to",
    REDIS: "Redis takes as many connections as planned",
    STORAGE: "MySQL takes as many connections as planned, and has the planned schemas",
    PROXY: "Nginx passes each tenant's requests on to its planned instances, and nowhere else",
    FIREWALL: "The loaded firewall lets the planned clients in to each service, and nobody else",
}
LOOK = "Let the audit see it: run it with become: true, for all hosts"

Comparison = tuple[str, object, object]


@dataclass(frozen=True)
class Plan:
    """What is compared with: the plan's data, the values behind its references, and the key of fingerprints."""

    data: Mapping[str, Any]
    vault: secrets.Vault
    key: Optional[bytes] = None


def drift(fleet: Fleet, plan: Plan) -> Iterator[Finding]:
    """Yield what differs between a plan and what was seen of it, and what does not."""
    live = fleet.live or Live()
    yield from _instances(live)
    for each in live.instances:
        tenant = fleet.tenant(each.tenant)
        if each.planned is not None and tenant is not None:
            yield from _version(each, tenant)
            yield from _settings(each, each.planned, live, plan)
            yield from _unit(each, each.planned, live, plan, suspended=tenant.suspended)
            yield from _listener(each, each.planned)
    yield from _redis(fleet, live)
    yield from _storage(fleet, live)
    yield from drift_proxies.drifted(fleet, live)
    yield from drift_firewall.drifted(fleet, live, plan.data)


def _instances(live: Live) -> Iterator[Finding]:
    for absent in live.absent:
        yield Finding(
            INSTANCE, absent.unit, "it is planned, and is not there", APPLY, tenant=absent.tenant, host=absent.host
        )
    for resting in live.resting:
        message = "its tenant is suspended, and it does not run, as planned"
        yield Finding(INSTANCE, resting.unit, message, "", status=PASS, tenant=resting.tenant, host=resting.host)
    for each in live.instances:
        if each.planned is None:
            remedy = "Stop and remove it, or plan it in the inventory"
            yield _of(each, INSTANCE, FAIL, "it is there, and nobody planned it", remedy, severity=WARNING)
        else:
            yield _of(each, INSTANCE, PASS, "it is there, as planned")


def _version(each: LiveInstance, tenant: Tenant) -> Iterator[Finding]:
    if not each.version:
        yield _of(each, VERSION, UNKNOWN, "which version is installed could not be read", LOOK)
    elif each.version != tenant.version:
        message = f"the plan has {tenant.version}, and {each.version} is installed in {each.seen.packages.directory}"
        yield _of(each, VERSION, FAIL, message, APPLY)
    else:
        yield _of(each, VERSION, PASS, f"{each.version}, as planned")


def _settings(each: LiveInstance, planned: Instance, live: Live, plan: Plan) -> Iterator[Finding]:
    hidden = next((one for one in each.seen.unknown if one.what == "process.environ"), None)
    if hidden or not each.seen.running:
        reason = f"its variables could not be read: {hidden.reason}" if hidden else "it does not run"
        yield _of(each, SETTING, UNKNOWN, reason, hidden.remedy if hidden else "Start it", key="settings")
        return
    try:
        wanted = _wanted(each, planned, live, plan)
    except (secrets.SecretError, SettingError, EnvironmentFileError, LookupError) as exc:
        yield _of(each, SETTING, UNKNOWN, f"the plan does not say what its variables are: {exc}", "", key="settings")
        return
    found = list(differing(wanted, each.seen))
    for one in found:
        status, severity = (FAIL if one.known else UNKNOWN), (ERROR if one.planned else WARNING)
        yield _of(each, SETTING, status, one.message, one.remedy, key=one.name, severity=severity)
    if not found:
        yield _of(each, SETTING, PASS, f"{len(wanted.values)} variables, as planned", key="settings")


def _wanted(each: LiveInstance, planned: Instance, live: Live, plan: Plan) -> Planned:
    deployment, instance = _deployment(each, planned, live, plan)
    revealed = plan.vault.reveal({**deployment, "instances": []})
    values = environment.of_instance(revealed, instance)
    return Planned(values, frozenset(deployment.get("environment") or ()), plan.key)


def _deployment(each: LiveInstance, planned: Instance, live: Live, plan: Plan) -> tuple[Mapping[str, Any], Any]:
    """Return the deployment and the instance as its host has them, with the memory that the plan leaves open."""
    of_host = plan.data["hosts"][planned.host]
    deployments = of_host["cubejs"]["cubejs_deployments"]
    deployment = next(one for one in deployments if one["tenant"] == planned.tenant)
    share = memory.planned_share(live.observations[each.host].memory_bytes, "cubejs", of_host)
    sized = environment.with_memory(deployment, share) if share else deployment
    return sized, next(one for one in sized["instances"] if one["name"] == planned.name)


def _unit(each: LiveInstance, planned: Instance, live: Live, plan: Plan, *, suspended: bool) -> Iterator[Finding]:
    unit = each.seen.unit
    if unit is None:
        yield _of(each, UNIT, UNKNOWN, "its unit could not be read", LOOK)
        return
    _sized, instance = _deployment(each, planned, live, plan)
    ours = f"/etc/systemd/system/{planned.unit}.d/instance.conf"
    # Those of all services are the distribution's.
    strange = [path for path in unit.drop_ins if path != ours and "/service.d/" not in path]
    compared: tuple[Comparison, ...] = (
        ("state", "inactive" if suspended else "active", unit.state),
        ("enabled", "disabled" if suspended else "enabled", unit.enabled),
        ("restart", "always", unit.restart),
        ("restart_seconds", float(planned.restart_seconds), unit.restart_seconds),
        ("stop_seconds", float(planned.stop_seconds), unit.timeout_stop_seconds),
        ("memory_bytes", instance["memory_bytes"], unit.memory_max_bytes),
    )
    found = [f"{name}: the plan has {want}, the host {have}" for name, want, have in compared if want != have]
    found += [f"{path} is a drop-in that nobody planned" for path in strange]
    yield from _told(each, UNIT, found, _unit_remedy(unit, strange))


def _unit_remedy(unit: Unit, strange: list[str]) -> str:
    steps = [f"Remove {', '.join(strange)}"] if strange else []
    if unit.stale:
        steps.append("Let systemd read its files anew (systemctl daemon-reload)")
    return ". ".join([*steps, APPLY])


def _listener(each: LiveInstance, planned: Instance) -> Iterator[Finding]:
    wanted = planned.socket or str(planned.port or "")
    if not each.seen.running or not each.seen.listeners:
        message = "it listens nowhere that could be seen" if each.seen.running else "it does not run"
        yield _of(each, LISTENER, UNKNOWN, message, LOOK)
        return
    ends = [one.path or str(one.port) for one in each.seen.listeners]
    found = [] if wanted in ends else [f"the plan has {wanted}, and it listens on {', '.join(ends)}"]
    yield from _told(each, LISTENER, found, APPLY)


def _redis(fleet: Fleet, live: Live) -> Iterator[Finding]:
    for server in fleet.redis_servers:
        if _rest(fleet, server.tenants):
            continue
        if server.primary not in ("", server.host):
            continue  # clients, and so their looks, reach the primary only
        looks = [
            seen
            for name in server.tenants
            for seen in _looks(live, name, lambda each: live.observations[each.host].redis.get(each.seen.redis))
        ]
        counts = [seen.maxclients for seen in looks if seen.maxclients is not None]
        yield from _count(REDIS, names.redis_unit(server.name), server.tenant, server.host, server.maxclients, counts)


def _storage(fleet: Fleet, live: Live) -> Iterator[Finding]:
    for store in fleet.stores:
        counts = []
        if _rest(fleet, store.tenants):
            continue
        for name in store.tenants:
            tenant = fleet.tenant(name)
            looks = _looks(live, name, lambda each: live.observations[each.host].mysql.get(each.seen.storage))
            counts += [seen.variables.get("max_connections", "") for seen in looks]
            listed = [seen.schemas for seen in looks if seen.schemas is not None]
            schema = tenant.storage.schema if tenant and tenant.storage else ""
            if listed and schema:
                there = any(schema in schemas for schemas in listed)
                message = "it is there, as planned" if there else "it is planned, and is not there"
                yield Finding(
                    STORAGE,
                    schema,
                    message,
                    "" if there else APPLY,
                    status=PASS if there else FAIL,
                    tenant=name,
                    host=store.host,
                )
        numbers = [int(count) for count in counts if count.isdecimal() and len(count) < 10]
        yield from _count(STORAGE, "max_connections", "", store.host, store.max_connections, numbers)


def _rest(fleet: Fleet, tenants: Iterable[str]) -> bool:
    """Say whether all of a server's tenants are suspended: nobody is there then through whom it could be asked."""
    found = [fleet.tenant(name) for name in tenants]
    return bool(found) and all(tenant is not None and tenant.suspended for tenant in found)


def _looks(live: Live, tenant: str, look: Callable[[LiveInstance], Any]) -> list[Any]:
    return [seen for seen in map(look, live.instances_of(tenant)) if seen is not None]


def _count(rule: str, subject: str, tenant: str, host: str, wanted: int, counts: list[int]) -> Iterator[Finding]:
    """Yield whether a server takes as many connections as planned."""
    others = ", ".join(str(count) for count in sorted(set(counts) - {wanted}))
    if not counts:
        status, message, remedy = UNKNOWN, "how many connections it takes could not be asked", LOOK
    elif others:
        status, message, remedy = FAIL, f"the plan has {wanted} connections, and it takes {others}", APPLY
    else:
        status, message, remedy = PASS, f"{wanted} connections, as planned", ""
    yield Finding(rule, subject, message, remedy, status=status, tenant=tenant, host=host)


def _told(each: LiveInstance, rule: str, found: list[str], remedy: str) -> Iterator[Finding]:
    if found:
        yield _of(each, rule, FAIL, "; ".join(found), remedy)
    else:
        yield _of(each, rule, PASS, "as planned")


def _of(
    each: LiveInstance, rule: str, status: str, message: str, remedy: str = "", *, key: str = "", severity: str = ERROR
) -> Finding:
    subject = f"{each.name} {key}" if key else each.name
    return Finding(rule, subject, message, remedy, severity=severity, status=status, tenant=each.tenant, host=each.host)
