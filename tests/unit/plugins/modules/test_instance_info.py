"""The instance_info module, on the host that runs the tests; what it sees is tested on recorded hosts."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import probing
from ansible_collections.cubeops.cubejs.plugins.modules import instance_info


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        instance_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_the_host_is_observed_in_check_mode_too(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, probes=[], _ansible_check_mode=True)
    assert not result["changed"]
    seen = Observation.from_dict(result["observation"])
    assert seen.redis == {}
    documented = yaml.safe_load(instance_info.RETURN)["observation"]["contains"]
    assert set(documented) == set(result["observation"])


def test_what_is_asked_for_is_what_is_looked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def observe(key: bytes, wanted: probing.Wanted) -> Any:
        asked.append((key, wanted))
        return Observation(1, "h", "m", 1.0, privileged=True)

    monkeypatch.setattr(instance_info, "observe", observe)
    proxies = [{"server_name": "n", "address": "192.0.2.1"}]
    result = run(capsys, fingerprint_key="ab" * 32, probes=["http"], proxies=proxies, reach=[{"host": "h", "port": 1}])
    assert "abab" not in json.dumps(result)
    key, wanted = asked[0]
    assert key == b"\xab" * 32
    assert (wanted.probes, wanted.proxies[0].https_port, wanted.reach) == (frozenset({"http"}), 443, (("h", 1),))


def test_wrong_options_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, fingerprint_key="planted", deadline_seconds=0.1, probes=[])
    assert result["failed"]
    assert len(result["msg"].splitlines()) == 3
    assert "planted" not in json.dumps(result)


def test_documentation_and_arguments_agree(documentation_agrees: Any) -> None:
    documentation_agrees(instance_info, instance_info.ARGUMENT_SPEC)
    assert tuple(instance_info.ARGUMENT_SPEC["probes"]["choices"]) == probing.PROBES
