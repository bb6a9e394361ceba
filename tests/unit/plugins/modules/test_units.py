"""The units module, over a systemctl that is played."""

from __future__ import annotations

import json
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


def run(capsys: pytest.CaptureFixture[str], name: str, **flags: bool) -> dict[str, Any]:
    arguments = {"units": [{"name": name}], **{f"_ansible_{flag}": value for flag, value in flags.items()}}
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
