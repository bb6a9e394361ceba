# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the inventory says, checked against the roles' specifications before anything is derived from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import checks, names, schema, secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory as inventories
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import MASK, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenants import SHARED_REDIS

MASTER = "cubejs_master_secret"
TENANTS = "cubejs_tenants"
RETIRED = "cubejs_retired_numbers"
# Variables of the collection that no role declares.
OTHERS = ("cubejs_address", "cubejs_retired_file", "cubejs_host_memory_bytes", "cubejs_plan_format", "cubejs_plan_file")
# What only the playbooks of the audit read.
PLAYBOOKS = (
    "cubejs_audit_deadline_seconds", "cubejs_audit_hosts", "cubejs_audit_journal_hours", "cubejs_audit_probes",
    "cubejs_audit_proxies", "cubejs_audit_token_claims", "cubejs_baseline_file", "cubejs_fail_on", "cubejs_new_only",
    "cubejs_report_directory", "cubejs_report_formats", "cubejs_report_mode", "cubejs_rules_only",
    "cubejs_rules_skipped", "cubejs_waivers_file",
)  # fmt: skip
# Variables of Ansible's own from which the plan is made.
ANSIBLE = ("ansible_host", "inventory_dir")
# What the playbooks hand to the roles from the plan; only a role used alone takes it from the inventory.
PLANNED = frozenset(
    (
        "redis_instances",
        "redis_other_instances",
        "redis_sentinel_enabled",
        "redis_sentinel_bind",
        "redis_sentinel_port",
        "redis_sentinel_peers",
        "redis_sentinel_watched",
        "mysql_databases",
        "mysql_users",
        "mysql_bind_addresses",
        "nginx_servers",
        "nginx_other_servers",
        "cubejs_deployments",
        "cubejs_other_tenants",
        "cubejs_waves",
        "firewall_services",
    )
)
# A role, and what it looks after on a host.
ROLES: Mapping[str, tuple[str, ...]] = {
    "redis": ("redis", "sentinel"),
    "mysql": ("mysql",),
    "cubejs": ("cubejs",),
    "nginx": ("nginx",),
    "firewall": ("redis", "sentinel", "mysql", "cubejs"),
}
# A prefix of this collection alone: in another, a stranger's variable is none of our business.
PREFIX = "cubejs_"
MISSPELT_CUTOFF = 0.9


@dataclass(frozen=True)
class Entry:
    """One tenant's definition, checked; subject is its path."""

    subject: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Definitions:
    """All that the inventory says; by_name holds the entries' values, master is None where there is none.

    retired_numbers: those that a tenant had which is gone, on whichever host that stands.
    """

    entries: tuple[Entry, ...]
    by_name: Mapping[str, Mapping[str, Any]]
    master: str | None
    findings: tuple[Finding, ...]
    retired_numbers: frozenset[int] = frozenset()


def read(
    inventory: inventories.Inventory, specs: Mapping[str, schema.Options], exists: Callable[[str], bool]
) -> Definitions:
    """Return the definitions of an inventory, and everything that is wrong with their form."""
    checker = schema.Checker()
    base = str(_first(inventory, "inventory_dir") or "")
    options = specs["cubejs"][TENANTS]["options"]
    entries = tuple(
        replace(entry, values=checks.absolute(entry.values, base))
        for entry in _entries(checker, options, _first(inventory, TENANTS))
        if not (inventory.alone and _is_bound_elsewhere(inventory, entry.values.get("hosts") or ()))
    )
    master = _first(inventory, MASTER)
    retired = _retired(inventory)
    findings = [
        *_host_findings(inventory, specs),
        *_misspelt(inventory, specs),
        *_disagreements(inventory),
        *_with_next_number(checker.findings, {*retired, *(entry.values.get("number") for entry in entries)}),
        *(finding for entry in entries for finding in checks.check(entry.values, entry.subject, exists)),
        *_second_workers(entries, inventory.elsewhere),
        *_master_findings(master),
    ]
    if _first(inventory, TENANTS) is None:
        findings.append(
            Finding(
                "value-required",
                TENANTS,
                "it is not set",
                "Define the tenants for all hosts, here or in cubejs_tenants_dir",
            )
        )
    return Definitions(
        entries,
        {str(entry.values.get("name") or ""): entry.values for entry in entries},
        None if master is None else str(master),
        tuple(dict.fromkeys(findings)),
        retired,
    )


def variables(specs: Mapping[str, schema.Options]) -> frozenset[str]:
    """Return the names of all variables that the plan is made from or checks."""
    return frozenset((*OTHERS, *ANSIBLE, *(name for options in specs.values() for name in options))) - PLANNED


def tenant_names(*lists: Any) -> frozenset[str]:
    """Return the names of the tenants in lists of definitions, whatever else is wrong with them."""
    items = (item for values in lists if isinstance(values, list) for item in values)
    return frozenset(str(item["name"]) for item in items if isinstance(item, Mapping) and "name" in item)


def _retired(inventory: inventories.Inventory) -> frozenset[int]:
    lists = (inventory.variable(host, RETIRED, ()) for host in inventory.hosts())
    given = (number for listed in lists if isinstance(listed, list) for number in listed)
    return frozenset(int(number) for number in given if str(number).isdecimal())


def _with_next_number(findings: Iterable[Finding], used: Iterable[Any]) -> Iterator[Finding]:
    """Yield the findings; one that misses a tenant's number names a number that nobody has or had."""
    free = names.next_number(number for number in used if isinstance(number, int))
    for finding in findings:
        missing = finding.rule == "value-required" and finding.subject.endswith("].number")
        yield replace(finding, remedy=f"Set it, for ever: {free} is the next free one") if missing and free else finding


def _first(inventory: inventories.Inventory, name: str) -> Any:
    values = (inventory.variable(host, name) for host in inventory.hosts())
    return next((value for value in values if value is not None), None)


def _entries(checker: schema.Checker, options: schema.Options, value: Any) -> Iterator[Entry]:
    items = checker.value({"type": "list"}, value, TENANTS)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        subject = schema.element_path(TENANTS, index, item)
        checked = checker.value({"type": "dict", "options": options}, item, subject)
        if isinstance(checked, dict):
            yield Entry(subject, checked)


def _host_findings(inventory: inventories.Inventory, specs: Mapping[str, schema.Options]) -> Iterator[Finding]:
    """Yield what is wrong with role variables, once; hosts are named where it is right on others of the role."""
    shared = {name: option for name, option in specs.get("cubejs", {}).items() if name == SHARED_REDIS}
    living = {host: inventory.products(host) for host in inventory.hosts()}
    judgements = [(specs.get(role, {}), products) for role, products in ROLES.items()]
    for options, products in (*judgements, (shared, ROLES["redis"])):
        judged = [host for host, here in living.items() if not here.isdisjoint(products)]
        found: dict[Finding, list[str]] = {}
        for host in judged:
            for finding in _role_findings(options, inventory.variables.get(host, {})):
                found.setdefault(finding, []).append(host)
        for finding, hosts in found.items():
            yield finding if hosts == judged else replace(finding, host=_listed(hosts))


def _role_findings(options: schema.Options, variables: Mapping[str, Any]) -> list[Finding]:
    checker = schema.Checker()
    for name, option in options.items():
        if name in variables and name != TENANTS and name not in PLANNED:
            checker.value(option, variables[name], name)
    return [*checker.findings, *checks.check_host({name: variables.get(name) for name in options})]


def _misspelt(inventory: inventories.Inventory, specs: Mapping[str, schema.Options]) -> Iterator[Finding]:
    known = {*OTHERS, *PLAYBOOKS, "cubejs_plan", *(name for options in specs.values() for name in options)}
    seen = dict.fromkeys(name for host in inventory.hosts() for name in inventory.variables.get(host, {}))
    for name in seen:
        if not name.startswith(PREFIX) or name in known:
            continue
        near = schema.nearest(name, known, MISSPELT_CUTOFF)
        if near:
            yield Finding("unknown-key", name, "nothing reads it", f"Did you mean {near}?", severity=WARNING)


def _disagreements(inventory: inventories.Inventory) -> Iterator[Finding]:
    """Yield what hosts see differently: the plan is one, and each host reveals secrets from what it sees itself."""
    for name in (TENANTS, MASTER):
        first = _first(inventory, name)
        if first is None:
            continue
        blind = [host for host in inventory.hosts() if inventory.variable(host, name) is None]
        if blind:
            yield Finding(
                "tenant-differs-between-hosts",
                name,
                f"it is not set for {_listed(blind)}",
                "Define it for all hosts of the cubejs_ groups, in group_vars/all",
            )
        yield from _differences(inventory, name, first)


def _differences(inventory: inventories.Inventory, name: str, first: Any) -> Iterator[Finding]:
    others = [host for host in inventory.hosts() if inventory.variable(host, name, first) != first]
    if not others:
        return
    subjects = [name]
    if name == TENANTS and all(isinstance(inventory.variable(host, name), list) for host in others):
        subjects = _differing_tenants(first, [inventory.variable(host, name) for host in others]) or [name]
    for subject in subjects:
        yield Finding(
            "tenant-differs-between-hosts",
            subject,
            f"{_listed(others)} and {inventory.hosts()[0]} see different definitions",
            "Define it once for all hosts, without a variable that differs between them",
        )


def _differing_tenants(first: Any, others: list[list[Any]]) -> list[str]:
    reference = _by_path(first)
    different: dict[str, None] = {}
    for other in map(_by_path, others):
        different.update((path, None) for path in {*reference, *other} if reference.get(path) != other.get(path))
    return sorted(different)


def _by_path(tenants: Any) -> dict[str, Any]:
    return {schema.element_path(TENANTS, index, item): item for index, item in enumerate(tenants)}


def _is_bound_elsewhere(inventory: inventories.Inventory, hosts: Sequence[str]) -> bool:
    """Say whether names of hosts and groups, all of them known, leave the only host of this inventory out."""
    known = inventory.names().issuperset(hosts)
    return bool(hosts) and known and not set(inventory.hosts()) & set(inventory.expand(hosts))


def _second_workers(entries: tuple[Entry, ...], elsewhere: frozenset[str]) -> Iterator[Finding]:
    """Yield tenants whose refresh worker each host of a play would start: two drop each other's tables."""
    for entry in entries:
        name = entry.values.get("name")
        if name in elsewhere and entry.values.get("refresh_worker", True) and not entry.values.get("hosts"):
            yield Finding(
                "one-refresh-worker",
                f"{entry.subject}.refresh_worker",
                "several hosts of this play define it, and each would start its refresh worker",
                "Put the hosts into cubejs_api and one into cubejs_refresh_worker, or name the tenant's host in hosts",
                tenant=str(name),
            )


def _master_findings(master: Any) -> Iterator[Finding]:
    if master is None:
        return
    if not isinstance(master, str):
        yield Finding("value-type", MASTER, f"{MASK}, not a text", "Put it in quotes")
        return
    problems = "; ".join(secrets.problems(master))
    if problems:
        remedy = "Use 32 random characters or more, from a vault"
        yield Finding("secret-strength", MASTER, f"{MASK}: {problems}", remedy)


def _listed(hosts: list[str]) -> str:
    return ", ".join(hosts[:5]) + (f" and {len(hosts) - 5} more" if len(hosts) > 5 else "")
