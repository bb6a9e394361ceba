"""The controller's half of managed_files, run as a task runs it but for the connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.action.managed_files import ActionModule
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import WantedFile
from ansible_collections.cubeops.cubejs.plugins.module_utils.managed_files import unpack


class Shell:
    """The part of a connection that a module's action looks at."""

    tmpdir = None


class Connection:
    """A connection that nothing is sent over."""

    _shell = Shell()


class Sent(ActionModule):
    """Keeps what would be sent to the host."""

    _load_name = "managed_files"

    def _execute_module(self, **sent: Any) -> dict[str, Any]:
        self.sent = sent
        return {"changed": False}


def action(tmp_path: Path, **arguments: Any) -> Sent:
    (tmp_path / "templates").mkdir(exist_ok=True)
    loader = DataLoader()
    loader.set_basedir(str(tmp_path))
    task = Task()
    task.args = arguments
    return Sent(task, Connection(), None, loader, Templar(loader=loader, variables={}), None)


def test_files_are_rendered_and_sent_in_one_option(tmp_path: Path) -> None:
    made = action(
        tmp_path,
        name="test",
        root="/etc/test",
        files=[
            {"dest": "{name}.conf", "template": "t.j2", "for_each": [{"name": "a"}, {"name": "b"}]},
            {"dest": "key", "content": "marked-secret", "secret": True},
        ],
    )
    (tmp_path / "templates/t.j2").write_text("{{ greeting }} {{ item.name }}\n")
    made.run(task_vars={"greeting": "hello", "ansible_search_path": [str(tmp_path)]})
    module_args = made.sent["module_args"]
    [payload] = module_args["payload"]
    assert unpack(payload).files == (
        WantedFile("a.conf", b"hello a\n"),
        WantedFile("b.conf", b"hello b\n"),
        WantedFile("key", b"marked-secret", mode=0o600, secret=True),
    )
    assert made.sent["module_name"] == "cubeops.cubejs.managed_files"
    assert set(module_args) == {"name", "payload", "units", "answers"}
    assert "marked-secret" not in json.dumps(module_args)


def test_who_reads_them_is_sent_with_them(tmp_path: Path) -> None:
    made = action(tmp_path, name="test", units=[{"name": "u.service"}], answers=[{"port": 80, "status": 308}])
    made.run(task_vars={"ansible_search_path": [str(tmp_path)]})
    sent = made.sent["module_args"]
    assert ([unit["name"] for unit in sent["units"]], sent["answers"][0]["port"]) == (["u.service"], 80)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"name": "x", "files": [{"dest": "../a", "content": ""}]}, "write an absolute path", id="path"),
        pytest.param({"name": "x", "files": [{"content": ""}]}, "missing required arguments: dest", id="no dest"),
        pytest.param(
            {"name": "x", "also": [{"name": "y", "files": [{"dest": "a", "content": ""}]}]},
            "write an absolute path",
            id="path in another set",
        ),
        pytest.param({"name": "x", "also": [{"name": "x"}]}, "also: x is written twice", id="one name for two sets"),
        pytest.param({"name": "x", "file": []}, "Unsupported parameters.*file", id="unknown option"),
        pytest.param({"name": "x", "files": [{"dest": "/a", "template": "no.j2"}]}, r"no\.j2", id="no template"),
    ],
)
def test_bad_tasks_fail_before_the_host_is_touched(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    made = action(tmp_path, **arguments)
    with pytest.raises(AnsibleActionFail, match=f"(?s){message}"):
        made.run(task_vars={})
    assert not hasattr(made, "sent")
