# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep, of each playbook run on a test scenario, which tasks changed which hosts."""

from __future__ import annotations

DOCUMENTATION = """
name: lab_changes
type: aggregate
short_description: Records the changed tasks of each run, and how long each task took
description:
  - Writes C(changes/NNN-PLAYBOOK-MODE.json) in the folder named by the environment variable E(LAB_DIRECTORY).
  - Does nothing without that variable.
requirements:
  - enabled through C(ANSIBLE_CALLBACKS_ENABLED)
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Collects, and writes once at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "lab_changes"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        """Start with nothing seen."""
        super().__init__()
        self.playbook = ""
        self.check_mode = False
        self.tasks = 0
        self.remote_calls: dict[str, int] = {}
        self.changes: list[dict[str, str]] = []
        self.seconds: dict[str, float] = {}
        self.current = ("", 0.0)

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Remember which playbook runs."""
        self.playbook = Path(playbook._file_name).stem

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Remember whether this is check mode."""
        self.check_mode = self.check_mode or bool(getattr(play, "check_mode", False))

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Count the task, and how long the one before it took."""
        self.tasks += 1
        self._next(task.get_name())

    def _next(self, name: str) -> None:
        last, since = self.current
        self.current = (name, time.monotonic())
        if last:
            self.seconds[last] = self.seconds.get(last, 0.0) + self.current[1] - since

    def v2_runner_on_ok(self, result: Any) -> None:
        """Note a change, and whether a module was sent to the host."""
        host = result._host.get_name()
        if "invocation" in result._result or any(
            "invocation" in item for item in result._result.get("results", []) if isinstance(item, dict)
        ):
            self.remote_calls[host] = self.remote_calls.get(host, 0) + 1
        if result._result.get("changed"):
            self.changes.append({"host": host, "task": result._task.get_name()})

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write what was seen."""
        self._next("")
        folder = os.environ.get("LAB_DIRECTORY")
        if not folder:
            return
        target = Path(folder) / "changes"
        target.mkdir(parents=True, exist_ok=True)
        mode = "check" if self.check_mode else "run"
        name = f"{len(list(target.iterdir())):03d}-{self.playbook}-{mode}.json"
        seen = {
            "tasks": self.tasks,
            "remote_calls": self.remote_calls,
            "changes": self.changes,
            "seconds": self.seconds,
        }
        (target / name).write_text(json.dumps(seen, indent=1))
