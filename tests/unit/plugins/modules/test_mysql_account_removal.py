"""The module that shuts hosts out of MySQL."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import MysqlServerError
from ansible_collections.cubeops.cubejs.plugins.modules import mysql_account_removal

ACCOUNTS = [{"name": "cube_acme", "host": "192.0.2.2"}]


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    """Return what the module says in check mode, which needs no lock."""
    given = {"accounts": ACCOUNTS, **arguments, "_ansible_check_mode": True}
    with patch_module_args(given), pytest.raises(SystemExit):
        mysql_account_removal.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_the_documented_options_are_those_there_are() -> None:
    documented = yaml.safe_load(mysql_account_removal.DOCUMENTATION)["options"]
    assert set(documented) == set(mysql_account_removal.ARGUMENT_SPEC)


def test_it_says_which_accounts_go(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("cube_acme", "192.0.2.2"), ("cube_acme", "192.0.2.1")]
    session = SimpleNamespace(rows=lambda _sql: rows, close=lambda: None)
    monkeypatch.setattr(mysql_account_removal, "SocketSession", lambda *_login: session)
    result = run(capsys)
    assert (result["changed"], result["removed"]) == (True, ["cube_acme@192.0.2.2"])


def test_a_server_that_lets_nobody_in_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*login: Any) -> None:
        raise MysqlServerError(f"no way in by {login[0]}")

    monkeypatch.setattr(mysql_account_removal, "SocketSession", refuse)
    assert run(capsys, socket="/run/none.sock")["msg"] == "no way in by /run/none.sock"
