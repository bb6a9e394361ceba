# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a live fleet is known well enough to be judged, and what keeps it from being known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import UNKNOWN, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import (
    REFRESH_WORKER,
    Fleet,
    Live,
    LiveInstance,
    Tenant,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Instance, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

# A variable of whatever name.
ANY = "*"
BECOME = "Run the task with become: true"
LOOK = "Look at all hosts of the tenant in one run: leave --limit out, or make the host reachable"
# What the environment of a process, and that of a unit without one, is read from.
_OF_PROCESS = ("process.environ",)
_OF_UNIT = ("unit.file", "environment_file")
# What can only add variables that are not there yet.
_ADDS = ("dotenv", "process.cwd", "settings")


def deployments(fleet: Fleet, live: Live) -> Iterator[tuple[str, Optional[Tenant], tuple[LiveInstance, ...]]]:
    """Yield name, plan (None where nobody planned it) and processes of every deployment, seen or planned.

    Nothing where no host was looked at, nor meant to be; nor of a suspended tenant at rest.
    """
    if not live.observations and not live.missing:
        return
    for name in sorted({*live.tenants, *(tenant.name for tenant in fleet.tenants)} - live.at_rest):
        yield name, fleet.tenant(name), live.instances_of(name)


def running(instances: tuple[LiveInstance, ...]) -> tuple[LiveInstance, ...]:
    """Return those of the instances that have a process."""
    return tuple(each for each in instances if each.seen.running)


def workers(instances: tuple[LiveInstance, ...]) -> tuple[LiveInstance, ...]:
    """Return the refresh workers among instances."""
    return tuple(each for each in instances if each.kind == REFRESH_WORKER)


def unseen(live: Live, planned: Optional[Tenant]) -> dict[str, str]:
    """Return host -> why it was not looked at, for those that may have processes of a tenant: all without a plan."""
    mine = live.missing if planned is None else {*planned.api_hosts, planned.worker_host}
    return {host: why for host, why in sorted(live.missing.items()) if host in mine}


def told_unseen(hosts: Mapping[str, str]) -> str:
    """Return in words that hosts were not looked at."""
    named = ", ".join(f"{host} ({why})" for host, why in hosts.items())
    return f"it cannot be known, since these hosts were not looked at: {named}"


def observation_of(live: Live, instance: LiveInstance) -> Optional[Observation]:
    """Return what was seen of an instance's host."""
    return live.observations.get(instance.host)


def gap(instance: LiveInstance, *names: str) -> Optional[Unknown]:
    """Return what keeps an instance's version, or these variables, from being known; None where they are.

    A file that could only add variables matters where some of these are not there yet.
    """
    return version_gap(instance) or environment_gap(instance.seen, *names)


def version_gap(instance: LiveInstance) -> Optional[Unknown]:
    """Return what keeps the version of Cube from being known."""
    if instance.version:
        return None
    return _first(instance.seen, ("packages",)) or Unknown(
        "packages", "the packages of Cube.js were not found", "See where its packages are installed"
    )


def environment_gap(seen: Instance, *names: str) -> Optional[Unknown]:
    """Return what keeps variables from being known, as in gap(); with ANY, that no other is there."""
    found = _first(seen, _OF_PROCESS if seen.running else _OF_UNIT)
    if found is None and not all(name in seen.settings for name in names):
        found = _first(seen, _ADDS)
    if found is None:
        hidden = next((name for name in names if name in seen.settings and seen.settings[name].value.secret), "")
        found = Unknown(hidden, f"the value of {hidden} looks like a secret", "Look on the host") if hidden else None
    return found


def _first(seen: Instance, what: tuple[str, ...]) -> Optional[Unknown]:
    return next((each for each in seen.unknown if each.what in what), None) if seen.unknown else None


def unknown(rule: Rule, instance: LiveInstance, why: Unknown) -> Finding:
    """Return that a rule cannot judge an instance, and what would let it."""
    reason = why.reason or f"{why.what} could not be read"
    return rule.of(instance, UNKNOWN, f"it cannot be known: {reason}", why.remedy or BECOME)


def variables(seen: Instance, *names: str) -> dict[str, str]:
    """Return the variables among these that are set, with their texts."""
    values = ((name, seen.value(name)) for name in names)
    return {name: text for name, text in values if text is not None}


def is_true(seen: Instance, name: str) -> bool:
    """Return whether a switch of Cube's is on."""
    return (seen.value(name) or "").lower() in ("true", "1")
