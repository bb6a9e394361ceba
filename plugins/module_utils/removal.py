# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host has of a tenant, exported and taken away, by names that are the tenant's alone.

Every step looks for what is there, so that a removal that was killed is completed by the next. What is exported is
whole before anything of it is removed.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from ansible_collections.cubeops.cubejs.plugins.module_utils import instances, names, resp, tenant_export
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import MysqlServerError, Session
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Run, Systemd, run

# Where the role redis puts the authority of its certificates.
REDIS_CA = "/etc/cubejs/redis/ca.crt"


class RemovalError(Exception):
    """Something of the tenant cannot be exported or taken away; the message says what, why and what is left."""


class RedisSession(Protocol):
    """A connection to the Redis that tenants share, logged in."""

    def call(self, *words: str | int) -> Any:
        """Send one command and return its reply."""

    def close(self) -> None:
        """Drop the connection."""


@dataclass(frozen=True)
class Flush:
    """A tenant's index of the Redis instance that tenants share on this host."""

    port: int
    index: int
    password: str = field(repr=False)
    tls: bool = False

    def connect(self) -> resp.Connection:
        """Return a connection, logged in. Raises RespError."""
        tls = resp.Tls(ca_path=REDIS_CA) if self.tls else None
        connection = resp.Connection(resp.Endpoint("127.0.0.1", self.port, tls=tls))
        connection.authenticate(self.password)
        return connection


@dataclass(frozen=True)
class Wanted:
    """What is taken away.

    redis: the tenant's own instance. schemas, users: of MySQL. export: folder, "" for none. flush: where its keys are
    in a Redis that is not its own.
    """

    tenant: str
    cubejs: bool = False
    redis: bool = False
    schemas: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    export: str = ""
    flush: Flush | None = None


@dataclass
class Outcome:
    """What was taken away, or would be, and the files that were kept of it."""

    removed: list[str] = field(default_factory=list)
    exported: list[str] = field(default_factory=list)


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@dataclass(frozen=True)
class Host:
    """How the host is reached; root: of its file system."""

    connect: Callable[[], Session]
    dump: tenant_export.Dump
    systemd: Systemd = field(default_factory=Systemd)
    call: Run = run
    root: Path = Path("/")
    has_user: Callable[[str], bool] = _has_user
    redis: Callable[[Flush], RedisSession] = Flush.connect


Step = tuple[str, Callable[[], None]]


def remove(wanted: Wanted, host: Host, *, apply: bool) -> Outcome:
    """Take a tenant away; with `apply` false only say what would be. Raises RemovalError, MysqlServerError, OSError."""
    session = host.connect() if wanted.schemas or wanted.users else None
    schemas = _present(session, wanted.schemas) if session else []
    folder = host.root / "opt/cubejs/tenants" / wanted.tenant
    outcome = Outcome()
    # Nothing writes any more to what is exported.
    _do(_stops(wanted, host), outcome, apply=apply)
    if wanted.export:
        target = host.root / wanted.export.lstrip("/")
        outcome.exported = tenant_export.export(folder, schemas, target, host.dump, apply=apply)
    _do(_files(wanted, host, folder), outcome, apply=apply)
    if apply and any(what.endswith(".service.d") for what in outcome.removed):
        host.systemd.daemon_reload()
    if wanted.flush:
        _do(_keys(wanted.flush, host), outcome, apply=apply)
    if session:
        _do(_storage(wanted, session, schemas), outcome, apply=apply)
        session.close()
    return outcome


def _do(steps: Iterator[Step], outcome: Outcome, *, apply: bool) -> None:
    for what, act in steps:
        if apply:
            act()
        outcome.removed.append(what)


def units_of(tenant: str, loaded: Sequence[str]) -> list[str]:
    """Return those of the units that are a tenant's, and not another's whose name begins alike."""
    matches = ((unit, instances.UNIT.fullmatch(unit)) for unit in sorted(loaded))
    return [unit for unit, match in matches if match and match["tenant"] == tenant]


def _stops(wanted: Wanted, host: Host) -> Iterator[Step]:
    redis = names.redis_unit(wanted.tenant)
    patterns = [*(instances.PATTERNS if wanted.cubejs else ()), *((redis,) if wanted.redis else ())]
    loaded = host.systemd.loaded(patterns) if patterns else []
    # Cube first: it is no use without Redis.
    for unit in [*units_of(wanted.tenant, loaded), *(unit for unit in loaded if unit == redis)]:
        yield f"unit {unit}", partial(_stop, host.systemd, unit)


def _stop(systemd: Systemd, unit: str) -> None:
    systemd.disable([unit])
    systemd.stop([unit])
    systemd.reset_failed([unit])


def _files(wanted: Wanted, host: Host, folder: Path) -> Iterator[Step]:
    tenant = wanted.tenant
    found: list[Path] = []
    if wanted.cubejs:
        drop_ins = (host.root / "etc/systemd/system").glob(f"cubejs-*@{tenant}*.service.d")
        own = set(units_of(tenant, [path.name[: -len(".d")] for path in drop_ins]))
        found += [host.root / "etc/systemd/system" / f"{unit}.d" for unit in sorted(own)]
        sockets = host.root / "run/cubejs"
        found += [
            *sorted(sockets.glob(f"{tenant}-*")),
            sockets / tenant,
            sockets / names.trial_instance(tenant),
            folder,
        ]
    if wanted.redis:
        found += [host.root / "var/lib/cubejs-redis" / tenant, host.root / "run/cubeops/redis" / f"{tenant}.json"]
    there = [path for path in found if os.path.lexists(path)]
    for path in there:
        yield str(path), partial(_delete, path)
    user = names.system_user(tenant)
    if wanted.cubejs and host.has_user(user):
        yield f"user {user}", lambda: _remove_user(host, user)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _remove_user(host: Host, user: str) -> None:
    done = host.call(["userdel", user])
    if done.rc != 0:
        raise RemovalError(f"user {user} cannot be removed: {done.stderr.strip()}. End its processes and run again")


def _keys(flush: Flush, host: Host) -> Iterator[Step]:
    session = host.redis(flush)
    try:
        session.call("SELECT", flush.index)
        count = session.call("DBSIZE")
        if count:
            yield f"{count} keys in index {flush.index} of the shared Redis", lambda: session.call("FLUSHDB")
    finally:
        session.close()


def _storage(wanted: Wanted, session: Session, schemas: Sequence[str]) -> Iterator[Step]:
    for schema in schemas:
        yield f"schema {schema}", partial(_run, session, f"DROP DATABASE `{schema}`")
    for user in wanted.users:
        for (host,) in session.rows("SELECT Host FROM mysql.user WHERE User = %s", (user,)):
            yield f"MySQL user {user}@{host}", partial(_run, session, "DROP USER %s@%s", user, host)


def _run(session: Session, sql: str, *values: str) -> None:
    session.rows(sql, values)


def _present(session: Session, schemas: Sequence[str]) -> list[str]:
    there = {str(row[0]) for row in session.rows("SHOW DATABASES")}
    strange = [schema for schema in schemas if not schema.replace("_", "").isalnum()]
    if strange:
        raise MysqlServerError(f"{', '.join(strange)}: no name of a schema of ours; drop it by hand")
    return [schema for schema in schemas if schema in there]
