# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The mysql role's variables judged against a host, before anything is changed there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import memory, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_accounts import SCHEMA, AccountError, parse
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_settings import (
    MARIADB,
    MYSQL,
    MysqlSettingsError,
    Request,
    Setting,
    resolve,
)

SERVER_PACKAGES: Mapping[str, re.Pattern[str]] = {
    MARIADB: re.compile(r"^mariadb-server(-core)?(-[\d.]+)?$"),
    MYSQL: re.compile(r"^mysql(-community)?-server(-core)?(-[\d.]+)?$"),
}
NO_CANDIDATE = "(none)"  # as apt-cache says it
ANY_ADDRESS = ("*", "0.0.0.0", "::")  # noqa: S104  # what a user may write, nothing is bound here
_VERSION = re.compile(r"^(?:\d+:)?(\d+(?:\.\d+)*)")


def configuration(variables: Mapping[str, Any], host: Mapping[str, Any], candidate: str | None) -> list[Setting]:
    """Return the server's settings; raises MysqlSettingsError with every problem on a line of its own."""
    distribution = str(variables["mysql_distribution"])
    found = installed(distribution, host["packages"])
    problems = list(_server_problems(distribution, found or candidate, host["packages"]))
    problems += _schema_problems(variables["mysql_databases"])
    settings, refused = _settings(variables, host, found)
    problems += [*_account_problems(variables["mysql_users"], variables["mysql_bind_addresses"]), *refused]
    if problems:
        raise MysqlSettingsError("\n".join(problems))
    return settings


def _settings(
    variables: Mapping[str, Any], host: Mapping[str, Any], version: str | None
) -> tuple[list[Setting], list[str]]:
    try:
        return resolve(_request(variables, host, version)), []
    except MysqlSettingsError as exc:
        return [], [str(exc)]


def _account_problems(users: Iterable[Mapping[str, Any]], bind_addresses: Sequence[str]) -> list[str]:
    try:
        accounts = parse(users)
    except AccountError as exc:
        return [str(exc)]
    if any(address in ANY_ADDRESS or _is_loopback(address) for address in bind_addresses):
        return []
    return [
        f"mysql_users.{account.user}: {account.host} is this host itself, where the server does not listen: "
        f"add it to mysql_bind_addresses"
        for account in accounts
        if _is_loopback(account.host)
    ]


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def installed(distribution: str, packages: Mapping[str, str]) -> str | None:
    """Return the version of a distribution's server that is installed ("10.11.6"); None when there is none."""
    for name, version in sorted(packages.items()):
        match = _VERSION.match(version)
        if SERVER_PACKAGES[distribution].match(name) and match:
            return match[1]
    return None


def _server_problems(distribution: str, version: str | None, packages: Mapping[str, str]) -> Iterator[str]:
    other = MYSQL if distribution == MARIADB else MARIADB
    there = installed(other, packages)
    if there:
        yield (
            f"mysql_distribution: {distribution} would replace the {other} server {there} of this host, with its data: "
            f"set mysql_distribution to {other}, or use another host"
        )
    if version == NO_CANDIDATE:
        yield (
            "mysql_distribution: this host's package archives have no mysql-server: set it to mariadb, or give the "
            "host an archive that has MySQL 8"
        )
    elif version:
        problem = versions.mysql_server_problem(f"{version}-MariaDB" if distribution == MARIADB else version)
        if problem:
            yield f"mysql_distribution: {problem.message}: {problem.remedy}"


def _schema_problems(databases: Any) -> Iterator[str]:
    for database in databases:
        if not SCHEMA.match(str(database["name"])):
            yield f"mysql_databases: {database['name']!r} is no name: write up to 64 letters, digits and underscores"


def _request(variables: Mapping[str, Any], host: Mapping[str, Any], version: str | None) -> Request:
    share = variables["mysql_memory_bytes"]
    if share is None and host["memory_bytes"] is None:
        raise MysqlSettingsError("mysql_memory_bytes: this host does not say how much memory it has; set the variable")
    return Request(
        distribution=str(variables["mysql_distribution"]),
        memory_bytes=int(share) if share is not None else memory.shares(int(host["memory_bytes"]), ["mysql"])["mysql"],
        max_connections=int(variables["mysql_max_connections"]),
        port=int(variables["mysql_port"]),
        bind_addresses=[str(address) for address in variables["mysql_bind_addresses"]],
        dedicated=bool(variables["mysql_dedicated"]),
        version=tuple(map(int, version.split("."))) if version else None,
        extra=variables["mysql_settings"],
    )
