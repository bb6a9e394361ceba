# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The status that a whole run of ansible-playbook ends with: the outcome's, if nothing else went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.outcome import EXIT_STATUSES, FINDINGS, OK

COLLECTION = "cubeops.cubejs."
JUDGES = tuple(f"{COLLECTION}{name}" for name in ("checklist", "plan"))
ENDS = ("ansible.builtin.fail", "ansible.legacy.fail", "fail")
# What ansible-playbook ends with when tasks failed on hosts.
HOSTS_FAILED = 2


@dataclass
class Tally:
    """What happened in a run so far: the outcomes of judgements, and whether anything but a verdict failed."""

    outcomes: set[str] = field(default_factory=set)
    others_failed: bool = False
    _verdicts: set[str] = field(default_factory=set)

    def add(self, action: str, result: Mapping[str, Any], *, failed: bool) -> None:
        """Count the result of a task; failed: and nothing caught it."""
        outcome = result.get("outcome")
        if (action in JUDGES or action.startswith(f"{COLLECTION}assert_")) and outcome in EXIT_STATUSES:
            self.outcomes.add(str(outcome))
            self._verdicts.add(str(result.get("msg")))
        elif failed and not (action in ENDS and str(result.get("msg")) in self._verdicts):
            self.others_failed = True

    def status(self, given: Any) -> Any:
        """Return what to end with instead of the status given: the worst outcome's where only verdicts failed.

        What was found comes before what could not be looked at. Any other status, as of unreachable hosts, stays.
        """
        worst = next((name for name in (FINDINGS, *EXIT_STATUSES) if name in self.outcomes and name != OK), None)
        if worst is None or given not in (0, None, HOSTS_FAILED) or (given == HOSTS_FAILED and self.others_failed):
            return given
        return EXIT_STATUSES[worst]
