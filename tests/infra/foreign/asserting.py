"""The playbook of a stranger, with every assert module in it: how it is run, and what came of each module."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLAYBOOK = Path(__file__).with_name("asserts.yml")
TASKS = {
    "Assert production mode": "production_mode",
    "Assert pools that are large enough": "redis_pool",
    "Assert one Redis": "shared_redis",
    "Assert a storage": "storage",
    "Assert a refresh worker": "refresh_worker",
    "Assert HTTPS": "https",
}


@dataclass(frozen=True)
class Asserted:
    """One run. results: module, in short, then host -> what it returned; seen: host -> what instance_info returned."""

    status: int
    results: dict[str, dict[str, Any]]
    seen: dict[str, Any]
    changed: frozenset[tuple[str, str]]
    output: str

    def outcomes(self, host: str) -> dict[str, str]:
        """Return module -> outcome on a host."""
        return {module: of_host[host].get("outcome", "none") for module, of_host in self.results.items()}


def run(lab: Any, *arguments: str, **variables: Any) -> Asserted:
    """Run the playbook, and read what every task returned of every host."""
    told = [*arguments, "--extra-vars", json.dumps(variables)]
    done = lab.playbook(PLAYBOOK, *told, environment={"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"})
    # Errors that a task ignores are printed before it all.
    data = json.loads(done.output[f"\n{done.output}".index("\n{\n") :])
    tasks = {each["task"]["name"]: each["hosts"] for play in data["plays"] for each in play["tasks"]}
    seen = tasks.get("See what runs", {})
    return Asserted(
        done.status,
        {module: tasks[name] for name, module in TASKS.items() if name in tasks},
        {host: each["observation"] for host, each in seen.items()},
        done.changed,
        done.output,
    )
