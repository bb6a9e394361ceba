# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on whom a process lets in where it listens: the Playground's routes, tokens, a second key, and the SQL API."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import setting_names
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
from ansible_collections.cubeops.cubejs.plugins.module_utils.health import META
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import (
    about,
    answer,
    doubt,
    doubtful,
    origin,
    shown,
    silent,
    version_of,
)

PLAYGROUND_SECRET = "CUBEJS_PLAYGROUND_AUTH_SECRET"  # noqa: S105 a name
SQL_PORTS = ("CUBEJS_SQL_PORT", "CUBEJS_PG_SQL_PORT")
SQL_LOGIN = ("CUBEJS_SQL_USER", "CUBEJS_SQL_PASSWORD")
_REFUSED = (401, 403)
_CLOSED = (*_REFUSED, 404)


class PlaygroundIsClosed(Rule):
    """In development these routes know no authentication: they give a token and the schema away, and write `.env`.

    A route is closed where it answers 404, or refuses.
    """

    id = "playground-closed"
    title = "The Playground's routes are closed"
    severity = CRITICAL
    sentences = ("no-playground", "api-only")
    source = "Source of @cubejs-backend/server-core 0.29.57 (DevServer.js)"
    remedy = "Set NODE_ENV=production, remove CUBEJS_DEV_MODE, and restart the instance; then rotate the API secret"
    _questions = ("playground_context", "playground_files")

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        found = {question: answer(instance, question) for question in self._questions}
        routes = {q.replace("_", "/"): each.status for q, each in found.items() if each is not None}
        evidence = [f"/{route} answers {status}" for route, status in routes.items()]
        opened = [f"/{route}" for route, status in routes.items() if 200 <= status < 300]
        if opened:
            return self.of(instance, FAIL, f"{' and '.join(opened)} answer without a token", evidence=evidence)
        if None in found.values():
            return silent(self, instance, *self._questions)
        odd = [f"/{route} answers {status}" for route, status in routes.items() if status not in _CLOSED]
        if odd:
            told = f"{' and '.join(odd)}, which is neither open nor closed"
            return self.of(instance, UNKNOWN, told, "Ask the route yourself, and see what answers", evidence=evidence)
        return self.of(instance, PASS, "the Playground's routes are closed", evidence=evidence)


def _refused(rule: Rule, instance: LiveInstance, question: str, who: str) -> Finding:
    """Return whether the API turns a request away."""
    found = answer(instance, question)
    if found is None:
        return silent(rule, instance, question)
    evidence = [f"{META} answers {found.status}"]
    if found.status in _REFUSED:
        return rule.of(instance, PASS, f"the API refuses {who}", evidence=evidence)
    if 200 <= found.status < 300:
        return rule.of(instance, FAIL, f"the API answers {who}", evidence=evidence)
    told = f"{META} answers {who} with {found.status}, which says nothing of tokens"
    remedy = "See whether the project serves the API elsewhere (basePath), or fails; ask it there without a token"
    return rule.of(instance, UNKNOWN, told, remedy, evidence=evidence)


class TokenIsRequired(Rule):
    """Outside of production mode a missing token is only logged, and so it is where a project's checkAuth lets it."""

    id = "token-required"
    title = "The API refuses requests without a token"
    severity = CRITICAL
    sentences = ("api-only",)
    source = "Source of @cubejs-backend/api-gateway 0.20.10 and 0.29.57"
    remedy = "Run in production mode, and let checkAuth of the project, where it has one, throw without a token"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (_refused(self, each, "meta_without_token", "a request without a token") for each in live.instances)


class BadTokenIsRefused(Rule):
    """A token that is none must not be taken: outside of production mode it is only logged."""

    id = "bad-token-refused"
    title = "The API refuses a token that is none"
    severity = CRITICAL
    sentences = ("api-only",)
    source = "Source of @cubejs-backend/api-gateway 0.20.10 and 0.29.57"
    remedy = "Run in production mode, and let checkAuth of the project, where it has one, verify the token"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (_refused(self, each, "meta_bad_token", "a token that is none") for each in live.instances)


class UnsignedTokenIsRefused(Rule):
    """With an API secret that is set and empty, Cube takes tokens of the algorithm `none`: anybody may write one."""

    id = "unsigned-token-refused"
    title = "The API refuses an unsigned token (alg: none)"
    severity = CRITICAL
    sentences = ("api-only",)
    source = "Measured on Cube.js 0.29.57"
    remedy = "Set CUBEJS_API_SECRET to 32 random characters or more, and restart the instance"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (_refused(self, each, "meta_unsigned_token", "an unsigned token") for each in live.instances)


class PlaygroundSecretIsUnset(Rule):
    """It opens /cubejs-system/v1 and is a second key with which tokens of the data API may be signed."""

    id = "playground-secret-unset"
    title = "CUBEJS_PLAYGROUND_AUTH_SECRET is not set"
    severity = WARNING
    sentences = ("api-only",)
    source = "Source of @cubejs-backend/api-gateway 0.29.57 (createCheckAuthFn)"
    remedy = (
        "Remove CUBEJS_PLAYGROUND_AUTH_SECRET, and restart the instance; or treat it as an API secret, and waive this"
    )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        system = answer(instance, "system_context")
        evidence = [f"/cubejs-system/v1/context answers {system.status}"] if system else []
        if system is not None and 200 <= system.status < 300:
            told = "/cubejs-system/v1/context answers without a token"
            return self.of(instance, FAIL, told, severity=CRITICAL, evidence=evidence)
        setting = instance.seen.settings.get(PLAYGROUND_SECRET)
        if setting is not None and setting.value.given:
            weak = "" if not setting.value.problems else ", and it is weak"
            evidence.append(f"from {origin(setting)}")
            severity = ERROR if weak else None
            told = f"{PLAYGROUND_SECRET} is set{weak}"
            return about(self, instance, PLAYGROUND_SECRET, FAIL, told, severity=severity, evidence=evidence)
        missing = doubt(instance, PLAYGROUND_SECRET)
        if missing and (system is None or system.status != 404):
            return doubtful(self, instance, PLAYGROUND_SECRET, missing)
        return self.of(instance, PASS, f"{PLAYGROUND_SECRET} is not set", evidence=evidence)


class SqlApiHasLogin(Rule):
    """An SQL port listens on every interface. Its user is `cube` unless set, a password made up and logged."""

    id = "sql-api-login"
    title = "Where a port of the SQL API is open, user and password are set"
    source = "Source of @cubejs-backend/api-gateway 0.29.57 (sql-server.js)"
    remedy = "Set CUBEJS_SQL_USER and CUBEJS_SQL_PASSWORD, or close the port (CUBEJS_SQL_PORT, CUBEJS_PG_SQL_PORT)"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each instance."""
        return (self._judged(instance) for instance in live.instances)

    def _judged(self, instance: LiveInstance) -> Finding:
        settings, version = instance.seen.settings, version_of(instance)
        opened = [name for name in SQL_PORTS if (instance.seen.value(name) or "").lower() not in ("", "0", "false")]
        opened = [name for name in opened if not version or setting_names.is_read(name, version)]
        missing = doubt(instance)
        if not opened and missing:
            return doubtful(self, instance, "whether an SQL port is open", missing)
        if not opened:
            return self.of(instance, NOT_APPLICABLE, "no port of the SQL API is open")
        evidence = [f"{name} from {origin(settings[name])}" for name in (*opened, *SQL_LOGIN) if name in settings]
        absent = [name for name in SQL_LOGIN if name not in settings or not settings[name].value.given]
        told = " and ".join(f"{name} is {shown(settings[name].value)}" for name in opened)
        if not absent:
            return self.of(instance, PASS, f"{told}, with user and password", evidence=evidence)
        if missing:
            return doubtful(self, instance, f"{told}: whether {' and '.join(absent)} is set", missing)
        return self.of(instance, FAIL, f"{told}, without {' and '.join(absent)}", evidence=evidence)
