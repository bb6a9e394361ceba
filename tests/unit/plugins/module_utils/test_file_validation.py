"""Sets shown to the programs that will read them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import file_validation
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_validation import Standing, Validation, validate
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import ManagedFilesError, WantedFile

FILES = (WantedFile("sub/a", b"new"), WantedFile("link", link="sub/a"))


def test_without_a_root_the_copy_has_absolute_paths() -> None:
    files = [WantedFile("/etc/x.cnf", b"hello")]
    assert validate([Validation("grep -q hello {staged}/etc/x.cnf")], files, None, []) == [
        {"command": "grep -q hello {staged}/etc/x.cnf", "rc": 0}
    ]


def test_the_view_looks_like_the_place_with_the_new_set_in_it(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("neighbour")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "theirs").write_text("foreign")
    (tmp_path / "set" / "old").write_text("old")
    steps = [
        Validation("grep -q neighbour {view}/nginx.conf"),
        Validation("grep -q new {view}/set/sub/a"),
        Validation("grep -q new {view}/set/link"),
        Validation("grep -q foreign {view}/set/theirs"),
        Validation("test ! -e {view}/set/old"),
    ]
    outcomes = validate(steps, FILES, str(tmp_path / "set"), ["theirs"])
    assert [outcome["rc"] for outcome in outcomes] == [0] * 5


def test_what_stands_is_shown_by_links_and_not_touched(tmp_path: Path) -> None:
    """Links are shown with what they say, since they may lead to what is new. Hard links would change change times."""
    root = tmp_path / "set"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a").write_text("old")
    (root / "link").symlink_to("sub/a")
    (root / "kept").write_text("kept")
    (root / "theirs").symlink_to("sub/a")
    before = {path: path.lstat() for path in root.rglob("*")}
    files = (*FILES, WantedFile("kept", b"not written"))
    standing = {"link": root / "link", "kept": root / "kept"}
    shown = (("sub/a", "new"), ("link", "new"), ("theirs", "new"), ("kept", "kept"))
    steps = [Validation(f"grep -q {text} {{view}}/set/{dest}") for dest, text in shown]
    outcomes = validate(steps, files, str(root), ["theirs"], standing=standing)
    assert [outcome["rc"] for outcome in outcomes] == [0] * len(steps)
    after = {path: path.lstat() for path in root.rglob("*")}
    assert {path: found.st_ctime_ns for path, found in after.items()} == {
        path: found.st_ctime_ns for path, found in before.items()
    }
    assert (root / "sub" / "a").read_text() == "old"


def test_a_view_of_what_does_not_exist_yet(tmp_path: Path) -> None:
    steps = [Validation("test -f {view}/set/sub/a")]
    assert validate(steps, FILES, str(tmp_path / "missing/set"), [])[0]["rc"] == 0


def test_a_command_waits_for_its_program(tmp_path: Path) -> None:
    steps = [Validation("false", requires=str(tmp_path / "nginx")), Validation("true", requires="/")]
    assert validate(steps, FILES, str(tmp_path / "set"), []) == [
        {"command": "false", "skipped": f"{tmp_path}/nginx does not exist yet"},
        {"command": "true", "rc": 0},
    ]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param("cat {elsewhere}", r"it may name \{staged\}, \{view\}", id="unknown place"),
        pytest.param("cat 'unclosed", "is not understood", id="quoting"),
        pytest.param("/nonexistent/program", "cannot be run", id="no such program"),
        pytest.param("sleep 5", "cannot be run: .*timed out", id="hanging"),
        pytest.param("sh -c 'echo because; exit 3'", r"status 3\).*unchanged:\nbecause", id="refused"),
    ],
)
def test_refusals_say_what_and_why(tmp_path: Path, command: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_validation, "VALIDATION_SECONDS", 0.2)
    with pytest.raises(ManagedFilesError, match=f"(?s){message}"):
        validate([Validation(command)], FILES, str(tmp_path / "set"), [])


def test_what_a_program_says_of_secrets_is_masked(tmp_path: Path) -> None:
    files = [WantedFile("a", b"requirepass hunter2hunter2\n", secret=True)]
    with pytest.raises(ManagedFilesError) as refusal:
        validate([Validation("sh -c 'cat {staged}/a; exit 1'")], files, str(tmp_path / "set"), [])
    assert "hunter2" not in str(refusal.value)
    assert "<masked>" in str(refusal.value)


def test_nobody_waits_for_commands_on_what_is_replaced(tmp_path: Path) -> None:
    """They are over when the new set is tried: both would use the same processors."""
    step = Validation(f"sh -c 'echo $$ >{tmp_path}/pid; exec sleep 60'", always=True)
    with Standing([step], FILES, str(tmp_path / "set"), ()):
        deadline = time.monotonic() + 30
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_commands_on_what_stands_are_waited_for_when_it_stays(tmp_path: Path) -> None:
    steps = [Validation("sh -c 'sleep 0.1; echo broken; exit 1'", always=True), Validation("false")]
    with (
        Standing(steps, FILES, str(tmp_path / "set"), ()) as standing,
        pytest.raises(ManagedFilesError, match="broken"),
    ):
        standing.outcomes()
    with Standing(steps[1:], FILES, str(tmp_path / "set"), ()) as standing:
        assert standing.outcomes() == []


@pytest.mark.parametrize("command", ["true", "false"])
def test_the_copy_is_private_and_removed(tmp_path: Path, command: str) -> None:
    workspace = tmp_path / "copy"
    steps = [Validation(f"sh -c 'stat -c %a {workspace} >{tmp_path}/mode; {command}'")]
    try:
        validate(steps, FILES, str(tmp_path / "set"), [], workspace)
    except ManagedFilesError:
        assert command == "false"
    assert (tmp_path / "mode").read_text() == "700\n"
    assert not workspace.exists()
