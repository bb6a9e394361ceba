"""The module redis_instances, over a store that is played."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_instances import Options, Outcome, Result
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import Instance, InstancesError
from ansible_collections.cubeops.cubejs.plugins.modules import redis_instances

ACME = {
    "name": "acme",
    "port": 20001,
    "password": "planted",
    "maxclients": 500,
    "tls_names": ["a", "b"],
    "primary": "10.0.0.5",
}
MISSING = {"/proc/sys/vm/overcommit_memory": ("0", "1")}


class World:
    """What the module was told to do, and what it is answered."""

    def __init__(self) -> None:
        self.result = Result({"acme": Outcome()})
        self.errors: list[Exception] = []
        self.instances: list[Instance] = []
        self.options = Options()
        self.written: list[dict[str, tuple[str, str]]] = []
        self.unmet: dict[str, tuple[str, str]] = {}

    def converge(self, instances: list[Instance], _store: object, options: Options) -> Result:
        """Take the place of the real one."""
        self.instances, self.options = instances, options
        for error in self.errors:
            raise error
        return self.result


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(redis_instances, "converge", made.converge)
    monkeypatch.setattr(redis_instances.kernel, "unmet", lambda _settings: made.unmet)
    monkeypatch.setattr(redis_instances.kernel, "write", made.written.append)
    return made


def run(capsys: pytest.CaptureFixture[str], check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    given = {"instances": [ACME], **arguments, "_ansible_check_mode": check_mode}
    with patch_module_args(given), pytest.raises(SystemExit):
        redis_instances.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_instances_and_options_arrive(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, pending=["acme.conf", "globex.key", "ca.crt"], keep_old_passwords=True, start_seconds=5)
    assert world.instances == [Instance("acme", 20001, "planted", 500, ("127.0.0.1",), False, "a", "10.0.0.5")]
    assert world.options == Options(True, frozenset({"acme", "globex", "ca"}), False, True, 5.0)
    run(capsys, check_mode=True, pending_unit=True)
    assert not world.options.apply
    assert world.options.pending_unit


def test_the_result_is_what_is_documented(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.result = Result({"acme": Outcome(["set"], {"maxclients": ("1", "2")})})
    result = run(capsys)
    assert result["changed"]
    assert set(result) - {"changed", "invocation", "diff"} == set(yaml.safe_load(redis_instances.RETURN))
    assert result["instances"]["acme"]["settings"] == {"maxclients": ["1", "2"]}
    assert result["diff"][0]["after_header"] == "Redis instance acme: set"
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == ("maxclients 1\n", "maxclients 2\n")
    assert "planted" not in json.dumps(result)


def test_nothing_changed_is_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert not run(capsys)["changed"]


def test_kernel_settings_are_written_where_they_can_be(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.unmet = MISSING
    result = run(capsys)
    assert (result["changed"], world.written) == (True, [MISSING])
    assert result["notes"] == []
    assert run(capsys, check_mode=True)["changed"]
    assert len(world.written) == 1


def test_a_containers_kernel_is_noted_and_left_alone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.unmet = MISSING
    result = run(capsys, container=True)
    assert not result["changed"]
    assert not any(world.written)
    assert "belongs to the container's host" in result["notes"][0]


def test_kernel_settings_can_be_left_to_others(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.unmet = MISSING
    assert not run(capsys, kernel_settings=False)["changed"]


def test_warnings_are_given(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(redis_instances.AnsibleModule, "warn", lambda _module, text: warned.append(text))
    world.result = Result({"acme": Outcome(warnings=["look"])}, unlisted=["globex"])
    run(capsys)
    assert warned[0] == "Redis instance acme: look"
    assert warned[1].endswith("left alone: globex")


def test_errors_are_messages(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.errors = [InstancesError("Redis instance acme: it does not start")]
    result = run(capsys)
    assert result["failed"]
    assert result["msg"] == "Redis instance acme: it does not start"
