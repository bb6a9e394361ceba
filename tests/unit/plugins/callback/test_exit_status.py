"""The callback; that ansible-playbook ends so is tested by running it."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.callback.exit_status import CallbackModule


def result(outcome: str, action: str = "cubeops.cubejs.checklist") -> Any:
    """Return a task's result as Ansible hands it over."""
    return SimpleNamespace(
        _task=SimpleNamespace(resolved_action=action, action=action), _result={"outcome": outcome, "msg": "m"}
    )


@pytest.mark.parametrize(
    ("failed", "ignored", "given", "status"),
    [
        pytest.param(False, False, 0, 20, id="told"),
        pytest.param(True, False, 2, 20, id="failed"),
        pytest.param(True, True, 0, 20, id="failed and ignored"),
        pytest.param(True, False, 4, 4, id="unreachable besides"),
    ],
)
def test_it_ends_with_the_outcome(
    failed: bool, ignored: bool, given: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "exit", sys.exit)
    leave = sys.exit
    callback = CallbackModule()
    if failed:
        callback.v2_runner_on_failed(result("findings"), ignore_errors=ignored)
    else:
        callback.v2_runner_on_ok(result("findings"))
    callback.v2_playbook_on_stats(None)
    with pytest.raises(SystemExit) as caught:
        sys.exit(given)
    assert caught.value.code == status
    assert sys.exit is leave, "only the end of the run is another"


def test_without_a_judgement_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "exit", sys.exit)
    callback = CallbackModule()
    callback.v2_runner_on_failed(result("x", "ansible.builtin.command"))
    callback.v2_playbook_on_stats(None)
    with pytest.raises(SystemExit) as caught:
        sys.exit(2)
    assert caught.value.code == 2
