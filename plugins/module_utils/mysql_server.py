# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A MySQL or MariaDB server of a host: its unit, what it should be while it runs, and a login with each account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import mysql_state, units
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import (
    DriverMissingError,
    MysqlServerError,
    Session,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_health import Logins, log_in
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_state import Host, Outcome, Wanted
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import (
    PROC,
    Systemd,
    SystemdError,
    newest_change,
    process_started_at,
)

JOURNAL_LINES = 20


@dataclass
class Report:
    """What was done, or would be; nothing in it is secret."""

    unit: list[str]
    state: Outcome
    logins: Logins = field(default_factory=Logins)

    @property
    def changed(self) -> bool:
        """Return whether anything had to be done."""
        return bool(self.unit) or self.state.changed

    def details(self) -> dict[str, Any]:
        """Return everything but the differences."""
        return {**vars(self.state), "unit": self.unit, "proved": self.logins.proved, "untried": self.logins.untried}

    def diff(self) -> dict[str, str]:
        """Return what changes, as lines before and after."""
        settings = self.state.settings.items()
        after = [f"{name}: {values['after']}" for name, values in settings]
        after += [f"restart for {', '.join(self.state.restarted)}"] if self.state.restarted else []
        after += [f"schema {name}: create" for name in self.state.databases]
        after += [f"account {name}: {step}" for name, steps in self.state.accounts.items() for step in steps]
        return {
            "before": "".join(f"{name}: {values['before']}\n" for name, values in settings),
            "after": "".join(f"{line}\n" for line in after),
        }


@dataclass(frozen=True)
class Server:
    """How a server is reached and supervised."""

    systemd: Systemd
    connect: Callable[[], Session]
    service: str
    config_file: str
    port: int
    proc: Path = PROC

    def restart(self) -> None:
        """Restart the server; raises MysqlServerError with the last lines of its journal."""
        try:
            self.systemd.restart([self.service])
        except SystemdError as exc:
            tail = self.systemd.journal(self.service, JOURNAL_LINES)
            raise MysqlServerError(f"{exc}\n{self.service}, last lines of its journal:\n{tail}") from exc

    def is_stale(self) -> bool:
        """Return whether the server was started before its configuration last changed."""
        shown = self.systemd.show([self.service], ["MainPID"])[self.service]
        started = process_started_at(int(shown.get("MainPID") or 0), self.proc)
        changed = newest_change([self.config_file])
        return started is None or (changed is not None and changed > started)


def bring_up_to_date(
    wanted: Wanted,
    server: Server,
    *,
    apply: bool,
    pending: bool = False,
    prove: Callable[..., Logins] = log_in,
) -> Report:
    """Start the server, bring it up to date, and log in with each account; with `apply` false only say what changes.

    `pending` says, in check mode, that the configuration file would have changed by now. Raises MysqlServerError,
    UnitsError or SystemdError.
    """
    unit = units.converge([units.Unit(server.service)], server.systemd, apply=apply).actions[server.service]
    if not apply and "start" in unit:
        return Report(unit, _all_of(wanted))
    host = Host(server.connect, server.restart, server.is_stale)
    try:
        state = mysql_state.converge(wanted, host, apply=apply, pending=pending)
    except DriverMissingError as exc:
        if apply:
            raise
        return Report(unit, _all_of(wanted, f"What this server has already is not known: {exc}"))
    as_they_are = apply or not state.restarted
    ready = [account for account in wanted.accounts if apply or str(account) not in state.accounts]
    logins = prove(ready, server.port) if as_they_are else Logins()
    if logins.problems:
        raise MysqlServerError("These accounts cannot log in:\n" + "\n".join(logins.problems))
    return Report(unit, state, logins)


def _all_of(wanted: Wanted, *notes: str) -> Outcome:
    """Return what becomes of a server that does not run yet, or cannot be asked yet."""
    accounts = {str(account): ["create"] for account in wanted.accounts}
    return Outcome(databases=list(wanted.databases), accounts=accounts, notes=list(notes))
