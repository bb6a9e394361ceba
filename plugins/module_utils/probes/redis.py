# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who a Redis (or Valkey) server is and what it can take, asked with the settings that a client has.

Two clients share a server when they see the same `run_id`, whatever names, addresses, proxies or TLS lie between.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import (
    Connection,
    Endpoint,
    Reply,
    ReplyError,
    RespError,
    info_fields,
    pairs,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import RedisLogin

_REPLICA = re.compile(r"slave\d{1,5}")
# What the server is asked for after logging in, in one round trip.
QUESTIONS = (
    ("INFO", "everything"),
    ("DBSIZE",),
    ("CONFIG", "GET", "maxclients"),
    ("CONFIG", "GET", "databases"),
    ("COMMAND", "INFO", "keys"),
)


@dataclass(frozen=True)
class RedisIdentity:
    """A server as one client sees it. None is unknown, and `unknown` says why."""

    endpoint: str
    run_id: str
    product: str  # redis or valkey
    version: str
    role: str  # master or slave
    process_id: int
    cluster_enabled: bool
    db: int
    db_keys: int | None
    databases: int | None
    maxclients: int | None
    connected_clients: int
    blocked_clients: int
    rejected_connections: int
    used_memory_bytes: int
    maxmemory_bytes: int  # 0: no limit
    maxmemory_policy: str
    evicted_keys: int
    keys_command: bool | None
    password_required: bool
    replicas: int | None = None  # that follow it and are up to date; None where INFO says nothing of it
    unknown: Mapping[str, str] = field(default_factory=dict)


def data_node(login: RedisLogin, timeout: float, connect: Callable[..., Connection] = Connection) -> tuple[str, int]:
    """Return host and port of the server that holds the data: behind Sentinel, where the first that answers says.

    Raises RespError when no sentinel knows.
    """
    target = login.target
    if not target.sentinels:
        return target.host, target.port
    said = []
    for host, port in target.sentinels:
        try:
            with connect(Endpoint(host, port, tls=login.tls), timeout) as connection:
                reply = connection.call("SENTINEL", "get-master-addr-by-name", target.master)
        except RespError as exc:
            said.append(str(exc))
            continue
        if isinstance(reply, list) and len(reply) == 2 and str(reply[1]).isdecimal():
            return str(reply[0]), int(str(reply[1]))
        said.append(f"{host}:{port} knows no primary {target.master}")
    raise RespError(f"behind Sentinel: {'; '.join(said)}")


def reason_of(exc: RespError) -> str:
    """Return a word for what is wrong: auth, tls, timeout, protocol, refused or unreachable."""
    text = str(exc)
    if isinstance(exc, ReplyError):
        return "auth" if exc.code in ("NOAUTH", "WRONGPASS", "NOPERM", "DENIED") else "refused"
    for word, reason in (
        ("certificate", "tls"),
        ("SSL", "tls"),
        ("no answer in time", "timeout"),
        ("protocol", "protocol"),
        ("INFO", "protocol"),
    ):
        if word in text:
            return reason
    return "unreachable"


def identify(
    endpoint: Endpoint, password: str | None = None, user: str | None = None, db: int = 0, timeout: float = 5.0
) -> RedisIdentity:
    """Return the identity of the server behind the endpoint.

    Raises RespError when it cannot be reached, refuses the password or the database index, or is no Redis server.
    """
    required = asks_for_password(endpoint, timeout)
    with Connection(endpoint, timeout) as connection:
        if password is not None:
            connection.authenticate(password, user)
        if db:
            connection.call("SELECT", db)
        info, *answers = connection.pipeline(QUESTIONS)
    if isinstance(info, ReplyError):
        raise info
    return _identity(endpoint, info_fields(info), answers, db, required)


def asks_for_password(endpoint: Endpoint, timeout: float = 5.0) -> bool:
    """Return whether the server turns away a client without a password."""
    with Connection(endpoint, timeout) as connection:
        reply = connection.pipeline([("PING",)])[0]
    # NOAUTH: a password is set. DENIED: none is, and protected mode turns everyone away who is not local.
    return isinstance(reply, ReplyError) and reply.code in ("NOAUTH", "NOPERM", "DENIED")


def _identity(
    endpoint: Endpoint, info: Mapping[str, str], answers: list[Reply | ReplyError], db: int, required: bool
) -> RedisIdentity:
    size, maxclients, databases, keys = answers
    unknown: dict[str, str] = {}

    def setting(name: str, reply: Reply | ReplyError) -> int | None:
        if isinstance(reply, ReplyError):
            unknown[name] = f"CONFIG GET is refused: {reply}"
            return None
        return _number(pairs(reply), name)

    seen_maxclients = _number(info, "maxclients") if "maxclients" in info else setting("maxclients", maxclients)
    if isinstance(size, ReplyError):
        unknown["db_keys"] = f"DBSIZE is refused: {size}"
    if isinstance(keys, ReplyError):
        unknown["keys_command"] = f"COMMAND INFO is refused: {keys}"
    return RedisIdentity(
        endpoint=str(endpoint),
        run_id=_text(info, "run_id"),
        product=product(info),
        version=version(info),
        role=_text(info, "role"),
        process_id=_number(info, "process_id"),
        cluster_enabled=info.get("cluster_enabled") == "1",
        db=db,
        db_keys=size if isinstance(size, int) else None,
        databases=setting("databases", databases),
        maxclients=seen_maxclients,
        connected_clients=_number(info, "connected_clients"),
        blocked_clients=_number(info, "blocked_clients"),
        rejected_connections=_number(info, "rejected_connections"),
        used_memory_bytes=_number(info, "used_memory"),
        maxmemory_bytes=_number(info, "maxmemory"),
        maxmemory_policy=_text(info, "maxmemory_policy"),
        evicted_keys=_number(info, "evicted_keys"),
        # A command that was renamed away is nothing in the list.
        keys_command=keys[0] is not None if isinstance(keys, list) and keys else None,
        password_required=required,
        replicas=_replicas(info),
        unknown=unknown,
    )


def _replicas(info: Mapping[str, str]) -> int | None:
    if "connected_slaves" not in info:
        return None
    return sum("state=online" in value.split(",") for name, value in info.items() if _REPLICA.fullmatch(name))


def product(info: Mapping[str, str]) -> str:
    """Return `redis` or `valkey`: Valkey calls itself so, and keeps a redis_version for clients that look for one."""
    return "valkey" if "valkey_version" in info else "redis"


def version(info: Mapping[str, str]) -> str:
    """Return the server's own version."""
    return _text(info, f"{product(info)}_version")


def _text(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise RespError(f"the server's INFO has no {name}: is it a Redis server?")
    return fields[name]


def _number(fields: Mapping[str, str], name: str) -> int:
    text = _text(fields, name)
    if not text.isdecimal():
        raise RespError(f"the server's INFO says {name} {text[:40]!r}: that is no number")
    return int(text)
