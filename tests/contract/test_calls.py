"""How often a host is called in a run does not depend on how many tenants it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def test_twelve_tenants_are_called_for_as_one_is(tmp_path: Path) -> None:
    one, twelve = (
        calls(
            tmp_path / str(count), [tenant(f"t{each}", each, suspended=each % 2 == 0) for each in range(1, count + 1)]
        )
        for count in (1, 12)
    )
    assert twelve == one
    assert (len(one) <= CALLS, one.count("cube_instances")) == (True, 1), one


def test_each_wave_in_use_is_one_call_more(tmp_path: Path) -> None:
    one = calls(tmp_path / "one", [tenant(f"t{number}", number) for number in (1, 2, 3)])
    two = calls(tmp_path / "two", [tenant(f"t{number}", number, wave=number % 2) for number in (1, 2, 3)])
    assert (len(two), two.count("cube_instances")) == (len(one) + 1, 2)
