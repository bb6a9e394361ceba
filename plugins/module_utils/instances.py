# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which Cube.js instances must be started, restarted or stopped: what they were started with against what is on disk.

A restart never waits for a notification: a run killed between a changed file and its restart would lose it. Every
process carries the digests of its release and of its unit in its environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import names, settings
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REFRESH_WORKER
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import RELEASE_VARIABLE
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import PROC, process_environ
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd_words import assignments

PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "MainPID",
    "UnitFileState",
    "NeedDaemonReload",
    "DropInPaths",
    "Environment",
    "ExecMainStatus",
    "Result",
)
# Variables that unit files set, each the digest of the file it stands in.
UNIT_VARIABLES = ("CUBEOPS_UNIT", "CUBEOPS_UNIT_TEMPLATE")
PATTERNS = ("cubejs-api@*.service", "cubejs-refresh-worker@*.service", "cubejs-trial@*.service")
UNIT = re.compile(r"cubejs-(?P<kind>api|refresh-worker|trial)@(?P<tenant>[a-z][a-z0-9]*)(?:-\d+)?\.service")
STARTED = ("active", "activating", "reloading")
ENABLED = "enabled"


@dataclass(frozen=True)
class Instance:
    """A wanted process; `digest` is that of its part of the release, None where that could not be worked out."""

    name: str
    kind: str
    unit: str
    digest: str | None


@dataclass(frozen=True)
class Deployment:
    """A tenant's instances on this host, and the release they are to run (None where check mode does not know it)."""

    tenant: str
    version: str
    release: str | None
    instances: tuple[Instance, ...]
    steady_seconds: float = 3.0
    claims: Mapping[str, object] = field(default_factory=dict)
    suspended: bool = False

    @classmethod
    def of(cls, deployment: Mapping[str, Any], release: Mapping[str, Any]) -> Deployment:
        """Return it from the plan's deployment and from what cube_releases said of it."""
        digests = release.get("instances") or {}
        instances = (
            Instance(each["name"], each["kind"], each["unit"], digests.get(each["name"]))
            for each in deployment["instances"]
        )
        health = deployment.get("health") or {}
        return cls(
            tenant=deployment["tenant"],
            version=deployment["version"],
            release=release.get("release"),
            # The refresh worker first: it serves nobody, so that it is where a release may fail unnoticed.
            instances=tuple(sorted(instances, key=lambda each: each.kind != REFRESH_WORKER)),
            steady_seconds=float(health.get("steady_seconds", 3.0)),
            claims=health.get("claims") or {},
            suspended=bool(deployment.get("suspended")),
        )

    @property
    def trial_unit(self) -> str:
        """Return the unit in which a release is tried before anything is switched to it."""
        return names.trial_unit(self.tenant)


@dataclass
class Steps:
    """What has to be done for one tenant, by unit. stop: for good; suspend: what is to rest."""

    enable: list[str] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    restart: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)
    suspend: list[str] = field(default_factory=list)
    switch: bool = False

    @property
    def changed(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.enable or self.start or self.restart or self.stop or self.suspend or self.switch)

    @property
    def needs_trial(self) -> bool:
        """Return whether processes run that a broken release would replace."""
        return self.switch and bool(self.restart)

    def actions(self) -> dict[str, list[str]]:
        """Return unit -> what is done with it, in order."""
        found: dict[str, list[str]] = {}
        for verb in ("enable", "start", "restart", "stop", "suspend"):
            for unit in getattr(self, verb):
                found.setdefault(unit, []).append(verb)
        return found


def decide(
    deployment: Deployment,
    seen: Mapping[str, Mapping[str, str]],
    current: str | None,
    *,
    pending: Iterable[str] = (),
    proc: Path = PROC,
) -> Steps:
    """Return what has to be done.

    seen: unit -> its properties. current: the release that the tenant's link points at. pending: paths of files that
    check mode did not write, though the run would.
    """
    steps = Steps(switch=current is None or current != deployment.release)
    for instance in deployment.instances:
        properties = seen.get(instance.unit, {})
        if deployment.suspended:
            if properties.get("UnitFileState") == ENABLED or properties.get("ActiveState") in STARTED:
                steps.suspend.append(instance.unit)
            continue
        if properties.get("UnitFileState") != ENABLED:
            steps.enable.append(instance.unit)
        if properties.get("ActiveState") not in STARTED:
            steps.start.append(instance.unit)
        elif is_stale(instance, properties, proc) or _is_pending(instance.unit, pending):
            steps.restart.append(instance.unit)
        else:
            steps.keep.append(instance.unit)
    return steps


def is_stale(instance: Instance, properties: Mapping[str, str], proc: Path = PROC) -> bool:
    """Return whether a process was started with another release or another unit than the wanted one.

    Between two restarts by systemd there is no process; the next one is started with what is on disk.
    """
    pid = int(properties.get("MainPID") or 0)
    if not pid:
        return False
    started_with = process_environ(pid, proc)
    on_disk = assignments(properties.get("Environment", ""))
    return (
        instance.digest is None
        or started_with.get(RELEASE_VARIABLE) != instance.digest
        or any(started_with.get(name) != on_disk.get(name) for name in UNIT_VARIABLES)
    )


def linked(units: Path) -> set[str]:
    """Return the instances that systemd starts at boot, or with another unit. units: where it keeps the links."""
    folders = [f"*.{kind}/{pattern}" for kind in ("wants", "requires") for pattern in PATTERNS]
    return {link.name for folder in folders for link in units.glob(folder)}


def _is_pending(unit: str, pending: Iterable[str]) -> bool:
    template = f"{unit.partition('@')[0]}@.service"
    return any(f"/{unit}.d/" in path or path.endswith(f"/{template}") for path in pending)


def unwanted(deployments: Sequence[Deployment], units: Iterable[str]) -> dict[str, list[str]]:
    """Return tenant -> its units that are no longer wanted; units of tenants that are not listed are left alone."""
    wanted = {instance.unit for deployment in deployments for instance in deployment.instances}
    tenants = {deployment.tenant for deployment in deployments}
    found: dict[str, list[str]] = {}
    for unit in sorted(units):
        match = UNIT.fullmatch(unit)
        if match and match["tenant"] in tenants and unit not in wanted:
            found.setdefault(match["tenant"], []).append(unit)
    return found


def trial_environment(environment: Mapping[str, str], version: str, socket: str) -> dict[str, str]:
    """Return the environment in which a release is tried: an instance's own, on another socket, never refreshing."""
    replaced = {"port": socket, "refresh_worker": False}
    targets = {row.target for row in TABLE if row.name in replaced}
    kept = {name: value for name, value in environment.items() if name not in targets}
    return {**kept, **settings.resolve(TABLE, replaced, version)}


def secret_values(environment: Mapping[str, str]) -> set[str]:
    """Return what must not be shown of an environment: secrets by the table, and whatever the table does not know."""
    known = {row.target for row in TABLE}
    secret = {row.target for row in TABLE if row.secret}
    found = set()
    for name, value in environment.items():
        if name in secret or (name not in known and not name.startswith("CUBEOPS_")):
            # A password in a URL shows up alone too.
            found.update({value, *re.findall(r"//[^/@]*:([^@]+)@", value)})
    return {value for value in found if len(value) > 3}
