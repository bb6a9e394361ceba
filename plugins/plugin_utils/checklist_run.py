# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a checklist task asks for, read, carried out and told: the plan and what hosts returned, made a report."""

from __future__ import annotations

import contextlib
import gc
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import auditing, baseline, drift, explaining, waivers
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import NOT_APPLICABLE, PASS, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import GROUPS
from ansible_collections.cubeops.cubejs.plugins.module_utils.linking import link
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import wishes
from ansible_collections.cubeops.cubejs.plugins.module_utils.outcome import OK, OutcomeError
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import registry
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Location, Report, ReportError
from ansible_collections.cubeops.cubejs.plugins.plugin_utils import planning, report_files
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.inventory_reading import plain
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.locating import Locator

_MODE = re.compile(r"0?[0-7]{3}")


class RunError(Exception):
    """Something asked for that cannot be done; the message names the option, what is wrong and what to write."""


PROBLEMS = (
    RunError,
    auditing.AuditError,
    explaining.UnknownRuleError,
    waivers.WaiverError,
    baseline.BaselineError,
    ReportError,
    OutcomeError,
    report_files.ReportFileError,
)


@dataclass(frozen=True)
class Ran:
    """A run: its report, and why hosts were not looked at."""

    report: Report
    missing: Mapping[str, str]

    def result(self) -> dict[str, Any]:
        """Return what the task returns: the outcome, and the findings that are no pass."""
        report = self.report
        told = [finding for finding in report.findings if finding.status not in (PASS, NOT_APPLICABLE)]
        outcome = report.outcome
        return {
            "changed": False,
            "failed": outcome.name != OK,
            "msg": f"{report.verdict()}.",
            "outcome": outcome.name,
            "exit_status": outcome.exit_status,
            "counts": {
                "failed": outcome.failed,
                "unknown": outcome.unknown,
                "missing_hosts": outcome.missing_hosts,
                "findings": len(report.findings) + report.counted_only,
            },
            "missing_hosts": dict(self.missing),
            "findings": [finding.as_dict() for finding in told],
            # Pages long; the console report says what people need.
            "_ansible_verbose_override": True,
        }


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Keep Python from looking for cycles meanwhile: there are none, and in a large fleet it takes a fifth longer."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def output(arguments: Mapping[str, Any]) -> tuple[tuple[registry.Format, ...], int]:
    """Return the formats of reports that are asked for, and the mode of their files."""
    formats = registry.chosen(arguments["formats"])
    if formats and not arguments["directory"]:
        raise RunError("directory: it is not set, and formats asks for reports: say where to write them")
    if not _MODE.fullmatch(arguments["mode"]):
        raise RunError(f"mode: {arguments['mode'][:20]!r} is none: write octal digits in quotes, as '0640'")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", arguments["name"]):
        raise RunError(
            f"name: {arguments['name'][:40]!r} is no name of a file: write letters, digits, '.', '_' and '-'"
        )
    return formats, int(arguments["mode"], 8)


def run(loader: Any, task_vars: dict[str, Any], arguments: Mapping[str, Any], now: datetime) -> Ran:
    """Return the report of what is asked for; no host is contacted. Raises one of PROBLEMS."""
    criteria = _criteria(arguments)
    key = _key(arguments["fingerprint_key"])
    planned = None
    if criteria.mode != auditing.HOSTS or planning.is_planned(task_vars):
        planned = planning.make(loader, task_vars, by_groups=True, fingerprint_key=key)
    fleet = planned.plan.fleet if planned else Fleet()
    missing: dict[str, str] = {}
    if criteria.mode != auditing.PLAN:
        observations, missing = _observations(task_vars, arguments)
        fleet = link(fleet, observations, missing)
    compared = drift.Plan(planned.plan.data, planned.vault, key) if planned else None
    judged = auditing.judge(fleet, planned.plan.findings if planned else (), criteria, compared)
    report = auditing.report(
        judged,
        fleet,
        criteria,
        now=now,
        collection_version=report_files.collection_version(),
        hosts=planned.inventory.hosts() if planned else (),
        locations=_locations(task_vars, fleet, judged.findings),
    )
    return Ran(report, missing)


def _criteria(arguments: Mapping[str, Any]) -> auditing.Criteria:
    if arguments["new_only"] and not arguments["baseline"]:
        raise RunError("baseline: it is not set, and new_only compares with one: give an earlier JSON report")
    earlier = _read("baseline", arguments["baseline"], "Write one with `formats: [json]`, or leave it out")
    return auditing.Criteria(
        mode=arguments["judge"],
        rules=auditing.chosen(arguments["only"], arguments["skip"]),
        waivers=_waivers(arguments["waivers"]),
        earlier=None if earlier is None else baseline.read(earlier),
        fail_on=arguments["fail_on"],
        new_only=arguments["new_only"],
    )


def _waivers(path: str | None) -> tuple[waivers.Waiver, ...]:
    text = _read("waivers", path, "Correct the path, or leave it out")
    if text is None:
        return ()
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        where = getattr(exc, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise RunError(f"waivers: {path}{line} is no YAML: {getattr(exc, 'problem', exc)}") from exc
    return waivers.parse([] if data is None else data, explaining.titles())


def _read(option: str, path: str | None, remedy: str) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no UTF-8"
        raise RunError(f"{option}: {path} cannot be read: {reason}. {remedy}") from exc


def _key(text: str | None) -> bytes | None:
    if text is None:
        return None
    if not wishes.is_key(text):
        raise RunError(
            f"fingerprint_key: it is not {wishes.KEY_DIGITS} hexadecimal digits or more: give instance_info's"
        )
    return bytes.fromhex(text)


def _observations(
    task_vars: Mapping[str, Any], arguments: Mapping[str, Any]
) -> tuple[dict[str, Observation], dict[str, str]]:
    """Return what hosts returned, from the option or from what they registered, and why others have nothing."""
    hosts = _hosts(task_vars["groups"], arguments["hosts"])
    results = arguments["observations"]
    if results is None:
        name, hostvars = arguments["registered"], task_vars["hostvars"]
        found = ((host, hostvars.raw_get(host).get(name)) for host in hosts if host in hostvars)
        results = {host: result for host, result in found if result is not None}
    if not hosts and not results:
        raise RunError("hosts: there is none to be judged. Name hosts or groups of the inventory")
    # Without Ansible's tags, which are neither numbers nor texts to a strict reader.
    untagged = {str(host): plain(result) for host, result in results.items()}
    return auditing.read_results(untagged, hosts, set(task_vars.get("ansible_play_hosts_all", ())))


def _hosts(groups: Mapping[str, Sequence[str]], names: Sequence[str] | None) -> list[str]:
    """Return the hosts that should have been looked at: those named, else those of our groups, else all."""
    if names is None:
        ours = [host for group in GROUPS for host in groups.get(group, ())]
        return list(dict.fromkeys(ours or groups.get("all", ())))
    known = set(groups.get("all", ()))
    strangers = [name for name in names if name not in groups and name not in known]
    if strangers:
        raise RunError(f"hosts: the inventory has no host and no group {', '.join(strangers)}: name those that it has")
    return list(dict.fromkeys(host for name in names for host in groups.get(name, (name,))))


def _locations(task_vars: Mapping[str, Any], fleet: Fleet, findings: Iterable[Finding]) -> dict[str, Location]:
    """Return subject -> where it stands; what was seen of a planned tenant stands where the tenant does."""
    findings = list(findings)
    hostvars = task_vars["hostvars"]
    named = (host for finding in findings for host in finding.host.split(", "))
    ours = [host for group in GROUPS for host in task_vars["groups"].get(group, ())][:1]
    hosts = dict.fromkeys((*ours, *(host for host in dict.fromkeys(named) if host in hostvars)))
    locator = Locator(
        (hostvars.raw_get(host) for host in hosts), task_vars.get("ansible_inventory_sources") or (), str(Path.cwd())
    )
    tenants = {tenant.name: locator.locate(tenant.subject) for tenant in fleet.tenants}
    found: dict[str, Location] = {}
    for finding in findings:
        if finding.subject not in found:
            place = locator.locate(finding.subject) or tenants.get(finding.tenant)
            if place:
                found[finding.subject] = place
    return found
