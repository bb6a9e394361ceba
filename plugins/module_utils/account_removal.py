# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts of MySQL that are taken away one by one: a user as it logs in from one host, and from no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import Session


class Account(NamedTuple):
    """A user, and where it logs in from."""

    name: str
    host: str

    def __str__(self) -> str:
        return f"{self.name}@{self.host}"


def remove(accounts: Sequence[Account], session: Session, *, apply: bool) -> list[str]:
    """Take away those that are there, and return them; with `apply` false only say which. Raises MysqlServerError."""
    there = {(str(name), str(host)) for name, host in session.rows("SELECT User, Host FROM mysql.user")}
    found = [account for account in accounts if account in there]
    if apply:
        for account in found:
            session.rows("DROP USER %s@%s", account)
    return [str(account) for account in found]
