"""How often a host is called in a run does not depend on how many tenants it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stubbed import Stage
from test_playbooks import inventory, tenant

# One to look at the host; files and processes of Redis, MySQL, Cube.js and Nginx; the releases.
CALLS = 10


def calls(tmp_path: Path, tenants: list[dict[str, Any]]) -> list[str]:
    """Return the modules that the second of two runs calls, in order."""
    (tmp_path / "project/schema").mkdir(parents=True)
    (tmp_path / "project/schema/Orders.js").write_text("cube(`Orders`, {sql: `SELECT 1`});\n")
    stage = Stage(tmp_path)
    runs = [stage.play("site", inventory(tenants)) for _each in range(2)]
    assert [run.status for run in runs] == [0, 0], runs[-1].output
    return [call["module"] for call in runs[-1].calls]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the modules that a run with one tenant calls."""
    return calls(tmp_path_factory.mktemp("one"), [tenant("t1", 1)])


def test_twelve_tenants_are_called_for_as_one_is(tmp_path: Path, one: list[str]) -> None:
    twelve = calls(tmp_path, [tenant(f"t{each}", each, suspended=each % 2 == 0) for each in range(1, 13)])
    assert twelve == one
    assert (len(one) <= CALLS, one.count("cube_instances")) == (True, 1), one


def test_each_wave_in_use_is_one_call_more(tmp_path: Path, one: list[str]) -> None:
    two = calls(tmp_path, [tenant(f"t{number}", number, wave=number % 2) for number in (1, 2, 3)])
    assert (len(two), two.count("cube_instances")) == (len(one) + 1, 2)
