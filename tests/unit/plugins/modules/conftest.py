"""What holds of every assert_* module."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.doc_fragments import asserting as asserting_fragment
from ansible_collections.cubeops.cubejs.plugins.doc_fragments import looking as looking_fragment
from ansible_collections.cubeops.cubejs.plugins.module_utils import asserting
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import FORMAT, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.probing import Wanted

FRAGMENTS = {
    "cubeops.cubejs.asserting": asserting_fragment.ModuleDocFragment.DOCUMENTATION,
    "cubeops.cubejs.looking": looking_fragment.ModuleDocFragment.DOCUMENTATION,
    "cubeops.cubejs.looking.outside": looking_fragment.ModuleDocFragment.OUTSIDE,
}


def documented(module: ModuleType) -> dict[str, Any]:
    """Return the options that a module documents, its own and those of its fragments."""
    told = yaml.safe_load(module.DOCUMENTATION)
    options: dict[str, Any] = dict(told.get("options", {}))
    for name in told["extends_documentation_fragment"]:
        options.update(yaml.safe_load(FRAGMENTS[name])["options"])
    return options


def agree(options: dict[str, Any], spec: dict[str, Any]) -> None:
    """Check that documented options and those of a specification are the same."""
    assert set(options) == set(spec)
    for name, option in options.items():
        for key in ("type", "default", "choices", "elements", "required"):
            assert option.get(key) == spec[name].get(key), (name, key)
        agree(option.get("suboptions", {}), dict(spec[name].get("options", {})))


@pytest.fixture
def documentation_agrees() -> Callable[[ModuleType, dict[str, Any]], None]:
    """Return a function that holds a module's documentation against its specification."""
    return lambda module, spec: agree(documented(module), spec)


@pytest.fixture
def assert_module(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], None]:
    """Return a function that runs a module on a host without Cube.js, and holds its documentation against it."""

    def run(module: ModuleType, **arguments: Any) -> dict[str, Any]:
        with patch_module_args(arguments), pytest.raises(SystemExit) as caught:
            module.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert caught.value.code == (1 if result["failed"] else 0)
        return result

    def check(module: ModuleType) -> None:
        asked: list[Wanted] = []

        def look(_key: bytes, wanted: Wanted) -> Observation:
            asked.append(wanted)
            return Observation(FORMAT, "one", "m", 0.0, privileged=True)

        monkeypatch.setattr(asserting.look_and_judge, "__defaults__", (look,))
        result = run(module, _ansible_check_mode=True)
        assert (result["outcome"], result["failed"], result["changed"]) == ("could-not-look", True, False)
        assert [Finding.from_dict(each).rule for each in result["findings"]] == ["host-looked-at"]
        assert asked[0].probes == set(module.TOPIC.probes)
        assert run(module, fail_on="never")["failed"] is False
        wrong = run(module, deadline_seconds=0.1, journal_hours=0)
        assert len(wrong["msg"].splitlines()) >= 2
        agree(documented(module), asserting.argument_spec(module.TOPIC))
        returned = yaml.safe_load(module.RETURN)
        assert set(returned) == {name for name in result if name not in ("changed", "failed", "msg", "invocation")}
        assert f"cubeops.cubejs.{module.__name__.rpartition('.')[2]}:" in module.EXAMPLES
        assert yaml.safe_load(module.EXAMPLES)

    return check
