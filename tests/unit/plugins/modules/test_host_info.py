"""The host_info module, on the host that runs the tests."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils.host import PACKAGE_PATTERN
from ansible_collections.cubeops.cubejs.plugins.modules import host_info


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        host_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_the_host_is_a_fact(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, package_pattern="^bash$", _ansible_check_mode=True)
    host = result["ansible_facts"]["cubeops_host"]
    assert not result["changed"]
    assert set(host["packages"]) <= {"bash"}
    documented = yaml.safe_load(host_info.RETURN)["ansible_facts"]["contains"]["cubeops_host"]["sample"]
    assert set(host) == set(documented)


def test_a_pattern_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, package_pattern="(")
    assert result["failed"]
    assert "This host cannot be described" in result["msg"]


def test_the_documented_pattern_is_the_default() -> None:
    assert yaml.safe_load(host_info.DOCUMENTATION)["options"]["package_pattern"]["default"] == PACKAGE_PATTERN
