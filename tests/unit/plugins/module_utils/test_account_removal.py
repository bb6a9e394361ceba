"""A user is shut out from one host, and from no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.account_removal import Account, remove

KEPT = {("cube_acme", "192.0.2.1"), ("cube_beta", "192.0.2.2"), ("cube", "%")}
GOES = ("cube_acme", "192.0.2.2")


class Server:
    """The accounts of a server."""

    def __init__(self) -> None:
        self.accounts = {*KEPT, GOES}

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Do what the two statements ask for."""
        if sql.startswith("SELECT"):
            return sorted(self.accounts)
        assert sql == "DROP USER %s@%s"
        self.accounts.remove((values[0], values[1]))
        return []

    def close(self) -> None:
        """End the session."""


@pytest.mark.parametrize("apply", [True, False])
def test_only_what_is_named_and_there_goes(apply: bool) -> None:
    server = Server()
    asked = [Account(*GOES), Account("cube_gamma", "192.0.2.2")]
    assert remove(asked, server, apply=apply) == ["cube_acme@192.0.2.2"]
    assert server.accounts == (KEPT if apply else {*KEPT, GOES})
