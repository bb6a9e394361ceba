# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MySQL accounts with exactly the privileges asked for: what a server has, compared with what it should have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PLUGIN = "mysql_native_password"
# What may be granted on a schema; never the right to grant, and nothing on the whole server.
PRIVILEGES = (
    "ALTER",
    "CREATE",
    "CREATE TEMPORARY TABLES",
    "CREATE VIEW",
    "DELETE",
    "DROP",
    "INDEX",
    "INSERT",
    "LOCK TABLES",
    "REFERENCES",
    "SELECT",
    "SHOW VIEW",
    "UPDATE",
)
DEFAULT_HOSTS = ("127.0.0.1",)
SCHEMA = re.compile(r"^[A-Za-z0-9_]{1,64}$")
USER = re.compile(r"^[A-Za-z0-9_.-]{1,32}$")
HOST = re.compile(r"^[A-Za-z0-9_.:%/-]{1,60}$")

_ON = re.compile(r"^GRANT (?P<privileges>.+) ON (?P<target>.+) TO (?:`(?:[^`]|``)*`|'[^']*')@.*$")
_ROLE = re.compile(r"^GRANT (?P<role>`[^`]+`(?:@`[^`]+`)?) TO ")


class AccountError(Exception):
    """Accounts that cannot be meant, or grants that are not understood; every problem on a line of its own."""


@dataclass(frozen=True)
class Account:
    """A wanted account; `privileges` is schema -> privileges on that schema and on no other."""

    user: str
    host: str
    password: str = field(repr=False)
    privileges: Mapping[str, frozenset[str]]

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"


@dataclass(frozen=True)
class Existing:
    """An account that the server has; `grants` are the lines of SHOW GRANTS."""

    plugin: str
    hash: str = field(repr=False)
    grants: Sequence[str] = ()


@dataclass(frozen=True)
class Statement:
    """One statement, its values, and what it does in words that hold no secret."""

    sql: str
    values: tuple[str, ...] = field(repr=False)
    what: str


def parse(users: Iterable[Mapping[str, Any]]) -> list[Account]:
    """Return one account for each user and host; raises AccountError with everything that is wrong."""
    accounts: list[Account] = []
    problems: list[str] = []
    for user in users:
        name, hosts = str(user["name"]), user.get("hosts", DEFAULT_HOSTS)
        problems += [f"mysql_users.{name}: {problem}" for problem in _problems(name, hosts, user)]
        privileges = {
            schema: frozenset(str(privilege).upper() for privilege in granted)
            for schema, granted in (user.get("privileges") or {}).items()
        }
        accounts += [Account(name, str(host), str(user.get("password")), privileges) for host in hosts]
    names = [str(account) for account in accounts]
    problems += [f"mysql_users.{name}: is listed twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if problems:
        raise AccountError("\n".join(problems))
    return accounts


def _problems(name: str, hosts: Sequence[str], user: Mapping[str, Any]) -> Iterable[str]:
    if not USER.match(name):
        yield "is no name of a user; write up to 32 letters, digits and _.-"
    if not hosts:
        yield "has no hosts; list the addresses that it connects from"
    if not isinstance(user.get("password"), str) or not user["password"]:
        yield "has no password; set password to a string"
    for host in hosts:
        if not HOST.match(str(host)):
            yield f"{host!r} is no address of a client"
    for schema, granted in (user.get("privileges") or {}).items():
        if not SCHEMA.match(str(schema)):
            yield f"{schema!r} is no name of a schema; write up to 64 letters, digits and underscores"
        unknown = sorted({str(privilege).upper() for privilege in granted} - set(PRIVILEGES))
        if unknown:
            yield f"{', '.join(unknown)} cannot be granted on {schema}; allowed: {', '.join(PRIVILEGES)}"


def native_hash(password: str) -> str:
    """Return what the server keeps of a mysql_native_password."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def target(schema: str) -> str:
    """Return how a schema is written in a grant, where an underscore by itself would stand for any character."""
    return "`" + schema.replace("_", r"\_") + "`.*"


def statements(account: Account, existing: Existing | None, *, mariadb: bool) -> list[Statement]:
    """Return what makes the account the wanted one; nothing when it is.

    What is missing is granted before what is too much is revoked, so that clients at work notice nothing.
    """
    who = (account.user, account.host)
    steps: list[Statement] = []
    using = f"VIA {PLUGIN} USING" if mariadb else f"WITH {PLUGIN} AS"
    wanted_hash = native_hash(account.password)
    if existing is None:
        steps.append(Statement(f"CREATE USER %s@%s IDENTIFIED {using} %s", (*who, wanted_hash), "create"))
    elif existing.plugin != PLUGIN or existing.hash.upper() != wanted_hash:
        steps.append(Statement(f"ALTER USER %s@%s IDENTIFIED {using} %s", (*who, wanted_hash), "set its password"))
    have = _granted(account, existing)
    wanted = {target(schema): privileges for schema, privileges in account.privileges.items()}
    grants, revokes = [], []
    for place, privileges in wanted.items():
        missing = privileges - have.get(place, frozenset())
        if missing:
            grants.append(_statement("GRANT", missing, place, who))
    for place, privileges in have.items():
        extra = privileges - wanted.get(place, frozenset())
        # The servers take neither ALL PRIVILEGES nor roles together with GRANT OPTION.
        parts = (extra - {"GRANT OPTION"}, extra & {"GRANT OPTION"})
        revokes += [_statement("REVOKE", part, place, who) for part in parts if part]
    # ALL PRIVILEGES on a wanted schema holds the wanted ones too: they are granted anew after it is gone.
    everything = any("ALL PRIVILEGES" in have.get(place, ()) for place in wanted)
    return [*steps, *revokes, *grants] if everything else [*steps, *grants, *revokes]


def _statement(verb: str, privileges: Iterable[str], place: str, who: tuple[str, str]) -> Statement:
    listed = ", ".join(sorted(privileges))
    link = "TO" if verb == "GRANT" else "FROM"
    where = f" ON {place}" if place else ""
    return Statement(f"{verb} {listed}{where} {link} %s@%s", who, f"{verb.lower()} {listed}{where}")


def _granted(account: Account, existing: Existing | None) -> dict[str, frozenset[str]]:
    """Return place -> privileges of an account; roles stand under the empty place."""
    found: dict[str, frozenset[str]] = {}
    for line in existing.grants if existing else ():
        place, privileges = _parsed(account, line)
        found[place] = found.get(place, frozenset()) | privileges
    return {place: privileges for place, privileges in found.items() if privileges}


def _parsed(account: Account, line: str) -> tuple[str, frozenset[str]]:
    try:
        return parse_grant(line)
    except AccountError as exc:
        raise AccountError(f"{account}: has {exc}") from exc


def parse_grant(line: str) -> tuple[str, frozenset[str]]:
    """Return the place and the privileges of a line of SHOW GRANTS; raise AccountError for one that is not understood.

    The place is as the server writes it, empty for a role. USAGE is no privilege.
    """
    if line.startswith("SET DEFAULT ROLE"):
        return "", frozenset()
    match = _ON.match(line)
    if match:
        # A comma also stands between the columns of a privilege on columns: `SELECT (a, b)`.
        listed = re.split(r",\s*(?![^(]*\))", match["privileges"])
        option = {"GRANT OPTION"} if line.endswith("WITH GRANT OPTION") else set()
        return match["target"], frozenset({*listed, *option} - {"USAGE"})
    role = _ROLE.match(line)
    if role:
        return "", frozenset({role["role"]})
    raise AccountError(f"a grant that is not understood, revoke it by hand: {line.partition(' TO ')[0]}")
