"""The host's half of managed_files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils import managed_files as core
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import Ownership, WantedFile
from ansible_collections.cubeops.cubejs.plugins.modules import managed_files

SECRET = "marked-secret"


@pytest.fixture(autouse=True)
def _this_directory_is_the_host(tmp_path: Path, ownership: Ownership, monkeypatch: pytest.MonkeyPatch) -> None:
    real = core.converge

    def converge(file_set: core.FileSet, **options: Any) -> core.Result:
        return real(file_set, ownership=ownership, manifests=tmp_path / "manifests", **options)

    monkeypatch.setattr(managed_files, "converge", converge)


def run(capsys: pytest.CaptureFixture[str], arguments: dict[str, Any], **flags: bool) -> dict[str, Any]:
    internal = {f"_ansible_{name}": value for name, value in flags.items()}
    with patch_module_args({**arguments, **internal}), pytest.raises(SystemExit):
        managed_files.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def packed(tmp_path: Path, content: str = f"KEY={SECRET}\n") -> dict[str, Any]:
    files = (WantedFile("a.env", content.encode(), mode=0o600, secret=True),)
    return {"name": "test", "payload": [core.pack(core.FileSet("test", files, f"{tmp_path}/set"))]}


def test_the_set_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, packed(tmp_path), check_mode=True)["changed"]
    assert not (tmp_path / "set").exists()
    assert run(capsys, packed(tmp_path))["changed_files"] == ["a.env"]
    assert (tmp_path / "set/a.env").read_text() == f"KEY={SECRET}\n"
    assert not run(capsys, packed(tmp_path))["changed"]


def test_several_sets_are_kept_by_one_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = core.FileSet("other", (WantedFile(f"{tmp_path}/loose", b"b\n"),))
    arguments = packed(tmp_path)
    arguments["payload"].append(core.pack(other))
    foretold = run(capsys, arguments, check_mode=True, diff=True)
    done = run(capsys, arguments, diff=True)
    assert done["changed_files"] == foretold["changed_files"] == ["a.env", f"{tmp_path}/loose"]
    assert len(done["diff"]) == len(foretold["diff"]) == 2
    assert (tmp_path / "loose").read_text() == "b\n"
    again = run(capsys, arguments)
    assert not again["changed"]
    (tmp_path / "loose").write_text("c\n")
    assert run(capsys, arguments)["changed_files"] == [f"{tmp_path}/loose"]
    assert again["digest"] == done["digest"] != run(capsys, packed(tmp_path))["digest"]


def test_no_secret_is_returned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, packed(tmp_path), diff=True)
    assert result["diff"][0]["after"] == "KEY=<masked, changed>\n"
    assert result["invocation"]["module_args"]["payload"] == ["VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"]
    assert SECRET not in json.dumps(result)


def test_files_of_others_are_warned_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(managed_files.AnsibleModule, "warn", lambda _, text: warnings.append(text))
    run(capsys, packed(tmp_path))
    (tmp_path / "set/theirs").touch()
    assert run(capsys, packed(tmp_path))["foreign_files"] == ["theirs"]
    assert warnings == ["theirs, in the files of test, was put there by someone else and is kept"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"name": "test"}, "runs through its action plugin", id="called without its action"),
        pytest.param(
            {"name": "test", "payload": [core.pack(core.FileSet("test", (WantedFile("a"),), "relative"))]},
            "root 'relative': write an absolute path",
            id="a set that cannot be meant",
        ),
    ],
)
def test_errors(capsys: pytest.CaptureFixture[str], arguments: dict[str, Any], message: str) -> None:
    result = run(capsys, arguments)
    assert result["failed"]
    assert message in result["msg"]


def test_what_is_returned_is_documented(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    returned = set(run(capsys, packed(tmp_path))) - {"changed", "invocation", "diff"}
    assert returned == set(yaml.safe_load(managed_files.RETURN))
