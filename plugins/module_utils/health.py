# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a Cube.js process is healthy, asked in the order that does not kill it.

Redis and MySQL first, with the instance's own settings: any error of Redis ends a process (its client has no listener
for errors), and /readyz opens the connection without seeing Redis' answer, so that a request to it while Redis is
unreachable kills a process that was waiting in peace (seen on 0.29.57).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_url, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils import subject as subjects
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import http, mysql, redis
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Connection, Endpoint, RespError
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import RedisLogin, Subject

PRODUCTION = "running in production mode"
META = "/cubejs-api/v1/meta"
TOKEN_SECONDS = 60
MESSAGE_CHARACTERS = 600
# Answers of /v1/meta that say nothing of the schema: the project checks tokens or chooses its path itself.
NOT_JUDGED = {
    401: "the project checks tokens itself",
    403: "the project checks tokens itself",
    404: "the project serves the API elsewhere",
}


class HealthError(Exception):
    """Something that the instance needs does not answer, or it does not itself; the message says what to do."""


class NotYetError(HealthError):
    """The process does not answer (yet): right after its start that is no failure."""


@dataclass(frozen=True)
class Probes:
    """How the outside is asked; tests put small fakes here."""

    get: Callable[..., http.Response] = http.get
    mysql_version: Callable[..., str] = mysql.server_version
    redis: Callable[..., Connection] = Connection


def check_dependencies(subject: Subject, timeout: float = 5.0, probes: Probes = Probes()) -> None:
    """Reach Redis and MySQL as the instance does; raise HealthError for the first that does not let it in."""
    if subject.uses_redis:
        _check_redis(subject, timeout, probes)
    for kind, what in (
        (subjects.STORAGE, "the pre-aggregation storage"),
        (subjects.SOURCE, "the source database"),
    ):
        try:
            endpoint = subject.mysql_endpoint(kind)
            if endpoint is None:
                continue
            found = probes.mysql_version(endpoint, timeout)
        except (mysql.MysqlError, mysql.MysqlUnknownError, subjects.SubjectError) as exc:
            raise HealthError(f"{what} {exc}") from exc
        problem = versions.mysql_server_problem(found)
        if problem:
            raise HealthError(f"{what} {endpoint}: {problem}")


def check_answers(subject: Subject, timeout: float = 5.0, probes: Probes = Probes(), schema: bool = True) -> str:
    """Ask the instance itself, by its version; return what could not be judged, or nothing.

    From 0.24.12 /readyz, before it the root page. Then, with `schema`, /v1/meta with a token that the instance's own
    secret signs, which compiles the project's schema. Raises NotYetError where nothing answers, else HealthError.
    """
    if versions.has_health_endpoints(subject.version):
        ready = _get(subject, "/readyz", timeout, probes)
        if ready.status != 200:
            raise NotYetError(
                f"/readyz answers {ready.status} {_short(ready.body)}: the source database or the storage is down"
            )
    else:
        root = _get(subject, "/", timeout, probes)
        if root.status != 200 or PRODUCTION not in root.body:
            raise HealthError(f"the root page does not say that Cube.js is {PRODUCTION} (it answers {root.status})")
    return _check_schema(subject, timeout, probes) if schema else ""


def token(secret: str, claims: Mapping[str, object], now: float | None = None) -> str:
    """Return a JWT over the claims, signed with HS256, that is valid for a minute."""
    issued = int(time.time() if now is None else now)
    payload = {**claims, "iat": issued, "exp": issued + TOKEN_SECONDS}
    parts = [
        _encode(json.dumps(part, separators=(",", ":")).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, payload)
    ]
    signed = ".".join(parts)
    return f"{signed}.{_encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _check_schema(subject: Subject, timeout: float, probes: Probes) -> str:
    secret = subject.value("api_secret")
    if not secret:
        return "the schema: there is no API secret to sign a token with"
    meta = _get(subject, META, timeout, probes, {"Authorization": token(secret, subject.claims)})
    if meta.status in NOT_JUDGED:
        return f"the schema: {META} answers {meta.status}, {NOT_JUDGED[meta.status]}"
    if meta.status != 200:
        raise HealthError(f"the project's schema does not compile: {META} answers {meta.status} {_short(meta.body)}")
    return ""


def _get(
    subject: Subject, path: str, timeout: float, probes: Probes, headers: Mapping[str, str] | None = None
) -> http.Response:
    try:
        return probes.get(subject.address, path, headers, timeout)
    except http.HttpError as exc:
        raise NotYetError(f"{path} does not answer: {exc}") from exc


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MESSAGE_CHARACTERS else f"{flat[:MESSAGE_CHARACTERS]}..."


def _check_redis(subject: Subject, timeout: float, probes: Probes) -> None:
    try:
        login = subject.redis_login()
        host, port = redis.data_node(login, timeout, probes.redis)
        _log_in_to_redis(login, Endpoint(host, port, tls=login.tls), timeout, probes)
    except (redis_url.RedisUrlError, RespError) as exc:
        raise HealthError(f"Redis {exc}") from exc


def _log_in_to_redis(login: RedisLogin, endpoint: Endpoint, timeout: float, probes: Probes) -> None:
    try:
        with probes.redis(endpoint, timeout) as connection:
            if login.password:
                connection.authenticate(login.password, login.target.user)
            connection.call("PING")
            connection.call("SELECT", login.target.index)
    except RespError as exc:
        raise RespError(str(exc) if str(endpoint) in str(exc) else f"{endpoint}: {exc}") from exc
