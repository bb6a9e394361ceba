# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All tenants of a host brought up to date in one go, and what no one needs then removed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils import instances, releases
from ansible_collections.cubeops.cubejs.plugins.module_utils.instances import Deployment, Steps
from ansible_collections.cubeops.cubejs.plugins.module_utils.names import RUN_DIRECTORY, SLICE
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_staging import Staging
from ansible_collections.cubeops.cubejs.plugins.module_utils.rolling import Roll, RollError, Stopped, Tools
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import PROC, Systemd
from ansible_collections.cubeops.cubejs.plugins.module_utils.units import has_unread_drop_in

UNIT_DIRECTORY = Path("/etc/systemd/system")
# A process that comes up keeps one core busy for a second or two.
ROLLS_PER_CPU = 2


@dataclass
class Outcome:
    """What was done, or would be: unit -> actions, tenant -> release, what was removed, what nobody could judge."""

    actions: dict[str, list[str]] = field(default_factory=dict)
    switched: dict[str, str | None] = field(default_factory=dict)
    removed_releases: list[str] = field(default_factory=list)
    removed_runtimes: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def tell_unlisted(self, present: Iterable[str], *listed: Iterable[str]) -> None:
        """Note which tenants are on the host and on no list: what is taken away is decided by a person."""
        self.unlisted = sorted(set(present).difference(*listed))
        if self.unlisted:
            self.notes.append(
                f"Not planned on this host, and left alone: {', '.join(self.unlisted)}. "
                "The playbook cubeops.cubejs.tenant_remove takes a tenant away"
            )

    @property
    def changed(self) -> bool:
        """Return whether anything was done."""
        return bool(self.actions or self.switched)


def converge(
    deployments: Sequence[Deployment],
    tools: Tools,
    *,
    apply: bool,
    kept: int = 3,
    pending: Iterable[str] = (),
    units: Path = UNIT_DIRECTORY,
    proc: Path = PROC,
    runtime: Path = Path(RUN_DIRECTORY),
) -> Outcome:
    """Bring every instance up to date, with each proved healthy; with `apply` false only say what would be done.

    kept: releases kept for each tenant besides the current one. pending: see `instances.decide`. Raises RollError with
    the failures of all tenants. One that is up to date and not healthy is told last: it keeps no other from its update.
    """
    loaded = tools.systemd.loaded(instances.PATTERNS)
    asked = {*loaded, *instances.linked(units)}
    seen = _show(tools.systemd, [unit for each in deployments for unit in _to_ask(each, asked)], apply)
    unwritten = set() if apply else set(pending)
    current = {each.tenant: tools.store.current(each.tenant) for each in deployments}
    steps = {
        each.tenant: instances.decide(each, seen, current[each.tenant], pending=unwritten, proc=proc)
        for each in deployments
    }
    for tenant, surplus in instances.unwanted(deployments, loaded).items():
        steps[tenant].stop = surplus
    outcome = _outcome(deployments, steps)
    if apply and outcome.changed:
        _enable(tools.systemd, steps)
        outcome.notes = _roll(deployments, steps, tools)
        _suspend(tools.systemd, [unit for each in steps.values() for unit in each.suspend])
        _remove_units(tools.systemd, [unit for each in steps.values() for unit in each.stop], units, runtime)
        # A tenant's first release takes no other's place, and to look at those of 300 tenants takes 40 ms.
        if any(each.changed and current[tenant] for tenant, each in steps.items()):
            _remove_garbage(deployments, tools, kept, outcome, proc)
    if apply:
        _ask(deployments, steps, tools)
    return outcome


def check(deployments: Sequence[Deployment], tools: Tools) -> None:
    """Ask every instance of every tenant whether it is healthy; raise RollError with all that are not."""
    _ask(deployments, {each.tenant: Steps() for each in deployments}, tools)


def _ask(deployments: Sequence[Deployment], steps: Mapping[str, Steps], tools: Tools) -> None:
    _side_by_side([Roll(each, steps[each.tenant], tools).check for each in deployments], tools)


def _to_ask(deployment: Deployment, known: Collection[str]) -> list[str]:
    """Return the units that systemd is asked about: of a tenant at rest those that it knows or would start at boot.

    Any other is neither running nor enabled. To ask about it would have it read from disk, and forgotten again: 9 ms
    each, in every run.
    """
    units = [instance.unit for instance in deployment.instances]
    return [unit for unit in units if unit in known] if deployment.suspended else units


def _show(systemd: Systemd, wanted: Sequence[str], apply: bool) -> Mapping[str, Mapping[str, str]]:
    names = [*wanted, SLICE]
    seen = systemd.show(names, instances.PROPERTIES)
    if apply and any(
        properties.get("NeedDaemonReload") == "yes" or has_unread_drop_in(unit, properties)
        for unit, properties in seen.items()
    ):
        systemd.daemon_reload()
        seen = systemd.show(names, instances.PROPERTIES)
    return seen


def _outcome(deployments: Sequence[Deployment], steps: Mapping[str, Steps]) -> Outcome:
    outcome = Outcome()
    for deployment in deployments:
        found = steps[deployment.tenant]
        outcome.actions.update(found.actions())
        if found.switch:
            outcome.switched[deployment.tenant] = deployment.release
    return outcome


def _enable(systemd: Systemd, steps: Mapping[str, Steps]) -> None:
    systemd.enable_for_boot([unit for each in steps.values() for unit in each.enable])


def _roll(deployments: Sequence[Deployment], steps: Mapping[str, Steps], tools: Tools) -> list[str]:
    rolls = [Roll(each, steps[each.tenant], tools) for each in deployments if steps[each.tenant].changed]
    _side_by_side([roll.run for roll in rolls], tools)
    return [note for roll in rolls for note in roll.notes]


def _side_by_side(jobs: Sequence[Callable[[], None]], tools: Tools) -> None:
    """Run the jobs, some at a time; raise RollError with the failures of all that failed."""

    def run(job: Callable[[], None]) -> str:
        try:
            job()
        except Stopped:
            return ""
        except RollError as exc:
            tools.stop.set()
            return str(exc)
        return ""

    workers = ROLLS_PER_CPU * len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(max_workers=workers) as pool:
        failures = [failure for failure in pool.map(run, jobs) if failure]
    if failures:
        raise RollError("\n\n".join(failures))


def _suspend(systemd: Systemd, units: Sequence[str]) -> None:
    systemd.disable(units)
    systemd.stop(units)
    systemd.reset_failed(units)


def _remove_units(systemd: Systemd, surplus: Sequence[str], folder: Path, runtime: Path) -> None:
    """Stop instances that are no longer wanted, and forget them.

    The release that runs now has no environment for them, without which systemd runs no ExecStopPost= and says that the
    unit has failed: their sockets are removed, and their failures forgotten, here.
    """
    if not surplus:
        return
    systemd.stop(surplus)
    systemd.reset_failed(surplus)
    systemd.disable(surplus)
    for unit in surplus:
        # A trial's own settings are wanted as long as its tenant is.
        if not unit.startswith("cubejs-trial@"):
            shutil.rmtree(folder / f"{unit}.d", ignore_errors=True)
            shutil.rmtree(runtime / unit.partition("@")[2].rpartition(".")[0], ignore_errors=True)
    systemd.daemon_reload()


def _remove_garbage(deployments: Sequence[Deployment], tools: Tools, kept: int, outcome: Outcome, proc: Path) -> None:
    store = tools.store
    found = store.releases()
    pairs = [(tenant, release) for tenant, names in found.items() for release in names]
    runtimes = {pair: store.runtime_of(*pair) for pair in pairs}
    garbage = releases.garbage(
        found,
        {pair: runtime for pair, runtime in runtimes.items() if runtime is not None},
        store.runtimes(),
        {tenant: release for tenant in found if (release := store.current(tenant)) is not None},
        store.in_use(proc),
        kept,
        [deployment.tenant for deployment in deployments],
    )
    if garbage.releases or garbage.runtimes:
        Staging(store).remove(garbage)
    outcome.removed_releases = ["/".join(pair) for pair in garbage.releases]
    outcome.removed_runtimes = list(garbage.runtimes)
