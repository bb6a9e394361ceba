# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts proved by logging in with them, from where their clients log in."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_accounts import Account
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import (
    MysqlEndpoint,
    MysqlError,
    MysqlUnknownError,
    server_version,
)

LOOPBACK = "127.0.0.1"


@dataclass
class Logins:
    """Which accounts were logged in with, which could not be tried on this host, and what was wrong with the others."""

    proved: list[str] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def is_local(address: str) -> bool:
    """Return whether the address is one of this host's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def address_for(host: str, local: Callable[[str], bool] = is_local) -> str | None:
    """Return the address on which an account for this client host is tried; None where only the client itself can.

    A connection to an address of one's own comes from that same address.
    """
    if host == "localhost" or "%" in host:
        return LOOPBACK
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return host if local(host) else None


def log_in(
    accounts: Iterable[Account],
    port: int,
    login: Callable[[MysqlEndpoint], str] = server_version,
    local: Callable[[str], bool] = is_local,
) -> Logins:
    """Log in with each account, over TCP and into its schema, as Cube does."""
    found = Logins()
    for account in accounts:
        address = address_for(account.host, local)
        if address is None:
            found.untried.append(str(account))
            continue
        problem = _problem(account, address, port, login)
        if problem is None:
            found.proved.append(str(account))
        else:
            found.problems.append(f"{account}: {problem}")
    return found


def _problem(account: Account, address: str, port: int, login: Callable[[MysqlEndpoint], str]) -> str | None:
    schemas: Sequence[str] = sorted(account.privileges)
    endpoint = MysqlEndpoint(address, port, account.user, account.password, schemas[0] if schemas else None)
    try:
        login(endpoint)
    except (MysqlError, MysqlUnknownError) as exc:
        return str(exc)
    return None
