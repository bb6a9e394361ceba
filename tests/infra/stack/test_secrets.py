"""Planted secrets are nowhere to be read: neither while all of them are replaced, nor afterwards."""

from __future__ import annotations

import base64
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from searching import in_files, in_logs, in_text, spellings, watching_arguments
from stacks import Stack, inventory, planted, rotated, stack_on

MARK = "plantedToBeFound8Hd3KqZx"


# Once for all stacks: pytest comes to this module once for each of them, and would replace all secrets as often.
@pytest.fixture(scope="session")
def while_rotating(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Replace every derived secret and bring the old ones back; return where a secret was seen meanwhile."""
    secrets = planted()
    tenants = [rotated(tenant) for tenant in inventory()["all"]["vars"]["cubejs_tenants"]]
    changed = tmp_path_factory.mktemp("rotated") / "variables.yml"
    changed.write_text(yaml.safe_dump({"cubejs_tenants": tenants}))
    with watching_arguments(secrets) as arguments:
        runs = [
            lab.converge("-vvv", "--check", "--diff", "--extra-vars", f"@{changed}"),
            lab.converge("-vvv", "--diff", "--extra-vars", f"@{changed}"),
            lab.converge("-vvv", "--diff"),
        ]
    assert [run.status for run in runs] == [0, 0, 0], runs[-1].output
    assert all(run.changed for run in runs), "nothing was replaced, so nothing could be seen"
    return {"output": in_text("\n".join(run.output for run in runs), secrets), "arguments": arguments}


@pytest.mark.parametrize("where", ["output", "arguments"])
def test_no_secret_is_seen_while_all_are_replaced(while_rotating: dict[str, list[str]], where: str) -> None:
    assert while_rotating[where] == []


@pytest.mark.usefixtures("while_rotating")
def test_no_secret_is_readable_to_everybody(stack: Stack) -> None:
    assert in_files(stack.ssh, planted()) == []


@pytest.mark.usefixtures("while_rotating")
def test_no_secret_is_logged(stack: Stack) -> None:
    assert in_logs(stack.ssh, planted()) == []


@pytest.mark.usefixtures("while_rotating")
def test_the_stack_still_answers(stack: Stack) -> None:
    assert stack.load({"measures": ["Orders.count"], "limit": 1 + time.time_ns() % 9999})["data"]


def test_the_search_sees_arguments_files_and_logs(lab: Any, tmp_path: Path) -> None:
    """A search that finds nothing proves something only if it would have found something."""
    stack = stack_on(lab, "bookworm")
    with watching_arguments([MARK]) as arguments:
        subprocess.run(["sh", "-c", f"sleep 0.2; : here {MARK}"], check=True)
        subprocess.run([*stack.ssh, f"sh -c 'sleep 0.2; : there {MARK}'"], check=True)
    assert any(": here" in line for line in arguments)
    assert any(line.startswith("sh -c") and ": there" in line for line in arguments)

    plant = f"echo {MARK} >/var/tmp/readable; install -m 0600 /var/tmp/readable /var/tmp/private; logger {MARK}"
    stack.host.check_output(plant)
    try:
        assert in_files(stack.ssh, [MARK]) == ["/var/tmp/readable"]
        assert in_logs(stack.ssh, [MARK])
    finally:
        stack.host.check_output("rm /var/tmp/readable /var/tmp/private")


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_the_search_sees_through_base64(before: str) -> None:
    text = base64.b64encode(f"{before}{MARK} and more".encode()).decode()
    assert in_text(text, [MARK])
    assert not in_text(base64.b64encode(b"something else altogether").decode(), [MARK])
    assert all(len(spelling) > 10 for spelling in spellings(MARK))
