"""The cube_instances module, over a systemctl that is played and a store in a temporary folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils.environment import to_file
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd
from ansible_collections.cubeops.cubejs.plugins.modules import cube_instances

UNIT = "cubejs-api@acme-1.service"
DEPLOYMENT = {
    "tenant": "acme",
    "version": "0.29.57",
    "instances": [{"name": "acme-1", "kind": "api", "unit": UNIT}],
    "health": {"steady_seconds": 0},
}
RELEASES = {"acme": {"release": "new", "instances": {"acme-1": "d1"}}}


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Play a host on which nothing runs, and return what systemctl is told to do."""
    seen: list[str] = []

    def systemctl(command: Sequence[str]) -> Completed:
        if command[0] == "journalctl":
            return Completed(0, "Error: it broke\n", "")
        if command[1] == "show":
            return Completed(
                0,
                "\n".join(
                    "ActiveState=inactive\nSubState=dead\nMainPID=0\nExecMainStatus=1\nResult=x\n"
                    for _unit in command[command.index("--") + 1 :]
                ),
                "",
            )
        if command[1] not in ("list-units", "reset-failed"):
            seen.append(" ".join(command[1:]))
        return Completed(0, "", "")

    store = Store(tmp_path)
    folder = store.release("acme", "new") / "environment"
    folder.mkdir(parents=True)
    (folder / "acme-1.env").write_text(
        to_file({"PORT": str(tmp_path / "s"), "CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"})
    )
    monkeypatch.setattr(cube_instances, "Systemd", lambda: Systemd(systemctl))
    monkeypatch.setattr(cube_instances, "Store", lambda: store)
    return seen


def run(capsys: pytest.CaptureFixture[str], check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    given = {"deployments": [DEPLOYMENT], "releases": RELEASES, **arguments, "_ansible_check_mode": check_mode}
    with patch_module_args(given), pytest.raises(SystemExit):
        cube_instances.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_check_mode_says_what_would_be_done(commands: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, check_mode=True)
    assert (result["changed"], result["actions"]) == (True, {UNIT: ["enable", "start"]})
    assert result["switched"] == {"acme": "new"}
    assert commands == []
    assert set(result) - {"changed", "invocation"} == set(yaml.safe_load(cube_instances.RETURN))


def test_an_instance_that_does_not_come_up_fails_the_task(
    commands: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(capsys)
    assert result["failed"]
    assert f"{UNIT} is not healthy: the process ended with status 1" in result["msg"]
    assert "  | Error: it broke" in result["msg"]
    assert commands == [f"SYSTEMD_OFFLINE=1 systemctl enable -- {UNIT}", f"enable -- {UNIT}", f"start -- {UNIT}"]


def test_asking_changes_nothing(commands: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, state="healthy")
    assert result["failed"]
    assert f"{UNIT} is not healthy: /readyz does not answer" in result["msg"]
    assert commands == []
