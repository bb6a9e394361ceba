"""How each line of releases reads the flags of the refresh worker."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import refresh_flags
from ansible_collections.cubeops.cubejs.plugins.module_utils.refresh_flags import (
    OFF,
    ON,
    SCHEDULED,
    THROWS,
    TIMER,
    WORKER,
)

PRODUCTION = {"NODE_ENV": "production"}


@pytest.mark.parametrize(
    ("version", "text", "state"),
    [
        *(pytest.param("0.23.15", text, ON, id=f"0.23: {text}") for text in ("true", "false", "0", "no", "30")),
        pytest.param("0.23.15", "", OFF, id="0.23: empty"),
        pytest.param("0.19.39", "true", OFF, id="0.19.39 knows no flag"),
        pytest.param("0.19.40", "false", ON, id="0.19.40"),
        *(pytest.param("0.24.15", text, ON, id=f"0.24: {text}") for text in ("true", "TRUE", "30")),
        *(pytest.param("0.24.15", text, OFF, id=f"0.24: {text}") for text in ("false", "yes", "30s", "0", "")),
        *(pytest.param("0.25.15", text, ON, id=f"0.25: {text}") for text in ("true", "30", "30s", "1m", "2H")),
        *(pytest.param("0.25.15", text, OFF, id=f"0.25: {text}") for text in ("false", "yes", "0", "0s", "")),
        *(pytest.param("0.25.15", text, THROWS, id=f"0.25: {text}") for text in ("TRUE", "on", "x")),
        pytest.param("0.26.103", "TRUE", ON, id="0.26: upper case"),
        *(pytest.param("0.29.57", text, ON, id=f"0.29: {text}") for text in ("true", "60", "30s", " 5m", "1h", "-1s")),
        *(pytest.param("0.29.57", text, OFF, id=f"0.29: {text}") for text in ("false", "0", "00", "yes", "hours", "")),
        *(pytest.param("0.29.57", text, THROWS, id=f"0.29: {text}") for text in ("on", "s", "5d", "1.5", "no")),
    ],
)
def test_the_timer(version: str, text: str, state: str) -> None:
    assert refresh_flags.decide(version, {TIMER: text, **PRODUCTION}).state == state


@pytest.mark.parametrize(
    ("text", "state"),
    [("true", ON), ("TRUE", ON), ("1", ON), ("false", OFF), ("0", OFF), ("yes", THROWS), ("", THROWS), ("30", THROWS)],
)
def test_the_worker_flag(text: str, state: str) -> None:
    flag = refresh_flags.decide("0.29.57", {WORKER: text, **PRODUCTION})
    assert (flag.state, flag.name) == (state, WORKER)


@pytest.mark.parametrize(
    ("version", "values", "expected"),
    [
        pytest.param("0.29.57", {WORKER: "false", TIMER: "true"}, (OFF, WORKER), id="the newest name wins"),
        pytest.param("0.29.57", {SCHEDULED: "false", TIMER: "true"}, (OFF, SCHEDULED), id="then the one without timer"),
        pytest.param("0.29.57", {WORKER: "true", TIMER: "nonsense"}, (ON, WORKER), id="what loses is not looked at"),
        pytest.param("0.26.103", {SCHEDULED: "false", TIMER: "true"}, (OFF, SCHEDULED), id="turned around in 0.26.11"),
        pytest.param("0.26.11", {SCHEDULED: "false", TIMER: "true"}, (OFF, SCHEDULED), id="there already"),
        pytest.param("0.26.10", {SCHEDULED: "false", TIMER: "true"}, (ON, TIMER), id="the timer won before"),
        pytest.param("0.25.15", {SCHEDULED: "true", TIMER: "false"}, (ON, SCHEDULED), id="one that is off gives way"),
        pytest.param("0.24.15", {SCHEDULED: "true", TIMER: "false"}, (OFF, TIMER), id="not so in 0.24"),
        pytest.param("0.24.15", {SCHEDULED: "true", TIMER: ""}, (ON, SCHEDULED), id="but one that is empty"),
        pytest.param("0.27.44", {WORKER: "true"}, (OFF, ""), id="a name that is not read yet"),
        pytest.param("0.20.10", {SCHEDULED: "true"}, (OFF, ""), id="nor this one"),
    ],
)
def test_which_flag_decides(version: str, values: dict[str, str], expected: tuple[str, str]) -> None:
    flag = refresh_flags.decide(version, {**values, **PRODUCTION})
    assert (flag.state, flag.name) == expected


@pytest.mark.parametrize(
    ("version", "values", "state"),
    [
        pytest.param("0.23.15", {}, OFF, id="0.23 refreshes only when told to"),
        pytest.param("0.24.15", {}, ON, id="from 0.24 on by itself"),
        pytest.param("0.29.57", {"NODE_ENV": "staging"}, ON, id="whatever else the mode is"),
        pytest.param("0.29.57", PRODUCTION, OFF, id="in production never"),
        pytest.param("0.25.15", {TIMER: "false"}, ON, id="a timer that is off gives way to that"),
        pytest.param("0.25.15", {TIMER: "false", **PRODUCTION}, OFF, id="not in production"),
        pytest.param("0.29.57", {TIMER: "false"}, OFF, id="nor in 0.29"),
        pytest.param("0.25.15", {SCHEDULED: "false"}, OFF, id="nor does the other flag"),
    ],
)
def test_without_a_flag_the_mode_decides(version: str, values: dict[str, str], state: str) -> None:
    assert refresh_flags.decide(version, values).state == state


@pytest.mark.parametrize(
    ("version", "values", "needed"),
    [
        pytest.param("0.29.57", {WORKER: "true"}, (WORKER,), id="the first of all"),
        pytest.param("0.29.57", {TIMER: "true"}, (WORKER, SCHEDULED, TIMER), id="those before it, too"),
        pytest.param("0.29.57", {}, (WORKER, SCHEDULED, TIMER, "NODE_ENV"), id="none is set"),
    ],
)
def test_what_must_be_known(version: str, values: dict[str, str], needed: tuple[str, ...]) -> None:
    assert refresh_flags.needed(version, values) == needed


def test_why_it_is_on_is_said_where_nobody_would_think_so() -> None:
    assert "any text does" in refresh_flags.decide("0.23.15", {TIMER: "false"}).why
    assert "does not start" in refresh_flags.decide("0.29.57", {WORKER: ""}).why


def test_names_of_other_releases_are_ignored() -> None:
    values = {WORKER: "true", TIMER: "true", SCHEDULED: ""}
    assert refresh_flags.ignored("0.20.10", values) == (WORKER,)
    assert refresh_flags.ignored("0.29.57", values) == ()


@pytest.mark.parametrize(
    ("version", "assignment"),
    [("0.19.39", ""), ("0.20.10", f"{TIMER}=true"), ("0.27.45", f"{TIMER}=true"), ("0.29.57", f"{WORKER}=true")],
)
def test_how_a_worker_is_made(version: str, assignment: str) -> None:
    assert refresh_flags.setting(version) == assignment
    if assignment:
        name, _equals, text = assignment.partition("=")
        assert refresh_flags.decide(version, {name: text, **PRODUCTION}).state == ON


@pytest.mark.parametrize(("text", "meant"), [("Yes", ON), ("off", OFF), ("30s", "")])
def test_what_a_person_means(text: str, meant: str) -> None:
    assert refresh_flags.plain(text) == meant
