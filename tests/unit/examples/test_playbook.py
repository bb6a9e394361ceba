"""Progress while a playbook runs, seen with a program in ansible-playbook's place."""

from __future__ import annotations

import os
from pathlib import Path

import playbook
import pytest

OUTPUT = """
TASK [redis : Install Redis] ***************
changed: [cube1]
changed: [cube2]
TASK [redis : Nothing] ***************
ok: [cube1]
PLAY RECAP ****
cube1                      : ok=5    changed=4    unreachable=0    failed=0    skipped=1    rescued=0    ignored=0
cube2                      : ok=5    changed=1    unreachable=0    failed=0    skipped=1    rescued=0    ignored=0
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose ansible-playbook is a shell script: its argument."""
    program = tmp_path / "ansible-playbook"
    program.write_text('#!/bin/sh\neval "$1"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


def test_changes_are_shown_and_counted(environment: dict[str, str], tmp_path: Path) -> None:
    said: list[str] = []
    changed = playbook.run([f"cat <<'EOF'\n{OUTPUT}EOF"], environment, tmp_path / "log", said.append)
    assert changed == 5
    assert [text.split(" s  ")[1] for text in said] == ["changed  redis : Install Redis"]
    assert (tmp_path / "log").read_text() == OUTPUT


def test_a_long_task_is_heard_of(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playbook, "QUIET_SECONDS", 0.1)
    said: list[str] = []
    playbook.run(["echo 'TASK [cubejs : Long] ***'; sleep 0.5"], environment, tmp_path / "log", said.append)
    assert any("running  cubejs : Long" in text for text in said)


def test_a_failure_shows_the_end_and_where_the_rest_is(environment: dict[str, str], tmp_path: Path) -> None:
    command = "seq 100; echo 'fatal: [cube1]: FAILED! the reason'; exit 2"
    with pytest.raises(playbook.PlaybookError) as caught:
        playbook.run([command], environment, tmp_path / "log", [].append)
    message = str(caught.value)
    assert "the reason" in message
    assert "exit status 2" in message
    assert str(tmp_path / "log") in message
    assert "\n10\n" not in message
    assert "\n10\n" in (tmp_path / "log").read_text()
