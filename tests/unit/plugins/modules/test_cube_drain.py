"""The module that drains a host."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils import draining
from ansible_collections.cubeops.cubejs.plugins.modules import cube_drain


@contextmanager
def alone(*, apply: bool) -> Iterator[None]:
    """Stand for the lock of a host."""
    assert isinstance(apply, bool)
    yield


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, drain: Any, **given: Any) -> Any:
    """Return what the module says."""
    monkeypatch.setattr(cube_drain, "only_run", alone)
    monkeypatch.setattr(draining, "drain", drain)
    with patch_module_args(given), pytest.raises(SystemExit):
        cube_drain.main()
    return json.loads(capsys.readouterr().out)


def test_the_documented_options_are_those_there_are() -> None:
    assert set(yaml.safe_load(cube_drain.DOCUMENTATION)["options"]) == set(cube_drain.ARGUMENT_SPEC)


def test_it_says_what_was_stopped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def drain(ports: Sequence[int], seconds: float, _host: draining.Host, *, apply: bool) -> draining.Drained:
        assert (list(ports), seconds, apply) == ([21010], 130.0, False)
        return draining.Drained({"cubejs-api@acme-1.service": ["disable", "stop"]}, ["/opt/cubejs"])

    result = run(capsys, monkeypatch, drain, ports=[21010], _ansible_check_mode=True)
    assert result["changed"] is True
    assert result["actions"] == {"cubejs-api@acme-1.service": ["disable", "stop"]}
    assert result["standing"] == ["/opt/cubejs"]


def test_requests_that_do_not_end_are_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def drain(*_arguments: Any, **_options: Any) -> draining.Drained:
        raise draining.DrainError("still 1 from 192.0.2.1")

    result = run(capsys, monkeypatch, drain)
    assert (result["failed"], result["msg"]) == (True, "still 1 from 192.0.2.1")
