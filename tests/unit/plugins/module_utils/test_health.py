"""The health gate: what is asked, in which order, by version; and what is never asked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from types import TracebackType
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.health import (
    META,
    HealthError,
    NotYetError,
    Probes,
    Subject,
    check_answers,
    check_dependencies,
    token,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import Address, HttpError, Response
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import MysqlEndpoint, MysqlError
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Endpoint, ReplyError, RespError

NEW, OLD = "0.29.57", "0.20.10"
ENVIRONMENT = {
    "PORT": "/run/cubejs/acme-1/cube.sock",
    "CUBEJS_API_SECRET": "hidden-api",
    "CUBEJS_CACHE_AND_QUEUE_DRIVER": "redis",
    "CUBEJS_REDIS_URL": "redis://redis.example:6380/3",
    "CUBEJS_REDIS_PASSWORD": "hidden-redis",
    "CUBEJS_EXT_DB_TYPE": "mysql",
    "CUBEJS_EXT_DB_HOST": "store.example",
    "CUBEJS_EXT_DB_PORT": "3307",
    "CUBEJS_EXT_DB_USER": "cube_acme",
    "CUBEJS_EXT_DB_PASS": "hidden-store",
    "CUBEJS_EXT_DB_NAME": "cube_acme",
    "CUBEJS_DB_TYPE": "mysql",
    "CUBEJS_DB_HOST": "db.example",
    "CUBEJS_DB_USER": "reader",
    "CUBEJS_DB_PASS": "hidden-source",
    "CUBEJS_DB_NAME": "shop",
}


class World:
    """Everything around an instance: what is asked is written down, what is answered is played."""

    def __init__(self, **answers: Response | Exception) -> None:
        self.asked: list[str] = []
        self.logins: list[tuple[Any, ...]] = []
        self.mysql: list[MysqlEndpoint] = []
        self.headers: dict[str, str] = {}
        self.answers = {
            "/readyz": Response(200, ""),
            "/": Response(200, "in running in production mode."),
            META: Response(200, "{}"),
            **answers,
        }
        self.redis_error: Exception | None = None
        self.version = "10.11.6-MariaDB"
        self.replies: dict[str, Any] = {}

    def get(self, _address: Address, path: str, headers: dict[str, str] | None, _timeout: float) -> Response:
        """Answer a request."""
        self.asked.append(path)
        self.headers = headers or {}
        answer = self.answers[path]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def mysql_version(self, endpoint: MysqlEndpoint, _timeout: float) -> str:
        """Let a client in."""
        self.asked.append(str(endpoint))
        self.mysql.append(endpoint)
        if self.version == "down":
            raise MysqlError(f"{endpoint}: refused")
        return self.version

    def redis(self, endpoint: Endpoint, _timeout: float) -> World:
        """Open a connection."""
        self.asked.append(str(endpoint))
        self.logins.append((endpoint.host, endpoint.port, endpoint.tls))
        if self.redis_error:
            raise self.redis_error
        return self

    def __enter__(self) -> World:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def authenticate(self, password: str, user: str | None) -> None:
        """Log in."""
        self.logins.append((password, user))

    def call(self, *words: object) -> Any:
        """Answer a command."""
        self.logins.append(words)
        return self.replies.get(str(words[0]), "OK")

    @property
    def probes(self) -> Probes:
        """Return the probes that ask this world."""
        return Probes(self.get, self.mysql_version, self.redis)


def subject(version: str = NEW, **changes: str | None) -> Subject:
    """Return an instance's settings with some changed, or (None) taken out."""
    environment = {name: value for name, value in {**ENVIRONMENT, **changes}.items() if value is not None}
    return Subject(version, environment, {"tenant": "a"})


def test_dependencies_are_reached_with_the_instances_own_settings() -> None:
    world = World()
    check_dependencies(subject(), probes=world.probes)
    assert world.logins == [("redis.example", 6380, None), ("hidden-redis", None), ("PING",), ("SELECT", 3)]
    store, source = world.mysql
    assert (store.host, store.port, store.user, store.password, store.database) == (
        "store.example", 3307, "cube_acme", "hidden-store", "cube_acme",
    )  # fmt: skip
    assert (source.host, source.port, source.password) == ("db.example", 3306, "hidden-source")


@pytest.mark.parametrize(
    ("version", "changes", "login"),
    [
        pytest.param(NEW, {"CUBEJS_REDIS_URL": "redis://u:url%40pw@r:1/0"}, ("url@pw", "u"), id="the URL wins"),
        pytest.param(
            NEW,
            {"CUBEJS_REDIS_URL": "redis://u:urlpw@r:1/0", "CUBEJS_REDIS_USE_IOREDIS": "true"},
            ("hidden-redis", "u"),
            id="with ioredis the variable wins",
        ),
        pytest.param(
            "0.26.50",
            {"REDIS_URL": "redis://r:1/0", "REDIS_PASSWORD": "old", "CUBEJS_REDIS_URL": None},
            ("old", None),
            id="old names before 0.27",
        ),
        pytest.param(NEW, {"CUBEJS_REDIS_PASSWORD": None}, ("PING",), id="no password"),
    ],
)
def test_which_password_redis_is_given(version: str, changes: dict[str, str | None], login: tuple[Any, ...]) -> None:
    world = World()
    check_dependencies(subject(version, **changes), probes=world.probes)
    assert world.logins[1] == login


@pytest.mark.parametrize(
    "changes", [{"CUBEJS_REDIS_TLS": "true"}, {"CUBEJS_REDIS_URL": "rediss://redis.example:6380/3"}]
)
def test_redis_over_tls_trusts_the_instances_own_ca(changes: dict[str, str | None]) -> None:
    world = World()
    check_dependencies(subject(NODE_EXTRA_CA_CERTS="/ca.crt", **changes), probes=world.probes)
    tls = world.logins[0][2]
    assert tls is not None
    assert tls.ca_path == "/ca.crt"


def test_sentinel_is_asked_for_the_primary() -> None:
    world = World()
    world.replies["SENTINEL"] = ["10.0.0.9", "6390"]
    url = "redis+sentinel://s1:26379,s2:26379/main/2"
    check_dependencies(subject(CUBEJS_REDIS_URL=url, CUBEJS_REDIS_USE_IOREDIS="true"), probes=world.probes)
    assert world.asked[:2] == ["s1:26379", "10.0.0.9:6390"]
    world.replies["SENTINEL"] = None
    with pytest.raises(HealthError, match="s2:26379 knows no primary main"):
        check_dependencies(subject(CUBEJS_REDIS_URL=url, CUBEJS_REDIS_USE_IOREDIS="true"), probes=world.probes)


def test_without_redis_and_mysql_nobody_is_asked() -> None:
    world = World()
    alone = subject(CUBEJS_CACHE_AND_QUEUE_DRIVER="memory", CUBEJS_EXT_DB_TYPE=None, CUBEJS_DB_TYPE="postgres")
    check_dependencies(alone, probes=world.probes)
    assert world.asked == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(RespError("redis.example:6380: Connection refused"), "Redis redis.example:6380: Conn", id="down"),
        pytest.param(ReplyError("WRONGPASS invalid"), "Redis redis.example:6380: WRONGPASS", id="password"),
    ],
)
def test_redis_that_refuses_ends_the_gate(error: Exception, said: str) -> None:
    world = World()
    world.redis_error = error
    with pytest.raises(HealthError, match=said):
        check_dependencies(subject(), probes=world.probes)
    assert "/readyz" not in world.asked


@pytest.mark.parametrize(
    ("version", "said"),
    [
        pytest.param("down", "the pre-aggregation storage cube_acme@store.example:3307/cube_acme: refused", id="down"),
        pytest.param("9.4.0", "mysql_native_password", id="mysql 9"),
    ],
)
def test_mysql_that_cannot_work_ends_the_gate(version: str, said: str) -> None:
    world = World()
    world.version = version
    with pytest.raises(HealthError, match=said):
        check_dependencies(subject(), probes=world.probes)


@pytest.mark.parametrize(
    ("version", "asked"),
    [
        pytest.param(NEW, ["/readyz", META], id="with health endpoints"),
        pytest.param("0.24.12", ["/readyz", META], id="the first with them"),
        pytest.param("0.24.11", ["/", META], id="the last without"),
        pytest.param(OLD, ["/", META], id="long before"),
    ],
)
def test_what_is_asked_by_version(version: str, asked: list[str]) -> None:
    world = World()
    assert check_answers(subject(version), probes=world.probes) == ""
    assert world.asked == asked


@pytest.mark.parametrize(
    ("version", "path", "answer", "error", "said"),
    [
        pytest.param(NEW, "/readyz", Response(500, '{"health":"DOWN"}'), NotYetError, "/readyz answers 500", id="down"),
        pytest.param(NEW, "/readyz", HttpError("s: refused"), NotYetError, "does not answer", id="not listening"),
        pytest.param(OLD, "/", Response(200, "Playground"), HealthError, "production mode", id="development mode"),
        pytest.param(NEW, META, Response(500, "x" * 9999), HealthError, "does not compile.*xxx[.]{3}$", id="schema"),
    ],
)
def test_what_is_not_healthy(
    version: str, path: str, answer: Response | Exception, error: type[HealthError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        check_answers(subject(version), probes=World(**{path: answer}).probes)
    assert caught.type is error


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_schema_that_cannot_be_asked_for_is_said_to_be_unknown(status: int) -> None:
    note = check_answers(subject(), probes=World(**{META: Response(status, "")}).probes)
    assert f"answers {status}" in note


def test_without_a_secret_the_schema_is_unknown_and_not_asked_for() -> None:
    world = World()
    assert "no API secret" in check_answers(subject(CUBEJS_API_SECRET=None), probes=world.probes)
    assert world.asked == ["/readyz"]


def test_a_running_instance_is_not_asked_to_compile() -> None:
    world = World()
    check_answers(subject(), probes=world.probes, schema=False)
    assert world.asked == ["/readyz"]


def test_the_token_is_signed_and_short_lived() -> None:
    head, payload, signature = token("secret", {"tenant": "a"}, now=1000.5).split(".")
    expected = hmac.new(b"secret", f"{head}.{payload}".encode(), hashlib.sha256).digest()
    assert signature == base64.urlsafe_b64encode(expected).rstrip(b"=").decode()
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims == {"tenant": "a", "iat": 1000, "exp": 1060}
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}


def test_the_schema_is_asked_for_with_the_tenants_claims() -> None:
    world = World()
    check_answers(subject(), probes=world.probes)
    payload = world.headers["Authorization"].split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["tenant"] == "a"


@pytest.mark.parametrize(
    ("port", "address"),
    [
        pytest.param("/run/s", Address(socket_path="/run/s"), id="socket"),
        pytest.param("10010", Address(port=10010), id="port"),
        pytest.param(None, Address(port=4000), id="default"),
    ],
)
def test_where_an_instance_listens(port: str | None, address: Address) -> None:
    assert subject(PORT=port).address == address


def test_settings_are_not_shown() -> None:
    assert "hidden" not in repr(subject())
