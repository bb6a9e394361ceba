# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the names of live instances' variables: whether the version reads them, and what they do there."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import setting_names, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    ERROR,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Setting
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import (
    about,
    doubt,
    doubtful,
    origin,
    several,
    version_of,
    without_version,
)

APP = "CUBEJS_APP"
# Old and new name of each of Redis' variables; the new one wins where both are read.
REDIS_NAMES = (
    ("REDIS_URL", "CUBEJS_REDIS_URL"),
    ("REDIS_PASSWORD", "CUBEJS_REDIS_PASSWORD"),
    ("REDIS_TLS", "CUBEJS_REDIS_TLS"),
)
_TWINS = {one: other for old, new in REDIS_NAMES for one, other in ((old, new), (new, old))}
# These have rules of their own, which say what comes of it.
_JUDGED_ELSEWHERE = frozenset({APP, "CUBEJS_ENABLE_TLS", "TLS_PORT", *(name for pair in REDIS_NAMES for name in pair)})


class VariablesAreRead(Rule):
    """A variable that the version does not read does nothing, and whoever set it believes that it does."""

    id = "variables-are-read"
    title = "The version reads the variables that are set"
    severity = WARNING
    source = "Source of @cubejs-backend/shared 0.23.11 to 0.35.67, and CHANGELOG of Cube.js"
    remedy = "Remove the variable, or use a version that reads it"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield the variables that nothing reads, or one finding for an instance that has none."""
        for instance in live.instances:
            version = version_of(instance)
            if not version:
                yield without_version(self, instance, "which variables are read")
            else:
                yield from self._of_instance(instance, version)

    def _of_instance(self, instance: LiveInstance, version: str) -> Iterator[Finding]:
        idle = 0
        for name, setting in instance.seen.settings.items():
            problem = None if name in _JUDGED_ELSEWHERE else setting_names.problem(name, version)
            if problem is not None:
                idle += 1
                evidence = [f"from {origin(setting)}"]
                yield about(self, instance, name, FAIL, problem.message, problem.remedy, evidence=evidence)
        missing = doubt(instance)
        if missing:
            yield doubtful(self, instance, "which variables are set", missing)
        elif not idle:
            yield self.of(instance, PASS, f"Cube {version} reads all variables that are known to be Cube's")


class RedisNamesFit(Rule):
    """The variables of Redis were renamed in 0.27: an older version does not read the new names.

    It connects to 127.0.0.1 then, or without a password, and ends with the first query; until then it seems to be well.
    From 0.27 on the old names are read, too, and deprecated.
    """

    id = "redis-variable-names"
    title = "Redis' variables have the names that the version reads"
    severity = CRITICAL
    sentences = ("redis-url", "redis-password", "redis-tls")
    source = "cube-js/cube issues 2314 and 3442; source of @cubejs-backend/shared 0.26.103 and 0.27.31"
    remedy = (
        "Up to 0.26 write REDIS_URL, REDIS_PASSWORD and REDIS_TLS; from 0.27.1 on the same with CUBEJS_ before them"
    )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        for instance in live.instances:
            yield from self._judged(instance)

    def _judged(self, instance: LiveInstance) -> Iterator[Finding]:
        settings, version = instance.seen.settings, version_of(instance)
        present = [name for pair in REDIS_NAMES for name in pair if name in settings]
        missing = doubt(instance)
        if not version:
            yield without_version(self, instance, "which names of Redis' variables are read")
            return
        idle = [name for name in present if not setting_names.is_read(name, version)]
        for name in idle:
            twin = _TWINS[name]
            has_twin = twin in present and setting_names.is_read(twin, version)
            message = f"Cube {version} does not read it" + (f", but {twin}, which is set, too" if has_twin else "")
            severity = WARNING if has_twin else None
            evidence = [f"from {origin(settings[name])}"]
            yield about(self, instance, name, FAIL, message, severity=severity, evidence=evidence)
        if missing:
            yield doubtful(self, instance, "which of Redis' variables are set", missing)
        elif not present:
            yield self.of(instance, NOT_APPLICABLE, "none of Redis' variables is set")
        elif not idle:
            yield self.of(instance, PASS, f"Cube {version} reads {several(present)}")


class RedisNamesAgree(Rule):
    """Where both names of a variable are set, the newer wins: what the other one says is believed and not done.

    From 0.27 on an empty new name, or a new TLS that is false, lets the old one decide.
    """

    id = "redis-variables-agree"
    title = "Old and new names of Redis' variables do not contradict each other"
    sentences = ("redis-url", "redis-password", "redis-tls")
    source = "Source of @cubejs-backend/shared 0.27.31 and 0.29.51"
    remedy = "Keep the name that the version prefers (CUBEJS_REDIS_... from 0.27.1 on), and remove the other one"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        for instance in live.instances:
            settings = instance.seen.settings
            both = [pair for pair in REDIS_NAMES if all(name in settings for name in pair)]
            apart = [pair for pair in both if not self._agree(settings[pair[0]], settings[pair[1]])]
            missing = doubt(instance)
            for old, new in apart:
                evidence = [f"{name} from {origin(settings[name])}" for name in (old, new)]
                yield about(self, instance, old, FAIL, f"it differs from {new}", evidence=evidence)
            if not apart and missing:
                yield doubtful(self, instance, "whether both names are set", missing)
            elif not apart:
                message = f"{several(' and '.join(pair) for pair in both)} agree" if both else "no name is set twice"
                yield self.of(instance, PASS if both else NOT_APPLICABLE, message)

    @staticmethod
    def _agree(one: Setting, other: Setting) -> bool:
        if one.value.secret or other.value.secret:
            return one.value.fingerprint == other.value.fingerprint
        return (one.value.value or "").lower() == (other.value.value or "").lower()


class AppDoesNotIsolate(Rule):
    """CUBEJS_APP is in the names of Redis keys up to 0.28 only: from 0.29 on it keeps no deployment's data apart."""

    id = "cubejs-app-isolation"
    title = "CUBEJS_APP is not relied upon to separate deployments in Redis"
    source = "Source of @cubejs-backend/server-core 0.19.61 to 0.35.81"
    remedy = "Give each deployment a Redis or an index of its own, or set contextToOrchestratorId in the project"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        tenants: dict[tuple[str, int], set[str]] = {}
        for instance in live.instances:
            database = self._database(live, instance)
            if database is not None:
                tenants.setdefault(database, set()).add(instance.tenant)
        for instance in live.instances:
            database = self._database(live, instance)
            yield self._judged(instance, shared=database is not None and len(tenants[database]) > 1)

    @staticmethod
    def _database(live: Live, instance: LiveInstance) -> tuple[str, int] | None:
        host = live.observations.get(instance.host)
        redis = host.redis.get(instance.seen.redis) if host else None
        return (redis.run_id, redis.index) if redis is not None and redis.run_id else None

    def _judged(self, instance: LiveInstance, *, shared: bool) -> Finding:
        setting, version = instance.seen.settings.get(APP), version_of(instance)
        missing = doubt(instance, APP)
        if setting is None and missing:
            return doubtful(self, instance, APP, missing)
        if setting is None:
            return self.of(instance, NOT_APPLICABLE, f"{APP} is not set")
        if not version:
            return without_version(self, instance, f"what {APP} does")
        if versions.within(version, "<0.29"):
            return self.of(instance, PASS, f"Cube {version} has {APP} in the names of its keys")
        if instance.seen.prefix is None:
            message = f"{APP} is set, and whether the names of keys in Redis have it is not known of Cube {version}, "
            message += "or is up to the project's code"
            return self.of(instance, UNKNOWN, message)
        message = f"Cube {version} does not have {APP} in the names of its keys"
        message += ", and another tenant is on the same database of the same Redis" if shared else ""
        severity = ERROR if shared else WARNING
        return self.of(instance, FAIL, message, severity=severity, evidence=[f"from {origin(setting)}"])
