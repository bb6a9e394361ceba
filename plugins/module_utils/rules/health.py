# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on how a process answers: its health, whether it outlives being asked, and WebSockets."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import (
    answer,
    doubt,
    doubtful,
    origin,
    silent,
    version_of,
    without_version,
)

WEB_SOCKETS = "CUBEJS_WEB_SOCKETS"
_SWITCHED = 101
# From here on capital letters are taken, too (env-var's asBoolStrict); before, the text is compared with `true`.
_ANY_CASE = ">=0.23.11"
_HEALTH = {
    "livez": "a driver of a data source that was in use has no connection",
    "readyz": "the source database or the pre-aggregation storage is down",
}


class HealthIsAnswered(Rule):
    """/livez and /readyz answer 200 from 0.24.12 on: /readyz logs in to the source and to the storage.

    It does not see Redis, and makes a process open it: so it is asked only where Redis was reached. Before 0.24.12
    both answer 404, and there is nothing to be judged by.
    """

    id = "health-endpoints"
    title = "/livez and /readyz answer 200"
    versions = ">=0.24.12"
    source = "Measured on Cube.js 0.20.10 and 0.29.57; CHANGELOG of Cube.js 0.24.12"
    remedy = "Look at the instance's journal, and reach the source database and the storage with its own settings"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        version = version_of(instance)
        if version and not versions.has_health_endpoints(version):
            return self.of(instance, NOT_APPLICABLE, f"Cube {version} has no /livez and /readyz (since 0.24.12): 404")
        found = {question: answer(instance, question) for question in _HEALTH}
        evidence = [f"/{question} answers {each.status}" for question, each in found.items() if each is not None]
        for question, each in found.items():
            if each is not None and each.status != 200:
                told = f"/{question} answers {each.status}: {_HEALTH[question]}"
                return self.of(instance, FAIL, told, evidence=evidence)
        if None not in found.values():
            return self.of(instance, PASS, "/livez and /readyz answer 200", evidence=evidence)
        if not version and instance.seen.http is not None:
            return without_version(self, instance, "whether there are /livez and /readyz")
        return silent(self, instance, *_HEALTH)


class ProcessOutlivesQuestions(Rule):
    """A process that ends when it is asked dies of its Redis: any error of Redis ends it.

    A fresh process opens Redis with the first question only, so that it seems to be well until then.
    """

    id = "process-outlives-questions"
    title = "The process is the same one after it was asked"
    source = "Measured on Cube.js 0.29.57; cube-js/cube issue 2314"
    remedy = "Look at the instance's journal for errors of Redis, and at how often its unit was restarted"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        http = instance.seen.http
        if http is None or http.same_process is None:
            return silent(self, instance, "same_process")
        seconds = f"{http.settled_seconds:g} s"
        if not http.same_process:
            return self.of(instance, FAIL, f"the process ended within {seconds} of being asked")
        return self.of(instance, PASS, f"the process was the same {seconds} after it was asked")


class WebSocketsAsSet(Rule):
    """A process takes WebSockets where CUBEJS_WEB_SOCKETS is true, and nowhere else.

    Switched off, a client waits for ever; switched on unawares, there is a second way in beside the proxy's rules for
    REST. A project may switch them on in its own code (webSockets).
    """

    id = "websockets-as-set"
    title = "The process takes WebSockets where CUBEJS_WEB_SOCKETS is true, and only there"
    severity = WARNING
    source = "cube-js/cube issue 6891; source of @cubejs-backend/server 0.29.57"
    remedy = "Set CUBEJS_WEB_SOCKETS to what clients need, true or false, and restart the instance"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        found = answer(instance, "websocket")
        if found is None:
            return silent(self, instance, "websocket")
        missing = doubt(instance, WEB_SOCKETS)
        if missing:
            return doubtful(self, instance, WEB_SOCKETS, missing)
        taken, wanted = found.status == _SWITCHED, self._is_on(instance)
        setting = instance.seen.settings.get(WEB_SOCKETS)
        evidence = [f"an upgrade is answered with {found.status}"]
        evidence += [f"{WEB_SOCKETS} from {origin(setting)}"] if setting else []
        told = f"{WEB_SOCKETS} is {'on' if wanted else 'off'}, and WebSockets are {'taken' if taken else 'not taken'}"
        project = instance.seen.project
        if taken and not wanted and project is not None and "webSockets" in project.mentions:
            return self.of(instance, PASS, f"{told}: the project speaks of webSockets in its code", evidence=evidence)
        return self.of(instance, PASS if taken == wanted else FAIL, told, evidence=evidence)

    @staticmethod
    def _is_on(instance: LiveInstance) -> bool:
        text = instance.seen.value(WEB_SOCKETS) or ""
        version = version_of(instance)
        return text == "true" if version and not versions.within(version, _ANY_CASE) else text.lower() == "true"
