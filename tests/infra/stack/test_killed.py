"""A run that is killed, again and again, and run again ends in the state of one that was left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from searching import in_text
from stacks import ROOT, Stack, inventory, planted, rotated, stack_on

HOST = "spare"
TWIN = "bookworm"
MOST_RUNS = 60
MIDDLE_SECONDS = 3
RELEASES = "/opt/cubejs/tenants/acme/releases/"

STATE = (Path(__file__).parent / "on_host" / "state.py").read_text()


@dataclass
class Runs:
    """Runs of the whole deployment on the spare host, all of whose output is kept."""

    inventory: Path
    hosts: Path
    output: list[str] = field(default_factory=list)
    killed_at: list[str] = field(default_factory=list)
    in_the_middle_of: list[str] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run in a process group of its own."""
        inventories = ["-i", str(self.inventory), "-i", str(self.hosts)]
        return subprocess.Popen(
            ["ansible-playbook", *inventories, "-vvv", "--diff", *arguments, str(ROOT / "playbooks" / "site.yml")],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def until_changed(self, *arguments: str) -> int | None:
        """Run, and kill all of it as soon as a task has changed something; return the exit status of a whole run.

        A task of `in_the_middle_of` is killed some seconds after it began, once.
        """
        task = ""
        with self.start(*arguments) as run:
            assert run.stdout
            for line in run.stdout:
                self.output.append(line)
                task = line[6:].split("]")[0] if line.startswith("TASK [") else task
                began = line.startswith("TASK [") and task in self.in_the_middle_of
                if began:
                    self.in_the_middle_of.remove(task)
                    time.sleep(MIDDLE_SECONDS)
                if began or line.startswith(f"changed: [{HOST}]"):
                    os.killpg(run.pid, signal.SIGKILL)
                    self.killed_at.append(f"{'during' if began else 'after'} {task}")
                    return None
        return run.returncode

    def undisturbed(self, *arguments: str) -> None:
        """Run once, and kill nothing."""
        with self.start(*arguments) as run:
            self.output.append(run.communicate()[0])
        assert run.returncode == 0, self.output[-1][-5000:]

    def to_the_end(self, *arguments: str) -> None:
        """Run again and again, each run killed at its first change, until a run finds nothing to change."""
        for _run in range(MOST_RUNS):
            status = self.until_changed(*arguments)
            if status is not None:
                assert status == 0, "".join(self.output[-80:])
                return
        pytest.fail(f"still changing after {MOST_RUNS} runs: {self.killed_at}")


def state_of(stack: Stack) -> dict[str, Any]:
    """Return the state of a host."""
    done = subprocess.run([*stack.ssh, "python3 -"], input=STATE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what two states do not have in common."""
    return {key: (one.get(key), other.get(key)) for key in sorted({*one, *other}) if one.get(key) != other.get(key)}


@pytest.fixture(scope="module")
def spare(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Runs, dict[str, Any]]:
    """Return runs on the spare host, with the inventory of its twin."""
    whole = inventory()
    [tenant] = [each for each in whole["all"]["vars"]["cubejs_tenants"] if TWIN in each["hosts"]]
    tenant = {**tenant, "hosts": [HOST]}
    groups = {name: {"hosts": {HOST: {}}} for name in whole if name != "all"}
    path = tmp_path_factory.mktemp("spare") / "inventory.yml"
    path.write_text(yaml.safe_dump({**groups, "all": {"vars": {**whole["all"]["vars"], "cubejs_tenants": [tenant]}}}))
    return Runs(path, lab.folder / "hosts.yml"), tenant


@pytest.fixture(scope="module")
def deployed(spare: tuple[Runs, dict[str, Any]], lab: Any) -> Runs:
    """Deploy onto the empty host by runs that are killed after every change, and in the middle of the longest."""
    runs, _tenant = spare
    changes = [change["task"] for change in lab.records("converge", "run")[0]["changes"] if change["host"] == TWIN]
    runs.in_the_middle_of += [task for task in changes if "Install packages" in task or "elease" in task]
    runs.to_the_end()
    return runs


def test_runs_killed_on_an_empty_host_end_in_the_state_of_one_left_alone(deployed: Runs, lab: Any) -> None:
    assert len(deployed.killed_at) >= 6, deployed.killed_at
    # Its twin keeps earlier releases for rollback. That which runs is named after all that is in it.
    found = differences(state_of(stack_on(lab, TWIN)), state_of(spare_stack(lab)))
    assert {key: both for key, both in found.items() if not key.startswith(RELEASES)} == {}


def test_what_came_of_it_answers(deployed: Runs, lab: Any) -> None:
    assert spare_stack(lab).load({"measures": ["Orders.count"]})["data"]


def test_killed_runs_showed_no_secret(deployed: Runs) -> None:
    assert in_text("".join(deployed.output), planted()) == []


def test_runs_killed_while_secrets_are_replaced_end_with_the_new_ones(
    deployed: Runs, spare: tuple[Runs, dict[str, Any]], lab: Any, tmp_path: Path
) -> None:
    """Also between a changed file and the restart that it needs; a run that brings the old ones back leaves nothing."""
    runs, tenant = spare
    before = state_of(spare_stack(lab))
    variables = tmp_path / "rotated.yml"
    variables.write_text(yaml.safe_dump({"cubejs_tenants": [rotated(tenant)]}))
    runs.to_the_end("--extra-vars", f"@{variables}")
    assert spare_stack(lab, rotation=1).load({"measures": ["Orders.count"]})["data"]
    runs.undisturbed()
    assert spare_stack(lab).load({"measures": ["Orders.count"]})["data"]
    remaining = differences(before, state_of(spare_stack(lab)))
    # Earlier releases are kept for rollback: that of the rotated secrets is one now.
    assert [key for key in remaining if not key.startswith(RELEASES)] == []


def spare_stack(lab: Any, rotation: int = 0) -> Stack:
    """Return the stack on the spare host: its twin's tenant, at its own address."""
    twin = stack_on(lab, TWIN, rotation)
    address = yaml.safe_load((lab.folder / "hosts.yml").read_text())["all"]["hosts"][HOST]["ansible_host"]
    shell = ("ssh", "-F", str(lab.folder / "ssh_config"), HOST)
    return Stack(
        host=lab.host(HOST),
        name=HOST,
        tenant=twin.tenant,
        cube=type(twin.cube)(twin.cube.server_name, address, twin.cube.authority),
        secret=twin.secret,
        redis_password=twin.redis_password,
        storage=type(twin.storage)(shell, twin.storage.schema),
    )
