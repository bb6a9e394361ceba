# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on production mode, in layers: what the settings say, and what the process says of itself."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    ERROR,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import DOTENV, Value
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.layering import (
    DEVELOPMENT,
    PRODUCTION,
    READS_DEV_MODE,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import (
    answer,
    bounded,
    doubt,
    doubtful,
    origin,
    shown,
    silent,
    version_of,
)

NODE_ENV = "NODE_ENV"
DEV_MODE = "CUBEJS_DEV_MODE"


def _is_off(text: str | None) -> bool:
    return text is not None and text.lower() == "false"


def _pending(instance: LiveInstance, name: str) -> Iterator[tuple[str, Value]]:
    """Yield file and value of what would set a variable otherwise at the next start, or when a .env is read again."""
    for each in instance.seen.differences:
        if each.name == name and each.on_disk is not None:
            yield each.path, each.on_disk
    for layer in instance.seen.layers:
        if layer.kind == DOTENV and name in layer.values:
            yield layer.path, layer.values[name]


class NodeEnvIsProduction(Rule):
    """Any other text than `production`, and none, is development: anybody is let in, and the Playground is open.

    `cubejs-server` sets it by itself from 0.22 on. A `.env` in the working directory adds it where nothing else sets
    it, and takes over when Cube is told to read it again (SIGUSR1).
    """

    id = "node-env-production"
    title = "NODE_ENV is production"
    severity = CRITICAL
    sentences = ("node-env",)
    source = "Source of @cubejs-backend/api-gateway and @cubejs-backend/server 0.20.10 and 0.29.57"
    remedy = "Set NODE_ENV=production in the unit's environment, remove it from .env, and start Cube by cubejs-server"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        setting = instance.seen.settings.get(NODE_ENV)
        if setting is not None and setting.value.value != PRODUCTION:
            told = f"{NODE_ENV} is {shown(setting.value)}, which is development"
            return self.of(instance, FAIL, told, evidence=[f"from {origin(setting)}"])
        missing = doubt(instance, NODE_ENV)
        if missing:
            return doubtful(self, instance, NODE_ENV, missing)
        if setting is None:
            return self.of(instance, FAIL, f"{NODE_ENV} is not set, which is development")
        for path, value in _pending(instance, NODE_ENV):
            if value.value != PRODUCTION:
                told = f"{bounded(path)} sets {NODE_ENV} to {shown(value)} for the next start or reload"
                return self.of(instance, FAIL, told, severity=ERROR)
        return self.of(instance, PASS, f"{NODE_ENV} is {PRODUCTION}", evidence=[f"from {origin(setting)}"])


class DevelopmentModeIsOff(Rule):
    """`CUBEJS_DEV_MODE=true` opens the Playground whatever NODE_ENV says, and `cubejs-server` then sets that, too.

    It is looked for in what the process was started with and in every file that sets variables, a stray `.env` in the
    working directory among them: what is not in force now comes into force with the next start or reload.
    """

    id = "development-mode-off"
    title = "CUBEJS_DEV_MODE is not on, neither in the process nor in a file"
    severity = CRITICAL
    versions = READS_DEV_MODE
    sentences = ("no-playground",)
    source = "Source of @cubejs-backend/server 0.29.57 (lookupConfiguration) and @cubejs-backend/server-core 0.29.57"
    remedy = "Remove CUBEJS_DEV_MODE from the unit, its environment files and .env, and restart the instance"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        version = version_of(instance)
        if version and not versions.within(version, self.versions):
            return self.of(instance, NOT_APPLICABLE, f"Cube {version} does not know {DEV_MODE} (since 0.23.12)")
        setting = instance.seen.settings.get(DEV_MODE)
        if setting is not None and not _is_off(setting.value.value):
            told = f"{DEV_MODE} is {shown(setting.value)}, and not false"
            return self.of(instance, FAIL, told, evidence=[f"from {origin(setting)}"])
        for path, value in _pending(instance, DEV_MODE):
            if not _is_off(value.value):
                told = f"{bounded(path)} sets {DEV_MODE} to {shown(value)} for the next start or reload"
                return self.of(instance, FAIL, told, severity=ERROR)
        missing = doubt(instance, DEV_MODE)
        if missing:
            return doubtful(self, instance, DEV_MODE, missing)
        return self.of(instance, PASS, f"{DEV_MODE} is {'not set' if setting is None else 'false'}")


class AnswersInProductionMode(Rule):
    """The root page says in which mode a process really runs, whatever its settings seem to say.

    Production answers one sentence, development serves the Playground.
    """

    id = "root-page-production"
    title = "The root page says that Cube.js runs in production mode"
    severity = CRITICAL
    sentences = ("node-env", "no-playground")
    source = "Measured on Cube.js 0.20.10 and 0.29.57"
    remedy = "Set NODE_ENV=production, remove CUBEJS_DEV_MODE, and restart the instance"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        http = instance.seen.http
        if http is not None and http.mode == PRODUCTION:
            return self.of(instance, PASS, "the root page says production mode")
        if http is not None and http.mode == DEVELOPMENT:
            return self.of(instance, FAIL, "the root page is the Playground")
        root = answer(instance, "root")
        if root is None:
            return silent(self, instance, "root")
        return self.of(
            instance,
            UNKNOWN,
            f"the root page answers {root.status} and names no mode: the project may serve one of its own",
            "Look at / where the instance listens; the settings and the other routes are judged apart from it",
        )
