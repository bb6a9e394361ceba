# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a refresh worker that runs does anything."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, PASS, UNKNOWN, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

# Every so often the process that executes a query says that it lives, and others give it up after four times as much.
HEARTBEAT_SECONDS = 120.0
BUILDS = "SQL_PRE_AGGREGATIONS"
STOPPED = "T"


class RefreshWorkerLives(Rule):
    """A worker can run and do nothing: stopped, frozen, or in a loop. It then answers nobody, and builds stand still.

    Cube itself gives an executing query up that has shown no sign of life for 120 seconds.
    """

    id = "refresh-worker-alive"
    title = "The refresh worker answers, and its builds show life"
    sentences = ("refresh-worker",)
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51"
    remedy = "Look at what it does, and restart it"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each running refresh worker."""
        for instance in known.running(known.workers(live.instances)):
            yield self._judged(instance, live)

    def _judged(self, instance: LiveInstance, live: Live) -> Finding:
        seen, http = instance.seen, instance.seen.http
        if seen.process and seen.process.state.upper() == STOPPED:
            return self.of(instance, FAIL, "its process is stopped (state T)", "Let it go on (SIGCONT), or restart it")
        if http is not None and not http.answers and http.unknown:
            said = [f"{each.what}: {each.reason}" for each in http.unknown[:2]]
            return self.of(instance, FAIL, f"it runs, and does not answer at {http.address}", evidence=said)
        still = list(_standing_still(instance, live))
        if still:
            told = f"a build shows no life for more than {HEARTBEAT_SECONDS:.0f} s"
            return self.of(instance, FAIL, told, evidence=still, severity=WARNING)
        if http is None or not http.answers:
            why = "it was not asked, so that it may be frozen"
            remedy = "Observe it with the probe http, from within its own network"
            return self.of(instance, UNKNOWN, why, remedy)
        return self.of(instance, PASS, "it answers")


def _standing_still(instance: LiveInstance, live: Live) -> Iterator[str]:
    host = known.observation_of(live, instance)
    redis = host.redis.get(instance.seen.redis) if host else None
    for queue in redis.queues if redis else ():
        age = queue.oldest_heartbeat_seconds
        if queue.name.startswith(BUILDS) and age is not None and age > HEARTBEAT_SECONDS:
            yield f"{queue.name}: {age:.0f} s"
