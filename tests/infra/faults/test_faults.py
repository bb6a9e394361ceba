"""Each round breaks the stack, looks at it, and mends it: the audit finds what was broken, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from faults import ROUNDS, Fault


def settle(lab: Any, audit: Callable[..., Any], wanted: set[tuple[str, str]], seconds: float = 120) -> Any:
    """Look until the audit finds what is wanted, or the time is over; a process that was restarted needs some."""
    deadline = time.monotonic() + seconds
    while True:
        seen = audit()
        if seen.found() == wanted and (wanted or not seen.found("unknown")):
            return seen
        if time.monotonic() > deadline:
            return seen
        time.sleep(3)


def expected(faults: tuple[Fault, ...]) -> set[tuple[str, str]]:
    """Return what a round must find."""
    return {(rule, fault.tenant) for fault in faults for rule in fault.finds}


@pytest.fixture(params=ROUNDS, ids=lambda faults: "; ".join(fault.what for fault in faults))
def broken(request: pytest.FixtureRequest, lab: Any) -> Iterator[tuple[Fault, ...]]:
    """Break what a round breaks; mend it afterwards."""
    faults: tuple[Fault, ...] = request.param
    for fault in faults:
        lab.host(fault.host).check_output(fault.breaks)
    yield faults
    for fault in reversed(faults):
        lab.host(fault.host).check_output(fault.mends)


def test_nothing_is_found_in_a_healthy_stack(lab: Any, audit: Callable[..., Any]) -> None:
    seen = settle(lab, audit, set())
    assert seen.found() == set(), seen.told(seen.found())
    assert seen.found("unknown") == set(), seen.told(seen.found("unknown"))
    assert (seen.status, seen.report["outcome"]["name"]) == (0, "ok")


def test_exactly_the_faults_are_found(lab: Any, audit: Callable[..., Any], broken: tuple[Fault, ...]) -> None:
    wanted = expected(broken)
    seen = settle(lab, audit, wanted)
    found = seen.found()
    assert found == wanted, f"missing: {sorted(wanted - found)}\nnot expected: {seen.told(found - wanted)}"
    # What is stopped or shut off cannot be asked either.
    unknown = {each for each in seen.found("unknown") if each[1] not in {fault.tenant for fault in broken}}
    assert unknown == set(), seen.told(unknown)
    assert seen.status == 2


def test_mended_the_stack_is_green_again(lab: Any, audit: Callable[..., Any]) -> None:
    seen = settle(lab, audit, set())
    assert (seen.status, seen.found()) == (0, set()), seen.told(seen.found())
