# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fleet from observations: each process joined to the one that was planned, or to a deployment that was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ansible_collections.cubeops.cubejs.plugins.module_utils import attributing, refresh_flags, telling_names
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import (
    API,
    REFRESH_WORKER,
    Fleet,
    Instance,
    Live,
    LiveInstance,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Instance as Seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import Whereabouts, whereabouts

_HTTP_PORT = "80"


def link(plan: Fleet, observations: Mapping[str, Observation], missing: Mapping[str, str]) -> Fleet:
    """Return the fleet with what was seen of it.

    observations: host -> what was read there. missing: host -> why it was not looked at. A process is the planned one
    where host and unit are; any other belongs to the deployment with which it shares source and another trait, planned
    or not. A machine with two names in the inventory counts once, under the name that has the most planned instances.
    """
    machines = _machines(plan, observations)
    kept = _merged(observations, machines)
    where = whereabouts(plan, Live(observations=kept, missing=missing))
    planned = {(machines.get(each.host, each.host), each.unit): each for each in plan.instances}
    found = [
        # Of several processes in one unit the first is the one that was planned.
        _Seen(host, each, planned.pop((host, each.unit.name if each.unit else each.name), None))
        for host, observation in kept.items()
        for each in observation.instances
    ]
    suspended = frozenset(tenant.name for tenant in plan.tenants if tenant.suspended)
    seen = [each for each in found if not each.rests(suspended)]
    tenants = _tenants(plan, seen, kept, where)
    led_to = frozenset(_led_to(kept, where))
    instances = tuple(
        LiveInstance(tenant, _kind(each, led_to), each.host, each.instance, each.planned)
        for each, tenant in zip(seen, tenants)
    )
    there = {(each.planned.host, each.planned.unit) for each in instances if each.planned}
    gone = [
        each
        for each in plan.instances
        if machines.get(each.host, each.host) in kept and (each.host, each.unit) not in there
    ]
    ages = ((tenant.name, tenant.storage.max_age_seconds) for tenant in plan.tenants if tenant.storage)
    live = Live(
        observations=kept,
        missing=dict(missing),
        instances=instances,
        absent=tuple(each for each in gone if each.tenant not in suspended),
        resting=tuple(each for each in gone if each.tenant in suspended),
        same_machines=machines,
        declared_age_seconds={name: float(age) for name, age in ages if age is not None},
    )
    return replace(plan, live=live)


@dataclass(frozen=True)
class _Seen:
    """A process, where it is, and the plan's instance that it is."""

    host: str
    instance: Seen
    planned: Instance | None

    def rests(self, suspended: frozenset[str]) -> bool:
        """Say whether it is a suspended tenant's and does not run, as it should not."""
        return self.planned is not None and self.planned.tenant in suspended and not self.instance.running


def _machines(plan: Fleet, observations: Mapping[str, Observation]) -> dict[str, str]:
    """Return the hosts that are another one's machine, and that other one.

    The machine's id alone does not tell: machines made from one image often have the same.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for host, seen in observations.items():
        if seen.machine and seen.host:
            groups.setdefault((seen.machine, seen.host), []).append(host)
    found: dict[str, str] = {}
    for members in groups.values():
        ordered = sorted(members, key=lambda host: (-len(plan.instances_on(host)), host))
        for position, host in enumerate(ordered):
            others = (each for each in ordered[:position] if each not in found)
            first = next((each for each in others if _share_address(observations[each], observations[host])), None)
            if first is not None:
                found[host] = first
    return found


def _share_address(one: Observation, other: Observation) -> bool:
    ours, theirs = set(one.addresses), set(other.addresses)
    return bool(ours & theirs) or not (ours or theirs)


def _merged(observations: Mapping[str, Observation], machines: Mapping[str, str]) -> dict[str, Observation]:
    """Return each machine's observation once, with what was asked from it under its other names."""
    kept = {host: seen for host, seen in observations.items() if host not in machines}
    for host, first in machines.items():
        mine, other = kept[first], observations[host]
        proxies = (each for each in other.proxies if each not in mine.proxies)
        reach = dict.fromkeys((*mine.reach, *other.reach))
        kept[first] = replace(mine, proxies=(*mine.proxies, *proxies), reach=tuple(reach))
    return kept


def _tenants(plan: Fleet, seen: list[_Seen], observations: Mapping[str, Observation], where: Whereabouts) -> list[str]:
    """Return the name of the deployment of each process."""
    planned = [
        attributing.of_tenant(tenant, host, where)
        for tenant in plan.tenants
        for host in dict.fromkeys((*tenant.api_hosts, tenant.worker_host))
        if host
    ]
    traits = [
        *planned,
        *(
            attributing.of_instance(
                each.host, each.instance, observations[each.host], where, each.planned.tenant if each.planned else ""
            )
            for each in seen
        ),
    ]
    groups = attributing.groups(traits)
    names = {group: each.tenant for group, each in zip(groups, traits) if each.tenant}
    members: dict[int, list[_Seen]] = {}
    for group, each in zip(groups[len(planned) :], seen):
        if group not in names:
            members.setdefault(group, []).append(each)
    taken = {tenant.name for tenant in plan.tenants}
    # In an order of their own, so that the order of hosts and processes names nobody otherwise.
    for group, parts in sorted(
        members.items(), key=lambda item: min((each.host, each.instance.name) for each in item[1])
    ):
        names[group] = telling_names.unique([(each.host, each.instance) for each in parts], taken)
        taken.add(names[group])
    return [names[group] for group in groups[len(planned) :]]


def _kind(seen: _Seen, led_to: frozenset[tuple[str, str]]) -> str:
    """Return what a process is meant to be: as planned, or an API instance unless it was told to refresh.

    One that refreshes only because NODE_ENV is not production was not told to.
    """
    if seen.planned:
        return seen.planned.kind
    if any((seen.host, end) in led_to for end in _ends(seen.instance)):
        return API
    return REFRESH_WORKER if _told_to_refresh(seen.instance) else API


def _told_to_refresh(seen: Seen) -> bool:
    texts = {name: seen.value(name) for name in (*refresh_flags.NAMES, refresh_flags.MODE)}
    values = {name: text for name, text in texts.items() if text is not None}
    if not seen.packages.version:
        # What a person means by it, where nobody knows how it is read.
        return any(refresh_flags.plain(values.get(name, "")) == refresh_flags.ON for name in refresh_flags.NAMES)
    flag = refresh_flags.decide(seen.packages.version, values)
    return flag.state == refresh_flags.ON and bool(flag.name)


def _ends(seen: Seen) -> Iterator[str]:
    """Yield the ports and paths of a process: where it listens, or would."""
    for each in seen.listeners:
        yield each.path or str(each.port)
    if not seen.listeners:
        yield seen.value("PORT") or "4000"


def _led_to(observations: Mapping[str, Observation], where: Whereabouts) -> Iterator[tuple[str, str]]:
    """Yield the hosts, and the ports or paths on them, to which proxies pass requests on."""
    for host, observation in observations.items():
        for server in observation.web_servers:
            for upstream in server.upstreams:
                if upstream.startswith("unix:"):
                    yield host, upstream[len("unix:") :]
                    continue
                name, colon, port = upstream.rpartition(":")
                bare = not colon or upstream.endswith("]")
                yield where.place(host, upstream if bare else name), _HTTP_PORT if bare else port
