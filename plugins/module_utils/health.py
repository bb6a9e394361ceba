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
from dataclasses import dataclass, field
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_url, settings, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import http, mysql
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Connection, Endpoint, RespError, Tls
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

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
class Subject:
    """One instance as the gate sees it: its version, the environment it is started with, claims for its token."""

    version: str
    environment: Mapping[str, str] = field(repr=False)
    claims: Mapping[str, object] = field(default_factory=dict)

    def value(self, name: str) -> str | None:
        """Return the setting as this version of Cube reads it among its synonyms; None where it is not set."""
        row = settings.winner(TABLE, name, self.version, self.environment)
        return self.environment[row.target] if row else None

    def is_on(self, name: str) -> bool:
        """Return whether a switch is on."""
        return (self.value(name) or "").lower() == "true"

    @property
    def address(self) -> http.Address:
        """Return where the instance listens: PORT is the path of a socket or a number."""
        port = self.environment.get("PORT", "4000")
        return http.Address(port=int(port)) if port.isdigit() else http.Address(socket_path=port)


@dataclass(frozen=True)
class Probes:
    """How the outside is asked; tests put small fakes here."""

    get: Callable[..., http.Response] = http.get
    mysql_version: Callable[..., str] = mysql.server_version
    redis: Callable[..., Connection] = Connection


def check_dependencies(subject: Subject, timeout: float = 5.0, probes: Probes = Probes()) -> None:
    """Reach Redis and MySQL as the instance does; raise HealthError for the first that does not let it in."""
    if subject.value("cache_and_queue_driver") != "memory":
        _check_redis(subject, timeout, probes)
    for endpoint, what in _mysql_endpoints(subject):
        try:
            found = probes.mysql_version(endpoint, timeout)
        except (mysql.MysqlError, mysql.MysqlUnknownError) as exc:
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
    client = redis_url.IOREDIS if subject.is_on("redis_use_ioredis") else redis_url.NODE_REDIS
    url = subject.value("redis_url")
    try:
        target = redis_url.parse(url or redis_url.build("127.0.0.1", redis_url.PORT, 0), client)
        host, port = (
            _sentinel_master(subject, target, timeout, probes) if target.sentinels else (target.host, target.port)
        )
        _log_in_to_redis(
            subject, target, Endpoint(host, port, tls=_redis_tls(subject, target)), client, timeout, probes
        )
    except (redis_url.RedisUrlError, RespError) as exc:
        raise HealthError(f"Redis {exc}") from exc


def _log_in_to_redis(
    subject: Subject, target: redis_url.Target, endpoint: Endpoint, client: str, timeout: float, probes: Probes
) -> None:
    own = subject.value("redis_password")
    # node_redis lets the URL win over the variable, ioredis the other way round.
    first, second = (own, target.password) if client == redis_url.IOREDIS else (target.password, own)
    password = first or second
    try:
        with probes.redis(endpoint, timeout) as connection:
            if password:
                connection.authenticate(password, target.user)
            connection.call("PING")
            connection.call("SELECT", target.index)
    except RespError as exc:
        raise RespError(str(exc) if str(endpoint) in str(exc) else f"{endpoint}: {exc}") from exc


def _redis_tls(subject: Subject, target: redis_url.Target) -> Tls | None:
    if not (target.tls or subject.is_on("redis_tls")):
        return None
    return Tls(ca_path=subject.value("extra_ca_certificates"))


def _sentinel_master(subject: Subject, target: redis_url.Target, timeout: float, probes: Probes) -> tuple[str, int]:
    """Return where the first sentinel that answers says the primary is."""
    said = []
    for host, port in target.sentinels:
        try:
            with probes.redis(Endpoint(host, port, tls=_redis_tls(subject, target)), timeout) as connection:
                reply = connection.call("SENTINEL", "get-master-addr-by-name", target.master)
        except RespError as exc:
            said.append(str(exc))
            continue
        if isinstance(reply, list) and len(reply) == 2:
            return str(reply[0]), int(str(reply[1]))
        said.append(f"{host}:{port} knows no primary {target.master}")
    raise RespError(f"behind Sentinel: {'; '.join(said)}")


def _mysql_endpoints(subject: Subject) -> list[tuple[mysql.MysqlEndpoint, str]]:
    """Return the MySQL servers that the instance uses: its storage first, then its source database."""
    found = []
    for kind, what in (("storage", "the pre-aggregation storage"), ("database", "the source database")):
        if subject.value(f"{kind}_type") != "mysql":
            continue
        endpoint = mysql.MysqlEndpoint(
            host=subject.value(f"{kind}_host") or "localhost",
            port=int(subject.value(f"{kind}_port") or 3306),
            user=subject.value(f"{kind}_user") or "",
            password=subject.value(f"{kind}_password") or "",
            database=subject.value(f"{kind}_name"),
            # One switch for source and storage alike.
            tls=subject.is_on("database_ssl"),
        )
        found.append((endpoint, what))
    return found
