"""Rules on files with secrets: pass, fail, unknown, not applicable."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

SECRET = {"CUBEJS_API_SECRET": seen.Value(None, "f")}
FILE = "/etc/cubejs/acme.env"


def layer(
    kind: str = seen.ENVIRONMENT_FILE, mode: str = "0600", owner: str = "root", group: str = "root", values: Any = None
) -> seen.Layer:
    """Return a file with a secret."""
    return seen.Layer(kind, FILE, SECRET if values is None else values, mode, owner, group)


@pytest.mark.parametrize(
    ("file", "status", "severity"),
    [
        pytest.param(layer(), "pass", "error", id="root's alone"),
        pytest.param(layer(mode="0400", owner="cube-acme"), "pass", "error", id="the process's own"),
        pytest.param(layer(mode="0640", group="cube-acme"), "pass", "error", id="the process's group"),
        pytest.param(layer(mode="0640", group="adm"), "fail", "warning", id="another group reads"),
        pytest.param(layer(mode="0620", group="cube-acme"), "fail", "warning", id="a group writes"),
        pytest.param(layer(mode="0644"), "fail", "error", id="everybody reads"),
        pytest.param(layer(mode="0602"), "fail", "error", id="everybody writes"),
        pytest.param(layer(owner="deploy"), "fail", "error", id="somebody's"),
        pytest.param(layer(seen.DOTENV, "0644", "cube-acme"), "fail", "error", id="a .env for everybody"),
        pytest.param(layer(seen.UNIT), "fail", "error", id="in the unit, whatever its mode"),
        pytest.param(layer(seen.DROP_IN), "fail", "error", id="in a drop-in"),
        pytest.param(layer(mode=""), "unknown", "error", id="mode not known"),
        pytest.param(layer(mode="x" * 1_000_000), "unknown", "error", id="no mode"),
        pytest.param(layer(values={"AWS_SECRET_ACCESS_KEY": seen.Value(None, "f")}, mode="0644"), "fail", "error",
                     id="a secret that is not Cube's"),
        pytest.param(layer(values={"COLOUR": seen.Value(None, "f")}, mode="0644"), "not_applicable", "error",
                     id="what nobody knows by name"),
        pytest.param(layer(values={"CUBEJS_API_SECRET": seen.Value(None, "f", ("it is empty",))}, mode="0644"),
                     "not_applicable", "error", id="an empty one"),
        pytest.param(layer(values={"NODE_ENV": seen.Value("production")}, mode="0644"), "not_applicable", "error",
                     id="no secret"),
    ],
)  # fmt: skip
def test_files(seeing: Any, file: seen.Layer, status: str, severity: str) -> None:
    (finding,) = seeing.judge("secret-files-closed", seeing.live(seeing.instance(layers=(file,))))
    assert (finding.status, finding.severity) == (status, severity)


def test_each_file_is_judged_and_what_could_not_be_read_is_told(seeing: Any) -> None:
    unread = (Unknown("dotenv", "/srv/.env: Permission denied"),)
    instance = seeing.instance(layers=(layer(), layer(seen.DOTENV, "0644")), unknown=unread)
    findings = seeing.judge("secret-files-closed", seeing.live(instance))
    assert [each.status for each in findings] == ["pass", "fail", "unknown"]


def test_a_process_that_was_not_read_says_nothing_of_files(verdicts: Any, seeing: Any) -> None:
    unread = (Unknown("process.environ", "Permission denied"),)
    assert verdicts("secret-files-closed", seeing.instance(layers=(layer(),), unknown=unread)) == ["pass"]
