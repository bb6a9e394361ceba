"""The mysql_server module, over a server that is played."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import MysqlServerError
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_server import Report, Server
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_state import Outcome, Wanted
from ansible_collections.cubeops.cubejs.plugins.modules import mysql_server

SECRET = "marked-secret"
ARGUMENTS = {
    "service": "mariadb.service",
    "socket": "/run/s",
    "config_file": "/etc/x.cnf",
    "settings": [{"name": "port", "value": "3306"}],
    "databases": ["cube_acme"],
    "users": [{"name": "cube_acme", "password": SECRET}],
}


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: Report | Exception, **arguments: Any
) -> tuple[dict[str, Any], list[Any]]:
    """Run the module with a server that answers this; return its result and what was asked of the server."""
    asked: list[Any] = []

    def bring_up_to_date(wanted: Wanted, server: Server, **options: Any) -> Report:
        asked.extend([wanted, server, options])
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(mysql_server, "bring_up_to_date", bring_up_to_date)
    with patch_module_args({**ARGUMENTS, **arguments}), pytest.raises(SystemExit):
        mysql_server.main()
    return json.loads(capsys.readouterr().out), asked


def test_what_is_asked_and_returned(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report([], Outcome(version="10.11", databases=["cube_acme"]))
    result, (wanted, server, options) = run(capsys, monkeypatch, report, pending=True, _ansible_check_mode=True)
    assert result["changed"]
    assert result["diff"]["after"] == "schema cube_acme: create\n"
    assert set(result) - {"changed", "diff", "invocation"} == set(yaml.safe_load(mysql_server.RETURN))
    assert wanted.settings == (("port", "3306"),)
    assert [str(account) for account in wanted.accounts] == ["cube_acme@127.0.0.1"]
    assert (server.service, server.config_file, server.port) == ("mariadb.service", "/etc/x.cnf", 3306)
    assert options == {"apply": False, "pending": True}


@pytest.mark.parametrize(
    ("answer", "arguments", "message"),
    [
        pytest.param(MysqlServerError("no server"), {}, "no server", id="server"),
        pytest.param(Report([], Outcome()), {"users": [{"name": "!", "password": SECRET}]}, "is no name", id="users"),
    ],
)
def test_errors_are_messages_without_secrets(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: Report | Exception,
    arguments: dict[str, Any],
    message: str,
) -> None:
    result, _unused = run(capsys, monkeypatch, answer, **arguments)
    assert result["failed"]
    assert message in result["msg"]
    assert SECRET not in json.dumps(result)


def shape(options: dict[str, Any], suboptions: str) -> dict[str, Any]:
    """Return what documentation and argument specification have to agree on."""
    return {
        name: (
            option["type"],
            option.get("required", False),
            option.get("default"),
            shape(option.get(suboptions, {}), suboptions),
        )
        for name, option in options.items()
    }


def test_the_documentation_is_the_specification() -> None:
    documented = yaml.safe_load(mysql_server.DOCUMENTATION)["options"]
    assert shape(documented, "suboptions") == shape(mysql_server.ARGUMENT_SPEC, "options")
