"""A run changes nothing where nothing has to change, whatever happened to the host meanwhile."""

from __future__ import annotations

import time
from typing import Any

import pytest
from stacks import Stack, stack_on

HOSTS = ("bookworm", "bullseye", "trixie")
QUERY = {"measures": ["Orders.count"]}


def units(stack: Stack) -> list[str]:
    """Return every unit that belongs to the stack."""
    listed = stack.host.check_output("systemctl list-units --plain --no-legend --type=service 'cubejs-*'")
    return [*(line.split()[0] for line in listed.splitlines()), "mariadb.service", "nginx.service"]


def main_process(stack: Stack, unit: str) -> tuple[str, str]:
    """Return a unit's state and its main process."""
    shown = stack.host.check_output(f"systemctl show --property=ActiveState,MainPID '{unit}'")
    values = dict(line.split("=", 1) for line in shown.splitlines())
    return values["ActiveState"], values["MainPID"]


def wait_until(what: str, seconds: float, holds: Any) -> None:
    """Wait until something holds; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not after {seconds:.0f} s: {what}"
        time.sleep(1)


def answers(stack: Stack) -> bool:
    """Say whether the stack answers a query that no cache holds."""
    try:
        return bool(stack.load({**QUERY, "limit": 1 + time.time_ns() % 9999})["data"])
    except Exception:  # whatever is wrong while things restart, it is asked again
        return False


def kill(stack: Stack, unit: str) -> None:
    """Kill a unit's main process, and wait until another one has taken its place."""
    # Killing Redis has ended the Cube.js processes too; they are back after a pause.
    wait_until(f"{unit} runs on {stack.name}", 90, lambda: main_process(stack, unit)[1] != "0")
    _state, process = main_process(stack, unit)
    stack.host.check_output(f"kill -KILL {process}")

    def again() -> bool:
        state, now = main_process(stack, unit)
        return state == "active" and now not in ("0", process)

    wait_until(f"{unit} is back by itself on {stack.name}", 60, again)


@pytest.fixture(params=HOSTS)
def one(lab: Any, request: pytest.FixtureRequest) -> Stack:
    """Return each host's stack."""
    return stack_on(lab, request.param)


def test_redis_rewrites_its_configuration(one: Stack) -> None:
    """What Redis writes is a file of its own; ours stays as it is, and wins."""
    port = 20000 + HOSTS.index(one.name) + 1
    before = one.host.file(f"/etc/cubejs/redis/{one.tenant}.conf").content_string
    command = f"REDISCLI_AUTH={one.redis_password} redis-cli -p {port}"
    assert one.host.check_output(f"{command} CONFIG SET maxclients 31") == "OK"
    assert one.host.check_output(f"{command} CONFIG REWRITE") == "OK"
    assert one.host.check_output(f"{command} CONFIG SET maxclients {maxclients(before)}") == "OK"
    assert one.host.file(f"/etc/cubejs/redis/{one.tenant}.conf").content_string == before


def maxclients(configuration: str) -> str:
    """Return the maxclients of a Redis configuration."""
    [value] = [line.split()[1] for line in configuration.splitlines() if line.startswith("maxclients ")]
    return value


def test_every_process_is_back_after_it_was_killed(one: Stack) -> None:
    found = units(one)
    assert len(found) >= 5, found
    for unit in found:
        kill(one, unit)
    wait_until(f"{one.name} answers again", 90, lambda: answers(one))


def test_the_next_run_changes_nothing(lab: Any) -> None:
    """After all of the above, on all hosts."""
    run = lab.converge()
    assert run.status == 0, run.output
    assert not run.changed, run.output
