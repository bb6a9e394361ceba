"""The module that takes a tenant away, on a host that has nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils import removal
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import MysqlServerError
from ansible_collections.cubeops.cubejs.plugins.modules import tenant_removal


@contextmanager
def alone(*, apply: bool) -> Iterator[None]:
    """Stand for the lock of a host."""
    assert isinstance(apply, bool)
    yield


def run(capsys: pytest.CaptureFixture[str], check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    with patch_module_args({**arguments, "_ansible_check_mode": check_mode}), pytest.raises(SystemExit):
        tenant_removal.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_the_documented_options_are_those_there_are() -> None:
    assert set(yaml.safe_load(tenant_removal.DOCUMENTATION)["options"]) == set(tenant_removal.ARGUMENT_SPEC)


def test_where_there_is_nothing_nothing_changes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant_removal, "only_run", alone)
    result = run(capsys, tenant="nobodyknows")
    assert (result["changed"], result["removed"], result["exported"]) == (False, [], [])


def test_a_name_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "'../etc' is no name of a tenant" in run(capsys, tenant="../etc", cubejs=True)["msg"]


def test_what_goes_wrong_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_wanted: removal.Wanted, _host: removal.Host, *, apply: bool) -> removal.Outcome:
        raise MysqlServerError(f"no way in, apply is {apply}")

    monkeypatch.setattr(tenant_removal, "only_run", alone)
    monkeypatch.setattr(removal, "remove", refuse)
    result = run(capsys, check_mode=True, tenant="acme", schemas=["cube_acme"])
    assert (result["failed"], result["msg"]) == (True, "no way in, apply is False")
