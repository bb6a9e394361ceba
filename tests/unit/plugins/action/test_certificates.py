# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action, with a task of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.cubeops.cubejs.plugins.action.certificates import ActionModule


class Task(SimpleNamespace):
    """What the action asks of its task; files are looked up in one directory."""

    action = "cubeops.cubejs.certificates"
    async_val = 0
    diff = True

    def get_search_path(self) -> list[str]:
        """Return where relative paths are looked up."""
        return [str(self.playbook)]


def run(playbook: Path, *, check_mode: bool = False, local_tmp: Path | None = None, **arguments: Any) -> dict[str, Any]:
    """Run the task in an Ansible run of its own, or in the one that has this temporary directory."""
    arguments = {"directory": str(playbook / "ca"), **arguments}
    task = Task(args=arguments, check_mode=check_mode, playbook=playbook)
    shell = SimpleNamespace(tmpdir=None)
    connection = SimpleNamespace(_shell=shell)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "DEFAULT_LOCAL_TMP", str(local_tmp or tempfile.mkdtemp(dir=playbook)))
        return ActionModule(task, connection, SimpleNamespace(), DataLoader(), None, None).run(task_vars={})


ACME = {"name": "acme", "names": ["cube.acme.example"]}


def test_a_result_holds_certificates_and_paths_but_no_key(tmp_path: Path) -> None:
    result = run(tmp_path, certificates=[ACME])
    acme = result["certificates"]["acme"]
    assert result["changed"]
    assert result["ca_created"]
    assert acme["certificate"] == Path(acme["certificate_path"]).read_text()
    assert "PRIVATE KEY" in Path(acme["key_path"]).read_text()
    assert "PRIVATE KEY" not in str(result)


def test_a_second_run_says_that_nothing_changed(tmp_path: Path) -> None:
    run(tmp_path, certificates=[ACME])
    second = run(tmp_path, certificates=[ACME])
    assert (second["changed"], second["diff"], second["certificates"]["acme"]["reason"]) == (False, [], None)


def test_the_diff_says_why(tmp_path: Path) -> None:
    run(tmp_path, certificates=[ACME])
    result = run(tmp_path, certificates=[{**ACME, "names": ["new.acme.example"]}])
    assert [part["after"].split(": ")[1] for part in result["diff"]] == ["its names changed\n"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_which_host_of_a_run_is_first_makes_no_difference(tmp_path: Path, check_mode: bool) -> None:
    (tmp_path / "run").mkdir()
    hosts = [
        run(tmp_path, check_mode=check_mode, local_tmp=tmp_path / "run", certificates=[ACME]) for _host in range(2)
    ]
    assert [(host["changed"], host["ca_created"]) for host in hosts] == [(True, True)] * 2
    assert hosts[0]["certificates"]["acme"]["certificate"] == hosts[1]["certificates"]["acme"]["certificate"]


def test_check_mode_gives_keys_to_check_with_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    result = run(tmp_path, check_mode=True, local_tmp=tmp_path / "run", certificates=[ACME])
    assert result["changed"]
    assert Path(result["certificates"]["acme"]["key_path"]).is_relative_to(tmp_path / "run")
    assert not (tmp_path / "ca").exists()


def test_provided_files_are_found_beside_the_playbook(tmp_path: Path) -> None:
    made = run(tmp_path, certificates=[ACME])["certificates"]["acme"]
    (tmp_path / "files").mkdir()
    for name, path in (("a.crt", made["certificate_path"]), ("a.key", made["key_path"])):
        (tmp_path / "files" / name).write_text(Path(path).read_text())
    provided = {**ACME, "certificate_path": "a.crt", "key_path": "a.key"}
    result = run(tmp_path, directory=str(tmp_path / "unused"), certificates=[provided])
    assert result["certificates"]["acme"]["key_path"] == str(tmp_path / "files/a.key")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"certificates": [{**ACME, "names": ["a b"]}]}, "'a b' is neither", id="name"),
        pytest.param({"certificates": [{**ACME, "names": []}]}, "no names", id="no names"),
        pytest.param(
            {"certificates": [{**ACME, "certificate_path": "no.crt", "key_path": "no.key"}]}, "no.crt", id="no file"
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(AnsibleActionFail, match=message):
        run(tmp_path, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="no certificates"),
        pytest.param({"certificates": [{"name": "acme"}]}, id="no list of names"),
        pytest.param({"certificates": [ACME], "renew": 3}, id="unknown option"),
        pytest.param({"certificates": [{**ACME, "key_path": "a.key"}]}, id="half of a pair"),
    ],
)
def test_arguments_are_held_to_their_specification(tmp_path: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(AnsibleError):
        run(tmp_path, **arguments)
