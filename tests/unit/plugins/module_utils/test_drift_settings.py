"""Variables beside planned ones; whole processes are compared in the tests of drift."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.drift_settings import Planned, differing

PLANNED = Planned({"CUBEJS_DB_HOST": "a"}, key=b"k")


def process(**values: str) -> seen.Instance:
    """Return a process with these variables."""
    settings = {name: seen.Setting(seen.Value(text), seen.UNIT, "/u") for name, text in values.items()}
    return seen.Instance("x", running=True, found_by=(), manager=seen.SYSTEMD, settings=settings)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        pytest.param({"CUBEJS_DB_HOST": "a"}, [], id="as planned"),
        pytest.param({"CUBEJS_DB_HOST": "b", "CUBEJS_X": "1"}, ["CUBEJS_DB_HOST", "CUBEJS_X"], id="sorted"),
        pytest.param({"CUBEJS_DB_HOST": "a", "LANG": "C", "CUBEOPS_UNIT": "1", "PATH": "/"}, [], id="none of Cube's"),
        pytest.param({"CUBEJS_DB_HOST": "a", "NODE_OPTIONS": "x"}, ["NODE_OPTIONS"], id="one that the table knows"),
    ],
)
def test_differing(values: dict[str, str], names: list[str]) -> None:
    assert [each.name for each in differing(PLANNED, process(**values))] == names


def test_values_with_secrets_are_not_told() -> None:
    planned = Planned({"CUBEJS_API_SECRET": "planted", "OWN": "planted"}, frozenset({"OWN"}), b"k")
    told = "".join(f"{each.message}{each.remedy}" for each in differing(planned, process()))
    assert "planted" not in told
    assert told.count("<masked>") == 2
