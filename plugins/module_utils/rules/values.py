# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on what the variables of live instances are set to: whether the version takes it, and what it opens."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import setting_names, setting_values, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    FAIL,
    INFO,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import (
    about,
    doubt,
    doubtful,
    origin,
    several,
    shown,
    version_of,
    without_version,
)

ENABLE_TLS = "CUBEJS_ENABLE_TLS"
LOG_LEVEL = "CUBEJS_LOG_LEVEL"
DRIVER = "CUBEJS_CACHE_AND_QUEUE_DRIVER"
TELEMETRY = "CUBEJS_TELEMETRY"
AGENT = "CUBEJS_AGENT_ENDPOINT_URL"
LEVELS = ("trace", "info", "warn", "error")
_DECIDES_ON_REDIS = ("REDIS_URL", "CUBEJS_REDIS_URL", "CUBEJS_REDIS_USE_IOREDIS")


def _text(instance: LiveInstance, name: str) -> str:
    """Return a variable's text; "" where it is not set, or its text did not leave the host."""
    return instance.seen.value(name) or ""


def _from(instance: LiveInstance, *names: str) -> list[str]:
    settings = instance.seen.settings
    return [f"{name} from {origin(settings[name])}" for name in names if name in settings]


class ValuesAreTaken(Rule):
    """Cube throws on many a text that it cannot read: at its start, or with the first query that needs it.

    Which texts a version takes stands in one table, read in its packages: `true` and `false` and nothing else for most
    switches from 0.23.11 or 0.26 on, whole numbers, ports, durations. Older versions take any text, and mean false.
    """

    id = "values-are-taken"
    title = "The version can read the values of its variables"
    source = "Source of @cubejs-backend/shared 0.23.11 to 0.35.67 (env.js), and of env-var 6.3"
    remedy = "Write a value that the version takes, and restart the instance"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield the values that are not taken, or one finding for an instance that has none."""
        for instance in live.instances:
            version = version_of(instance)
            if not version:
                yield without_version(self, instance, "which values are taken")
            else:
                yield from self._of_instance(instance, version)

    def _of_instance(self, instance: LiveInstance, version: str) -> Iterator[Finding]:
        judged, refused = [], 0
        for name, setting in instance.seen.settings.items():
            kind = setting_values.kind_of(name, version)
            if kind is None:
                continue
            judged.append(name)
            text = setting.value.value
            if text is None or not kind.takes(text):
                refused += 1
                evidence = [f"from {origin(setting)}"]
                message = f"{shown(setting.value)} is not {kind.allowed}: {kind.otherwise}"
                yield about(self, instance, name, FAIL, message, f"Write {kind.allowed}", evidence=evidence)
        missing = doubt(instance)
        if missing:
            yield doubtful(self, instance, "whether all values are taken", missing)
        elif not refused:
            message = f"{several(judged)} can be read" if judged else "no variable is set whose text could be refused"
            yield self.of(instance, PASS if judged else NOT_APPLICABLE, message)


class LogLevelIsLegal(Rule):
    """A level that Cube does not know silences its log altogether, errors included."""

    id = "log-level"
    title = "CUBEJS_LOG_LEVEL is trace, info, warn or error"
    severity = WARNING
    source = "Source of @cubejs-backend/server-core 0.20.10 and 0.29.57 (prodLogger)"
    remedy = "Write warn, or remove CUBEJS_LOG_LEVEL, which is the same in production"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        setting = instance.seen.settings.get(LOG_LEVEL)
        evidence = _from(instance, LOG_LEVEL)
        if setting is not None and setting.value.given and _text(instance, LOG_LEVEL).lower() not in LEVELS:
            message = f"{LOG_LEVEL} is {shown(setting.value)}, which silences the log"
            return self.of(instance, FAIL, message, evidence=evidence)
        missing = doubt(instance, LOG_LEVEL)
        if missing:
            return doubtful(self, instance, LOG_LEVEL, missing)
        level = _text(instance, LOG_LEVEL).lower() or "not set, which is warn in production"
        return self.of(instance, PASS, f"{LOG_LEVEL} is {level}", evidence=evidence)


class DriverIsLegal(Rule):
    """Cache and queue are in Redis, or in memory, and from 0.31 on in Cube Store, too.

    Another text lets a process start and fail with its first query. From 0.32 on production without a Redis URL means
    Cube Store, where earlier versions took Redis on 127.0.0.1.
    """

    id = "cache-driver-legal"
    title = "The version knows the driver of cache and queue, and it is not Cube Store unawares"
    sentences = ("redis-cache-and-queue",)
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51, 0.31.69, 0.32.30 and 0.35.81"
    remedy = "Set CUBEJS_CACHE_AND_QUEUE_DRIVER to redis, and Redis' URL under the name that the version reads"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        version = version_of(instance)
        if not version:
            return without_version(self, instance, "which drivers there are")
        setting, evidence = instance.seen.settings.get(DRIVER), _from(instance, DRIVER, *_DECIDES_ON_REDIS)
        legal = ("redis", "memory", "cubestore") if versions.within(version, ">=0.31") else ("redis", "memory")
        if setting is not None and setting.value.given and _text(instance, DRIVER) not in legal:
            message = f"{DRIVER} is {shown(setting.value)}; Cube {version} knows {' and '.join(legal)}"
            return self.of(instance, FAIL, message, evidence=evidence)
        missing = doubt(instance, DRIVER) or ([] if _text(instance, DRIVER) else doubt(instance))
        if missing:
            return doubtful(self, instance, DRIVER, missing)
        if _text(instance, DRIVER):
            return self.of(instance, PASS, f"{DRIVER} is {_text(instance, DRIVER)}", evidence=evidence)
        if versions.within(version, "<0.32") or self._has_redis(instance, version):
            return self.of(instance, PASS, f"{DRIVER} is not set, which is Redis in production", evidence=evidence)
        message = f"without {DRIVER} and a URL of Redis, production means Cube Store for Cube {version}"
        project = instance.seen.project
        if project is not None and "cacheAndQueueDriver" in project.mentions:
            return self.of(instance, UNKNOWN, f"{message}, unless the project's code says otherwise")
        return self.of(instance, FAIL, message)

    @staticmethod
    def _has_redis(instance: LiveInstance, version: str) -> bool:
        """Return whether anything that the version reads makes it choose Redis."""
        if _text(instance, "CUBEJS_REDIS_USE_IOREDIS").lower() == "true":
            return True
        settings = instance.seen.settings
        urls = (name for name in _DECIDES_ON_REDIS[:2] if setting_names.is_read(name, version))
        return any(name in settings and settings[name].value.given for name in urls)


class CubeTlsIsOff(Rule):
    """TLS ends in the proxy. A process that is told to do it itself does not start from 0.26 on."""

    id = "cube-tls-off"
    title = "CUBEJS_ENABLE_TLS is not on"
    severity = CRITICAL
    sentences = ("tls-by-proxy",)
    source = "Source of @cubejs-backend/server 0.29.57"
    remedy = "Remove CUBEJS_ENABLE_TLS and TLS_PORT, and let the proxy end TLS"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        setting, version = instance.seen.settings.get(ENABLE_TLS), version_of(instance)
        missing = doubt(instance, ENABLE_TLS)
        if setting is None or _text(instance, ENABLE_TLS).lower() == "false":
            if missing:
                return doubtful(self, instance, ENABLE_TLS, missing)
            return self.of(instance, PASS, f"{ENABLE_TLS} is {'not set' if setting is None else 'false'}")
        removed = not version or versions.within(version, ">=0.26")
        outcome = "with which it does not start from 0.26 on" if removed else "so that it ends TLS itself"
        message = f"{ENABLE_TLS} is {shown(setting.value)}, {outcome}"
        severity = None if removed else WARNING
        return self.of(instance, FAIL, message, severity=severity, evidence=_from(instance, ENABLE_TLS))


class TelemetryIsDecided(Rule):
    """Cube reports its start and how much it is used to its vendor, unless it is told not to.

    Up to 0.26 only the text `false` switches it off.
    """

    id = "telemetry-decided"
    title = "CUBEJS_TELEMETRY is set, one way or the other"
    severity = INFO
    source = "Source of @cubejs-backend/server-core 0.20.10 and 0.29.57"
    remedy = "Set CUBEJS_TELEMETRY=false, or true where reports to the vendor are wanted"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        setting, version = instance.seen.settings.get(TELEMETRY), version_of(instance)
        missing = doubt(instance, TELEMETRY)
        if missing:
            return doubtful(self, instance, TELEMETRY, missing)
        if setting is None:
            return self.of(instance, FAIL, f"{TELEMETRY} is not set: reports are sent")
        text, evidence = _text(instance, TELEMETRY), _from(instance, TELEMETRY)
        if text not in ("false", "true") and version and setting_values.kind_of(TELEMETRY, version) is None:
            message = f"{TELEMETRY} is {shown(setting.value)}: reports are sent, as only 'false' stops them"
            return self.of(instance, FAIL, message, severity=WARNING, evidence=evidence)
        return self.of(instance, PASS, f"{TELEMETRY} is {shown(setting.value)}", evidence=evidence)


class NoAgentEndpoint(Rule):
    """Every message of the log goes to that address, SQL and its values included."""

    id = "agent-endpoint-unset"
    title = "CUBEJS_AGENT_ENDPOINT_URL is not set"
    severity = WARNING
    source = "Source of @cubejs-backend/server-core 0.20.10 and 0.29.57 (agentCollect)"
    remedy = "Remove CUBEJS_AGENT_ENDPOINT_URL, or waive this where it is wanted"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        setting = instance.seen.settings.get(AGENT)
        if setting is not None and setting.value.given:
            message = f"every message of the log is sent to {shown(setting.value)}"
            return self.of(instance, FAIL, message, evidence=_from(instance, AGENT))
        missing = doubt(instance, AGENT)
        if missing:
            return doubtful(self, instance, AGENT, missing)
        return self.of(instance, PASS, f"{AGENT} is not set")
