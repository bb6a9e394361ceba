"""Rules on where settings come from: pass, fail, unknown, not applicable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

Verdicts = Callable[..., list[str]]
ENVIRON = Unknown("process.environ", "Permission denied", "Run the task with become: true")
UNREAD_DOTENV = Unknown("dotenv", "/srv/acme/.env: Permission denied")
DIFFERS = seen.Difference("CUBEJS_DB_HOST", "/etc/cubejs/acme.env", seen.Value("new"), seen.Value("old"))
CHANGED = (seen.Layer(seen.DOTENV, "/srv/acme/.env", changed_after_start=True),)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({}, "pass", id="the same"),
        pytest.param({"differences": (DIFFERS,)}, "fail", id="otherwise on disk"),
        pytest.param({"layers": CHANGED}, "fail", id="a .env that was changed since"),
        pytest.param(
            {"differences": (DIFFERS,), "unknown": (UNREAD_DOTENV,)}, "fail", id="otherwise, and .env not read"
        ),
        pytest.param({"unknown": (ENVIRON,)}, "unknown", id="process not read"),
        pytest.param({"unit": None, "manager": "pm2"}, "not_applicable", id="no unit"),
        pytest.param({"running": False, "process": None}, "not_applicable", id="stopped"),
    ],
)
def test_disk(verdicts: Verdicts, seeing: Any, changes: dict[str, Any], status: str) -> None:
    assert verdicts("process-matches-disk", seeing.instance(**changes)) == [status]


@pytest.mark.parametrize(
    ("on_disk", "in_process", "told"),
    [
        pytest.param("a", "b", "another value", id="changed"),
        pytest.param("a", None, "not in the process", id="added"),
        pytest.param(None, "b", "no file sets it", id="taken out"),
    ],
)
def test_differences_are_told_without_values(
    seeing: Any, on_disk: str | None, in_process: str | None, told: str
) -> None:
    one, other = (None if each is None else seen.Value(f"MARKED-{each}") for each in (on_disk, in_process))
    instance = seeing.instance(differences=(seen.Difference("CUBEJS_X", "/etc/a.env", one, other),))
    (finding,) = seeing.judge("process-matches-disk", seeing.live(instance))
    assert told in finding.evidence[0]
    assert "MARKED" not in repr(finding)


@pytest.mark.parametrize(
    ("unknown", "status"),
    [
        pytest.param((), "pass", id="all read"),
        pytest.param((ENVIRON,), "unknown", id="process"),
        pytest.param((UNREAD_DOTENV,), "unknown", id=".env"),
        pytest.param((Unknown("unit.file", "a.service: Permission denied"),), "unknown", id="unit"),
        pytest.param((Unknown("settings", "it has 9000 variables"),), "unknown", id="too many"),
        pytest.param((Unknown("project", "too much"),), "pass", id="something else"),
    ],
)
def test_readable(verdicts: Verdicts, seeing: Any, unknown: tuple[Unknown, ...], status: str) -> None:
    assert verdicts("settings-readable", seeing.instance(unknown=unknown)) == [status]


def test_what_lets_it_be_read_is_told(seeing: Any) -> None:
    (finding,) = seeing.judge("settings-readable", seeing.live(seeing.instance(unknown=(ENVIRON,))))
    assert finding.remedy == "Run the task with become: true"
    assert finding.evidence == ("process.environ: Permission denied",)
