"""Which place decides on a variable."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.layering import (
    Source,
    contradictions,
    effective,
    program,
)

UNIT = Source("unit", "/u", {"A": "unit", "CUBEJS_X": "unit", "CUBEJS_Y": "unit"})
FIRST = Source("environment_file", "/1", {"CUBEJS_X": "first", "CUBEJS_Z": "first"})
SECOND = Source("environment_file", "/2", {"CUBEJS_Z": "second"})
DOTENV = Source("dotenv", "/.env", {"CUBEJS_X": "dot", "CUBEJS_W": "dot", "HOME": "dot"})
BIN = "/n/node_modules/@cubejs-backend/server/bin"


def test_on_disk_the_later_wins_and_a_dotenv_only_adds() -> None:
    found = effective([UNIT, FIRST, SECOND, DOTENV], None)
    assert {name: (each.text, each.path) for name, each in found.items()} == {
        "A": ("unit", "/u"),
        "CUBEJS_X": ("first", "/1"),
        "CUBEJS_Y": ("unit", "/u"),
        "CUBEJS_Z": ("second", "/2"),
        "CUBEJS_W": ("dot", "/.env"),
        "HOME": ("dot", "/.env"),
    }


def test_of_a_process_its_environment_counts() -> None:
    environ = {"CUBEJS_X": "unit", "CUBEJS_Z": "by hand", "HOME": "/root", "SHELL": "sh"}
    found = effective([UNIT, FIRST, SECOND, DOTENV], environ)
    assert {name: (each.text, each.kind) for name, each in found.items()} == {
        "CUBEJS_X": ("unit", "unit"),
        "CUBEJS_Z": ("by hand", "process"),
        "CUBEJS_W": ("dot", "dotenv"),
    }


def test_what_is_set_and_empty_is_not_added_to() -> None:
    assert effective([DOTENV], {"CUBEJS_W": ""})["CUBEJS_W"].text == ""


@pytest.mark.parametrize(
    ("all_known", "gone"), [pytest.param(True, ["CUBEJS_G"], id="all known"), pytest.param(False, [], id="not all")]
)
def test_where_disk_and_process_disagree(all_known: bool, gone: list[str]) -> None:
    environ = {"A": "unit", "CUBEJS_X": "old", "CUBEJS_Z": "second", "CUBEJS_G": "1", "LANG": "C", "HOME": "/"}
    found = contradictions([UNIT, FIRST, SECOND, DOTENV], environ, all_known=all_known)
    told = {each.name: (each.path, each.on_disk, each.in_process) for each in found}
    assert told.pop("CUBEJS_X") == ("/1", "first", "old")
    assert told.pop("CUBEJS_Y") == ("/u", "unit", None)
    assert list(told) == gone


@pytest.mark.parametrize(
    ("script", "version", "dev_mode", "mode"),
    [
        pytest.param(f"{BIN}/server", "0.29.57", "", "production", id="server"),
        pytest.param(f"{BIN}/server", "0.29.57", "true", "development", id="development mode wins"),
        pytest.param(f"{BIN}/server", "0.23.11", "true", "production", id="no development mode yet"),
        pytest.param(f"{BIN}/server.js", "0.23.15", "", "production", id="older name"),
        pytest.param(f"{BIN}/dev-server", "0.29.57", "", "development", id="development server"),
        pytest.param(f"{BIN}/dev-server.js", "0.20.10", "", None, id="old development server obeys"),
        pytest.param("/srv/index.js", "0.29.57", "true", None, id="own script"),
        pytest.param(f"{BIN}/server", "", "", None, id="unknown version"),
    ],
)
def test_what_the_program_sets(script: str, version: str, dev_mode: str, mode: str | None) -> None:
    found = effective([Source("unit", "/u", {"CUBEJS_DEV_MODE": dev_mode})], None) if dev_mode else {}
    source = program(script, version, found)
    assert (source.variables["NODE_ENV"] if source else None) == mode


def test_values_are_not_in_what_is_printed() -> None:
    assert "first" not in repr([FIRST, effective([FIRST], None)])
