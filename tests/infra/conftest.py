"""What the tests on real hosts share: playbook runs on the scenario's hosts, and their records."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import testinfra

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = os.environ["LAB_SCENARIO"]
LAB = Path(os.environ["LAB_DIRECTORY"])


@dataclass(frozen=True)
class Run:
    """One playbook run: its exit status, all it printed, and the tasks that changed something."""

    status: int
    output: str
    changed: frozenset[tuple[str, str]]  # (host, task)
    tasks: int
    remote_calls: dict[str, int]


@dataclass(frozen=True)
class Lab:
    """The scenario's hosts, as a user with an inventory and `ansible-playbook` has them."""

    scenario: Path
    folder: Path

    def host(self, name: str) -> testinfra.host.Host:
        """Return a host, over SSH."""
        return testinfra.get_host(f"ssh://{name}", ssh_config=str(self.folder / "ssh_config"))

    def records(self, playbook: str, mode: str) -> list[dict[str, object]]:
        """Return what the runs of a playbook changed so far, oldest first; mode is `check` or `run`."""
        files = sorted((self.folder / "changes").glob(f"*-{playbook}-{mode}.json"))
        return [json.loads(path.read_text()) for path in files]

    def playbook(self, path: Path | str, *arguments: str, environment: dict[str, str] | None = None) -> Run:
        """Run a playbook on the scenario's hosts; any exit status is returned, none raises."""
        before = set((self.folder / "changes").glob("*"))
        # Under its own name, where it is one of examples/: its paths are relative to it.
        sources = [(self.scenario / "inventory.yml").resolve(), self.scenario / "lab.yml", self.folder / "hosts.yml"]
        inventories = [part for source in sources if source.exists() for part in ("-i", str(source))]
        done = subprocess.run(
            ["ansible-playbook", *inventories, str(path), *arguments],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        new = sorted(set((self.folder / "changes").glob("*")) - before)
        record = json.loads(new[-1].read_text()) if new else {"changes": [], "tasks": 0, "remote_calls": {}}
        return Run(
            status=done.returncode,
            output=done.stdout,
            changed=frozenset((entry["host"], entry["task"]) for entry in record["changes"]),
            tasks=record["tasks"],
            remote_calls=record["remote_calls"],
        )

    def converge(self, *arguments: str) -> Run:
        """Run the scenario's own converge.yml."""
        return self.playbook(self.scenario / "converge.yml", *arguments)


@pytest.fixture(scope="session")
def lab() -> Lab:
    """Return the scenario's hosts."""
    return Lab(scenario=ROOT / "molecule" / SCENARIO, folder=LAB)
