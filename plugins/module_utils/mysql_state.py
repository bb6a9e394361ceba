# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a running MySQL or MariaDB server has, compared with what it should have: settings, schemas and accounts.

What can change live is changed live. A restart happens only for what still differs afterwards, and only where the
server was started before its configuration last changed: anything else a restart would not mend.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_accounts import (
    Account,
    Existing,
    Statement,
    statements,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import MysqlServerError, Session
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_variables import (
    Difference,
    compare,
    is_lower,
    settable,
)

# ER_INCORRECT_GLOBAL_LOCAL_VAR: the variable is read-only while the server runs.
READ_ONLY = 1238
# Resizing the buffer pool goes on in the background; 10.5 shows the new size when it is done.
SETTLE_SECONDS = 15.0
SYSTEM_SCHEMAS = frozenset({"mysql", "information_schema", "performance_schema", "sys"})
# What MySQL cannot change live; MariaDB says it itself in information_schema.
MYSQL_READ_ONLY = frozenset({"port", "bind_address", "log_bin", "mysqlx", "skip_name_resolve", "innodb_log_file_size"})


@dataclass(frozen=True)
class Wanted:
    """What a server should be."""

    settings: tuple[tuple[str, str], ...] = ()
    databases: tuple[str, ...] = ()
    accounts: tuple[Account, ...] = ()


@dataclass(frozen=True)
class Host:
    """How the server is reached and restarted. `is_stale` says whether it runs since before its files changed."""

    connect: Callable[[], Session]
    restart: Callable[[], None]
    is_stale: Callable[[], bool]
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic


@dataclass
class Outcome:
    """What was done, or would be; nothing in it is secret."""

    version: str = ""
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    restarted: list[str] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)
    accounts: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Return whether anything had to be done."""
        return bool(self.settings or self.restarted or self.databases or self.accounts)


def converge(wanted: Wanted, host: Host, *, apply: bool, pending: bool = False) -> Outcome:
    """Bring the running server up to date; with `apply` false only say what would be done.

    `pending` says, in check mode, that the configuration file would have changed by now.
    """
    session = host.connect()
    outcome = Outcome(version=str(session.rows("SELECT VERSION()")[0][0]))
    problem = versions.mysql_server_problem(outcome.version)
    if problem:
        raise MysqlServerError(f"{problem.message}. {problem.remedy}. Nothing was changed on it")
    if apply:
        session = _settle_settings(wanted, host, session, outcome)
    else:
        _foretell_settings(wanted, host, session, outcome, pending)
    others = _keep_databases(wanted, session, outcome, apply)
    outcome.notes += _lowered(outcome, others)
    _keep_accounts(wanted.accounts, session, outcome, apply)
    session.close()
    return outcome


def _variables(session: Session) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in session.rows("SHOW GLOBAL VARIABLES")}


def _settle_settings(wanted: Wanted, host: Host, session: Session, outcome: Outcome) -> Session:
    """Set live what can be, restart where that is not enough, and return a session with the server as it is then."""
    before = compare(wanted.settings, _variables(session))
    for difference in before.differences:
        outcome.settings[difference.variable] = {"before": difference.running, "after": difference.wanted}
        _set(session, difference)
    left = _wait_until_set(wanted, session, host) if before.differences else ()
    stale = host.is_stale() and bool(left or before.unseen)
    if not left and not stale:
        return session
    if not stale:
        raise MysqlServerError(_not_taken(left))
    outcome.restarted = sorted({row.variable for row in left} | set(before.unseen))
    session.close()
    host.restart()
    session = host.connect()
    left = compare(wanted.settings, _variables(session)).differences
    if left:
        raise MysqlServerError(_not_taken(left))
    return session


def _set(session: Session, difference: Difference) -> None:
    """Set a variable; one that is read-only stays, and so does one whose value needs a restart."""
    try:
        session.rows(f"SET GLOBAL {difference.variable} = %s", (settable(difference.wanted),))
    except MysqlServerError as exc:
        if exc.code != READ_ONLY:
            raise


def _wait_until_set(wanted: Wanted, session: Session, host: Host) -> tuple[Difference, ...]:
    """Return what differs once the server had time to finish what it does in the background."""
    deadline = host.monotonic() + SETTLE_SECONDS
    while True:
        # Asked first: what ends in between is then seen in the variables.
        resizing = _is_resizing(session)
        left = compare(wanted.settings, _variables(session)).differences
        if not left or not resizing or host.monotonic() >= deadline:
            return left
        host.sleep(0.2)


def _is_resizing(session: Session) -> bool:
    rows = session.rows("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_resize_status'")
    said = str(rows[0][1]) if rows else ""
    return bool(said) and not said.startswith(("Completed", "Failed", "Size did not change"))


def _read_only_variables(session: Session) -> frozenset[str]:
    """Return the variables that the server cannot change while it runs."""
    try:
        rows = session.rows("SELECT VARIABLE_NAME FROM information_schema.SYSTEM_VARIABLES WHERE READ_ONLY = 'YES'")
    except MysqlServerError:
        return MYSQL_READ_ONLY
    return frozenset(str(row[0]).lower() for row in rows)


def _not_taken(left: Sequence[Difference]) -> str:
    rows = "\n".join(f"{row.variable} is {row.running}, wanted {row.wanted}" for row in left)
    return (
        f"The running server does not have what its configuration says, and a restart does not change that:\n{rows}\n"
        "A configuration file that is read later says otherwise, or the server's limits do (its log names those)"
    )


def _foretell_settings(wanted: Wanted, host: Host, session: Session, outcome: Outcome, pending: bool) -> None:
    found = compare(wanted.settings, _variables(session))
    read_only = _read_only_variables(session) if found.differences else frozenset()
    for row in found.differences:
        outcome.settings[row.variable] = {"before": row.running, "after": row.wanted}
    if pending or host.is_stale():
        fixed = {row.variable for row in found.differences if row.variable in read_only}
        outcome.restarted = sorted(fixed | set(found.unseen))


def _keep_databases(wanted: Wanted, session: Session, outcome: Outcome, apply: bool) -> list[str]:
    """Create the schemas that are missing, and return those of others."""
    present = {str(row[0]) for row in session.rows("SHOW DATABASES")}
    outcome.databases = [name for name in dict.fromkeys(wanted.databases) if name not in present]
    for name in outcome.databases if apply else ():
        session.rows(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    return sorted(present - SYSTEM_SCHEMAS - set(wanted.databases))


def _lowered(outcome: Outcome, others: Sequence[str]) -> Iterator[str]:
    """Say which limits go down on a server that is not ours alone."""
    for name, values in outcome.settings.items() if others else ():
        if is_lower(values["after"], values["before"]):
            yield (
                f"{name} goes down from {values['before']} to {values['after']} on a server that also holds "
                f"{', '.join(others)}: give mysql_memory_bytes and mysql_max_connections what all its clients need"
            )


def _keep_accounts(accounts: Sequence[Account], session: Session, outcome: Outcome, apply: bool) -> None:
    present = _existing(accounts, session)
    mariadb = "mariadb" in outcome.version.lower()
    for account in accounts:
        steps = statements(account, present.get((account.user, account.host)), mariadb=mariadb)
        if steps:
            outcome.accounts[str(account)] = [step.what for step in steps]
        for step in steps if apply else ():
            _run(session, account, step)
    wanted = {(account.user, account.host) for account in accounts}
    outcome.notes += [
        f"{user}@{host} can log in but is not listed: `DROP USER` it where that host is no client any more"
        for user, host in sorted(set(present) - wanted)
    ]


def _run(session: Session, account: Account, step: Statement) -> None:
    try:
        session.rows(step.sql, step.values)
    except MysqlServerError as exc:
        raise MysqlServerError(f"{account}: {step.what}: {exc}", exc.code) from exc


def _existing(accounts: Sequence[Account], session: Session) -> dict[tuple[str, str], Existing]:
    """Return the accounts that the server has under the wanted names."""
    names = sorted({account.user for account in accounts})
    if not names:
        return {}
    marks = ", ".join(["%s"] * len(names))
    listed = f"SELECT User, Host, plugin, authentication_string FROM mysql.user WHERE User IN ({marks})"  # noqa: S608  # marks
    found = {}
    for user, host, plugin, secret in session.rows(listed, names):
        grants = [str(row[0]) for row in session.rows("SHOW GRANTS FOR %s@%s", (user, host))]
        found[str(user), str(host)] = Existing(str(plugin), _text(secret), grants)
    return found


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")
