"""The units module, over a systemctl that is played."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd
from ansible_collections.cubeops.cubejs.plugins.modules import units

SHOWN = "LoadState={load}\nActiveState=active\nUnitFileState=disabled\nMainPID=0\n"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def systemctl(command: Sequence[str]) -> Completed:
        if command[1] != "show":
            seen.append(" ".join(command))
        load = "not-found" if "missing.service" in command else "loaded"
        return Completed(0, SHOWN.format(load=load), "")

    monkeypatch.setattr(units, "Systemd", lambda: Systemd(systemctl))
    return seen


def run(capsys: pytest.CaptureFixture[str], name: str, answers: Sequence[Any] = (), **flags: bool) -> dict[str, Any]:
    internal = {f"_ansible_{flag}": value for flag, value in flags.items()}
    arguments = {"units": [{"name": name}], "answers": list(answers), "answer_seconds": 0, **internal}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        units.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_units_are_brought_to_their_state(commands: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, "a.service")
    assert (result["changed"], result["actions"]) == (True, {"a.service": ["enable"]})
    assert commands == ["systemctl enable -- a.service"]
    assert set(result) - {"changed", "invocation"} == set(yaml.safe_load(units.RETURN))


def test_check_mode_only_says_so(commands: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "a.service", check_mode=True)["changed"]
    assert commands == []


def test_errors_are_messages(commands: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, "missing.service")
    assert result["failed"]
    assert "missing.service does not exist: install its package" in result["msg"]
    assert commands == []


def test_services_are_asked_and_not_in_check_mode(commands: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        closed = {"port": listener.getsockname()[1], "status": 308}
        result = run(capsys, "a.service", [closed])
        assert "Connection refused: see the service's error log" in result["msg"]
        assert not run(capsys, "a.service", [closed], check_mode=True).get("failed")
