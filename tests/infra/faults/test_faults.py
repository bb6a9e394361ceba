"""Each round breaks the stack, looks at it, and mends it: the audit finds what was broken, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from fault import Fault, Found, started
from faults import ROUNDS

# Why each is waived stands in molecule/faults/files/waivers.yml.
WAIVED = {("storage-tls-verified", "acme"), ("storage-tls-verified", "globex")}


def settle(
    audit: Callable[..., Any], wanted: set[Found], unknown: set[Found] | None = None, seconds: float = 240
) -> Any:
    """Look until the audit finds what is wanted, or the time is over; a process that was restarted needs some."""
    deadline = time.monotonic() + seconds
    while True:
        seen = audit()
        not_known = seen.found("unknown")
        if seen.found() == wanted and (not not_known if unknown is None else unknown <= not_known):
            return seen
        if time.monotonic() > deadline:
            return seen
        time.sleep(3)


def each(lab: Any, commands: Iterable[tuple[str, str]]) -> None:
    """Run commands, each on its host."""
    for host, command in commands:
        if command:
            lab.host(host).check_output(command)


def restart(lab: Any, faults: Iterable[Fault]) -> None:
    """Start again what faults have changed the settings of, together where it is on one host."""
    units = [unit for fault in faults for unit in fault.restarts]
    hosts = dict.fromkeys(unit.host for unit in units)
    each(lab, ((host, started(unit for unit in units if unit.host == host)) for host in hosts))


def mend(lab: Any, faults: tuple[Fault, ...]) -> None:
    """Take faults back, the last one first."""
    each(lab, ((fault.host, fault.mends) for fault in reversed(faults)))
    restart(lab, faults)


@pytest.fixture(params=ROUNDS, ids=lambda faults: "; ".join(fault.what for fault in faults)[:200])
def broken(request: pytest.FixtureRequest, lab: Any) -> Iterator[tuple[Fault, ...]]:
    """Break what a round breaks; mend it afterwards."""
    faults: tuple[Fault, ...] = request.param
    passing = tuple(fault for fault in faults if fault.passes)
    each(lab, ((fault.host, fault.breaks) for fault in faults))
    restart(lab, (fault for fault in faults if not fault.passes))
    each(lab, ((fault.host, fault.then) for fault in faults))
    mend(lab, passing)
    yield faults
    mend(lab, tuple(fault for fault in faults if not fault.passes))
    each(lab, ((fault.host, fault.clears) for fault in faults))


def test_nothing_is_found_in_a_healthy_stack(audit: Callable[..., Any]) -> None:
    seen = settle(audit, set())
    assert seen.found() == set(), seen.told(seen.found())
    assert seen.found("unknown") == set(), seen.told(seen.found("unknown"))
    assert seen.found("waived") == WAIVED
    assert (seen.status, seen.report["outcome"]["name"]) == (0, "ok")


def test_exactly_the_faults_are_found(audit: Callable[..., Any], broken: tuple[Fault, ...]) -> None:
    wanted: set[Found] = set().union(*(fault.found for fault in broken))
    not_known: set[Found] = {found for fault in broken for found in fault.unknown}
    seen = settle(audit, wanted, not_known)
    found = seen.found()
    assert found == wanted, f"missing: {sorted(wanted - found)}\nnot expected: {seen.told(found - wanted)}"
    assert not_known <= seen.found("unknown"), f"not unknown: {sorted(not_known - seen.found('unknown'))}"
    # What is stopped or shut off cannot be asked either.
    concerned = {whom for fault in broken for whom in fault.tenants}
    unknown = {each for each in seen.found("unknown") - not_known if each[1] not in concerned}
    assert unknown == set(), seen.told(unknown)
    assert seen.status == 2


def test_mended_the_stack_is_green_again(audit: Callable[..., Any]) -> None:
    seen = settle(audit, set())
    assert (seen.status, seen.found()) == (0, set()), seen.told(seen.found())
