# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on where live instances' settings come from: whether all was read, and whether disk and process agree."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import DOTENV, Difference
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import (
    BECOME,
    MOST_TOLD,
    bounded,
    doubtful,
    several,
    unread,
)


class ProcessMatchesDisk(Rule):
    """A process goes by what it was started with: what was changed on disk since comes with its next start, unawares.

    Only units of systemd are compared: what else starts a process keeps its environment elsewhere. A `.env` is read
    by the process itself, so that only its time tells.
    """

    id = "process-matches-disk"
    title = "Processes run with the environment that is on disk"
    severity = WARNING
    source = "systemd.exec(5), EnvironmentFile="
    remedy = "Restart the instance, or take the change back"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        seen = instance.seen
        if not seen.running:
            return self.of(instance, NOT_APPLICABLE, "it is not running")
        changed = [each.path for each in seen.layers if each.kind == DOTENV and each.changed_after_start]
        if changed:
            message = f"{bounded(changed[0])} was changed after the process had read it"
            return self.of(instance, FAIL, message)
        if seen.differences:
            evidence = [f"{bounded(each.name)}: {_difference(each)}" for each in seen.differences[:MOST_TOLD]]
            message = f"{several(each.name for each in seen.differences)} stand otherwise on disk than in the process"
            return self.of(instance, FAIL, message, evidence=evidence)
        missing = unread(instance)
        if missing:
            return doubtful(self, instance, "whether disk and process agree", missing)
        if seen.unit is None:
            return self.of(instance, NOT_APPLICABLE, f"{seen.manager or 'something else'} started it, and no unit")
        return self.of(instance, PASS, "the process has what is on disk")


def _difference(each: Difference) -> str:
    if each.on_disk is None:
        return "in the process, and no file sets it"
    if each.in_process is None:
        return f"set by {bounded(each.path)}, and not in the process"
    return f"{bounded(each.path)} sets another value than the process has"


class SettingsWereRead(Rule):
    """What cannot be read cannot be judged: the rules on settings say `unknown` where it could matter."""

    id = "settings-readable"
    title = "All sources of an instance's settings could be read"
    severity = WARNING
    remedy = BECOME

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        for instance in live.instances:
            missing = [*unread(instance), *(each for each in instance.seen.unknown if each.what == "settings")]
            if missing:
                yield doubtful(self, instance, "how the instance is set", missing)
            else:
                yield self.of(instance, PASS, f"{len(instance.seen.settings)} variables from all sources were read")
