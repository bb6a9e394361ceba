# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Redis server as an instance's own settings reach it: who it is, what it can take, and who else is there.

Nothing is written. Whether KEYS may be used is asked by queueing it in a transaction that is then discarded: the server
checks a command when it queues it, and runs none of them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Peers, Queue, RedisSeen, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import redis
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import (
    Connection,
    Endpoint,
    Reply,
    ReplyError,
    RespError,
    info_fields,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import RedisLogin

SCAN_ROUNDS = 20
SCAN_COUNT = 500
MAX_PEERS = 500
MAX_QUEUES = 50
NUMBERS = (
    "databases", "maxclients", "connected_clients", "blocked_clients", "rejected_connections", "used_memory_bytes",
    "maxmemory_bytes", "evicted_keys", "db_keys", "replicas",
)  # fmt: skip
# One that queues nothing else and matches no key.
KEYS_PROBE = (("MULTI",), ("KEYS", "cubeops:nothing"), ("DISCARD",))

_PREFIX = re.compile(
    r"SQL_QUERY_RESULT_(.+)_[0-9a-f]{32}"
    r"|SQL_PRE_AGGREGATIONS_(.+)_TABLES_USED_.*"
    r"|SQL_PRE_AGGREGATIONS_TABLES_(.+?)_[^_]+_D?[^_]+.*"
)
_REMEDY = "Let the user of these settings run it, or ask the server's administrator"


def look(login: RedisLogin, redactor: Redactor, deadline: Deadline, now: Callable[[], float] = time.time) -> RedisSeen:
    """Return what there is to see; a server that does not serve these settings has a `problem`. Raises OutOfTimeError.

    now: seconds since the epoch, against which heartbeats are held.
    """
    target = login.target
    seen = RedisSeen(
        asked=f"{target.host}:{target.port}/{target.index}",
        client=login.client,
        host=target.host,
        port=target.port,
        index=target.index,
        tls=login.tls is not None,
        user=target.user or "",
        password_set=bool(login.password),
        sentinels=tuple(f"{host}:{port}" for host, port in target.sentinels),
        master=target.master,
    )
    try:
        host, port = redis.data_node(login, deadline.left_for_call())
        seen = replace(seen, host=host, port=port)
        endpoint = Endpoint(host, port, tls=login.tls)
        seen = _identified(seen, login, endpoint, deadline, redactor)
        return _with_company(seen, login, endpoint, deadline, redactor, now)
    except RespError as exc:
        if seen.reachable:
            note = Unknown("everything", redactor.text(str(exc)), "")
            return replace(seen, unknown=(*seen.unknown, note))
        return replace(seen, reachable=False, problem=redactor.text(str(exc)), reason=redis.reason_of(exc))


def _identified(
    seen: RedisSeen, login: RedisLogin, endpoint: Endpoint, deadline: Deadline, redactor: Redactor
) -> RedisSeen:
    found = redis.identify(endpoint, login.password, login.target.user, login.target.index, deadline.left_for_call())
    unknown = tuple(Unknown(what, redactor.text(why), _REMEDY) for what, why in found.unknown.items())
    return replace(
        seen,
        reachable=True,
        tls_verified=True if login.tls else None,
        run_id=redactor.text(found.run_id, 64),
        product=found.product,
        version=redactor.text(found.version, 64),
        role=redactor.text(found.role, 64),
        cluster_enabled=found.cluster_enabled,
        stranger_refused=found.password_required,
        maxmemory_policy=redactor.text(found.maxmemory_policy, 64),
        unknown=unknown,
        **{name: getattr(found, name) for name in NUMBERS},
    )


def _with_company(
    seen: RedisSeen,
    login: RedisLogin,
    endpoint: Endpoint,
    deadline: Deadline,
    redactor: Redactor,
    now: Callable[[], float],
) -> RedisSeen:
    """Return it with its clients, the prefixes of Cube's keys and the queues among them."""
    unknown = list(seen.unknown)

    def note(what: str, exc: object) -> None:
        unknown.append(Unknown(what, redactor.text(str(exc)), _REMEDY))

    with Connection(endpoint, deadline.left_for_call()) as connection:
        if login.password:
            connection.authenticate(login.password, login.target.user)
        connection.call("SELECT", login.target.index)
        questions = (("CLIENT", "LIST"), ("INFO", "server"), *KEYS_PROBE)
        clients, info, _multi, keys, _discard = connection.pipeline(questions)
        if isinstance(clients, ReplyError):
            note("peers", clients)
        usable = _usable(keys)
        if usable is None:
            note("keys_command", keys)
        names: Optional[list[str]] = None
        whole = False
        try:
            names, whole = _cube_keys(connection, deadline)
        except ReplyError as exc:
            note("prefixes", exc)
        queues = _queues(connection, names or [], now, redactor)
    uptime = "" if isinstance(info, ReplyError) else info_fields(info).get("uptime_in_seconds", "")
    return replace(
        seen,
        uptime_seconds=int(uptime) if uptime.isdecimal() else None,
        keys_command=usable,
        peers=None if isinstance(clients, ReplyError) else _peers(str(clients), redactor),
        prefixes=None if names is None else _prefixes(names, redactor),
        queues=queues,
        scanned_whole=whole,
        unknown=tuple(unknown),
    )


def _usable(reply: Reply | ReplyError) -> str | None:
    """Return usable, denied or renamed of KEYS; None where the server does not tell (or knows no transactions)."""
    if not isinstance(reply, ReplyError):
        return "usable" if reply == "QUEUED" else None
    if reply.code == "NOPERM":
        return "denied"
    return "renamed" if "unknown command" in str(reply) else None


def _cube_keys(connection: Connection, deadline: Deadline) -> tuple[list[str], bool]:
    """Return the names of Cube's keys, and whether all were looked at: what SCAN gives in a bounded number of steps."""
    names: list[str] = []
    cursor = "0"
    for _unused in range(SCAN_ROUNDS):
        deadline.left()
        reply = connection.call("SCAN", cursor, "MATCH", "SQL_*", "COUNT", SCAN_COUNT)
        if not (isinstance(reply, list) and len(reply) == 2 and isinstance(reply[1], list)):
            raise RespError("SCAN was not answered with a cursor and a list")
        names += [str(name) for name in reply[1]]
        cursor = str(reply[0])
        if cursor == "0":
            return names, True
    return names, False


def _prefixes(names: Iterable[str], redactor: Redactor) -> tuple[str, ...]:
    matches = (_PREFIX.fullmatch(name[:1000]) for name in names)
    found = {next(group for group in match.groups() if group) for match in matches if match}
    return tuple(sorted(redactor.text(each, 100) for each in found))[:MAX_PEERS]


def _queues(
    connection: Connection, names: Iterable[str], now: Callable[[], float], redactor: Redactor
) -> tuple[Queue, ...]:
    found = []
    for name in sorted({name for name in names if name.endswith("_QUEUE")})[:MAX_QUEUES]:
        beats = f"{name[: -len('_QUEUE')]}_HEART_BEAT"
        length, oldest = connection.pipeline([("ZCARD", name), ("ZRANGE", beats, 0, 0, "WITHSCORES")])
        if isinstance(length, int):
            found.append(Queue(redactor.text(name, 200), length, _age(oldest, now)))
    return tuple(found)


def _age(reply: Reply | ReplyError, now: Callable[[], float]) -> float | None:
    """Return how old the heartbeat is; its score is a time in milliseconds."""
    if not isinstance(reply, list) or len(reply) != 2:
        return None
    try:
        return max(0.0, now() - float(str(reply[1])) / 1000)
    except ValueError:
        return None


def _peers(text: str, redactor: Redactor) -> tuple[Peers, ...]:
    """Return who is connected, this connection left out: it is the one that lists them."""
    counts: dict[tuple[str, str], int] = {}
    for line in text.splitlines():
        fields = dict(word.split("=", 1) for word in line.split(" ") if "=" in word)
        if fields.get("cmd") in ("client|list", "client") or "addr" not in fields:
            continue
        key = (fields["addr"].rpartition(":")[0].strip("[]"), fields.get("db", ""))
        counts[key] = counts.get(key, 0) + 1
    rows = sorted(counts.items())[:MAX_PEERS]
    return tuple(Peers(redactor.text(address, 64), redactor.text(db, 8), count) for (address, db), count in rows)
