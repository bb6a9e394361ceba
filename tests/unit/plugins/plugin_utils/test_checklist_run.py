"""What a checklist task asks for; runs are tested with the action."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.waivers import WaiverError
from ansible_collections.cubeops.cubejs.plugins.plugin_utils import checklist_run
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.checklist_run import RunError, output

OUTPUT = {"formats": ["json"], "directory": "out", "name": "audit", "mode": "0640"}


def test_formats_and_mode() -> None:
    formats, mode = output(OUTPUT)
    assert ([each.name for each in formats], mode) == (["json"], 0o640)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"directory": None}, "directory: it is not set", id="nowhere to write"),
        pytest.param({"mode": "rw"}, "mode: 'rw' is none", id="no mode"),
        pytest.param({"mode": "4755"}, "mode: '4755' is none", id="a mode for programs"),
        pytest.param({"name": "../x"}, "name: '../x' is no name of a file", id="another folder"),
        pytest.param({"name": ".hidden"}, "name: '.hidden'", id="hidden"),
    ],
)
def test_what_is_wrong_with_the_output(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        output({**OUTPUT, **changes})


ARGUMENTS: dict[str, Any] = {
    "judge": "hosts",
    "hosts": None,
    "registered": "seen",
    "observations": None,
    "fingerprint_key": None,
    "only": [],
    "skip": [],
    "waivers": None,
    "baseline": None,
    "new_only": False,
    "fail_on": "error",
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"new_only": True}, "baseline: it is not set", id="new only without a baseline"),
        pytest.param({"baseline": "none.json"}, "baseline: none.json cannot be read: No such file", id="no baseline"),
        pytest.param({"fingerprint_key": "geheim"}, "fingerprint_key: it is not 32 hexadecimal", id="no key"),
        pytest.param({}, "hosts: there is none to be judged", id="no hosts"),
    ],
)
def test_what_is_wrong_with_the_run(changes: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match=message) as caught:
        checklist_run.run(None, {"groups": {}, "hostvars": {}}, {**ARGUMENTS, **changes}, None)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        pytest.param(b"- {rule: x", RunError, "line 1 is no YAML", id="no YAML"),
        pytest.param(b"\xff\xfe\x00", RunError, "it is no UTF-8", id="no text"),
        pytest.param(b"rule: x", WaiverError, "waivers are a list", id="no list"),
    ],
)
def test_waivers_that_cannot_be_read(text: bytes, error: type[Exception], message: str, tmp_path: Path) -> None:
    (tmp_path / "w.yml").write_bytes(text)
    with pytest.raises(error, match=message):
        checklist_run.run(None, {"groups": {}}, {**ARGUMENTS, "waivers": str(tmp_path / "w.yml")}, None)


def test_an_empty_file_has_no_waivers(tmp_path: Path) -> None:
    (tmp_path / "w.yml").write_text("# none\n")
    with pytest.raises(RunError, match="hosts: there is none"):
        checklist_run.run(
            None,
            {"groups": {}, "hostvars": {}},
            {**ARGUMENTS, "waivers": str(tmp_path / "w.yml")},
            None,
        )


def test_the_collector_is_off_meanwhile_and_on_again_after_a_failure() -> None:
    def fail() -> None:
        with checklist_run.without_collector():
            assert not gc.isenabled()
            raise RunError("x")

    with pytest.raises(RunError):
        fail()
    assert gc.isenabled()
