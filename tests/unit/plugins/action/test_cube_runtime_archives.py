"""Archives taken from a host, as a task takes them but for the connection."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.action import cube_runtime_archives
from ansible_collections.cubeops.cubejs.plugins.action.cube_runtime_archives import ActionModule


class Shell:
    """The part of a connection that files are sent through."""

    tmpdir = "/tmp/remote"

    @staticmethod
    def join_path(*parts: str) -> str:
        """Join."""
        return "/".join(parts)


class Connection:
    """A connection to a host that has files."""

    _shell = Shell()
    content = b"packed"

    def fetch_file(self, remote: str, local: str) -> None:
        """Fetch."""
        assert remote.startswith("/tmp/remote/")
        Path(local).write_bytes(self.content)


class Taken(ActionModule):
    """A host with some runtimes."""

    has: tuple[str, ...] = ("r1", "r2")

    def _execute_module(self, module_args: dict[str, Any], **_others: Any) -> dict[str, Any]:
        self.asked = [*getattr(self, "asked", []), *module_args["runtimes"]]
        there = module_args["runtimes"][0] in self.has
        return {"sha256": hashlib.sha256(b"packed").hexdigest() if there else None, "bytes": 6}

    def _remove_tmp_path(self, tmp_path: str | None, **_options: Any) -> None:
        self.removed = tmp_path


def action(tmp_path: Path, *runtimes: str, check_mode: bool = False) -> Taken:
    """Return the action of a task."""
    loader = DataLoader()
    task = Task()
    task.check_mode = check_mode
    task.args = {"runtimes": list(runtimes), "directory": str(tmp_path / "cache/runtimes")}
    return Taken(task, Connection(), None, loader, Templar(loader=loader, variables={}), None)


def test_an_archive_is_taken_once(tmp_path: Path) -> None:
    first = action(tmp_path, "r1", "r2")
    result = first.run(task_vars={})
    assert (result["changed"], result["kept"], result["missing"]) == (False, ["r1", "r2"], [])
    assert first.removed == "/tmp/remote"
    second = action(tmp_path, "r1")
    assert second.run(task_vars={})["kept"] == ["r1"]
    assert not hasattr(second, "asked")
    assert (tmp_path / "cache/runtimes").stat().st_mode & 0o777 == 0o700


def test_a_runtime_that_the_host_does_not_have_is_told(tmp_path: Path) -> None:
    result = action(tmp_path, "r1", "r3").run(task_vars={})
    assert (result["kept"], result["missing"]) == (["r1"], ["r3"])


def test_check_mode_asks_nobody(tmp_path: Path) -> None:
    made = action(tmp_path, "r1", check_mode=True)
    made.run(task_vars={})
    assert not hasattr(made, "asked")
    assert not (tmp_path / "cache").exists()


def test_what_was_damaged_on_its_way_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "content", b"half")
    with pytest.raises(AnsibleActionFail, match="r1 was damaged on its way"):
        action(tmp_path, "r1").run(task_vars={})
    assert list((tmp_path / "cache/runtimes").iterdir()) == []


def test_a_controller_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cube_runtime_archives.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1))
    with pytest.raises(AnsibleActionFail, match="has 0 MB left, an archive of packages takes 0 MB: make room"):
        action(tmp_path, "r1").run(task_vars={})
