"""Whether a process refreshes, by version, as the sources of each line read it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils import refreshing
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.refreshing import SCHEDULED, TIMER, WORKER

PRODUCTION = {"NODE_ENV": "production"}


@pytest.mark.parametrize(
    ("version", "environment", "on", "variable"),
    [
        pytest.param("0.19.39", {TIMER: "true"}, False, "", id="not read yet"),
        pytest.param("0.20.10", {}, False, "", id="0.20: nothing"),
        pytest.param("0.20.10", {TIMER: "true"}, True, TIMER, id="0.20: true"),
        pytest.param("0.20.10", {TIMER: "false"}, True, TIMER, id="0.20: false means yes"),
        pytest.param("0.23.15", {TIMER: "0"}, True, TIMER, id="0.23: 0 means yes"),
        pytest.param("0.23.15", {TIMER: ""}, False, TIMER, id="0.23: empty"),
        pytest.param("0.23.15", {SCHEDULED: "true"}, False, "", id="0.23: another name"),
        pytest.param("0.24.15", {}, False, "", id="0.24: nothing"),
        pytest.param("0.24.15", {TIMER: "TRUE"}, True, TIMER, id="0.24: true"),
        pytest.param("0.24.15", {TIMER: "false"}, False, TIMER, id="0.24: false"),
        pytest.param("0.24.15", {TIMER: "60"}, True, TIMER, id="0.24: seconds"),
        pytest.param("0.24.15", {TIMER: "0"}, False, TIMER, id="0.24: 0 seconds"),
        pytest.param("0.24.15", {TIMER: "60s"}, False, TIMER, id="0.24: a time"),
        pytest.param("0.24.15", {TIMER: "false", SCHEDULED: "true"}, False, TIMER, id="0.24: the timer first"),
        pytest.param("0.24.15", {TIMER: "", SCHEDULED: "true"}, True, SCHEDULED, id="0.24: unless it is empty"),
        pytest.param("0.25.15", {TIMER: "false", SCHEDULED: "true"}, True, SCHEDULED, id="0.25: any yes"),
        pytest.param("0.25.15", {TIMER: "30s", SCHEDULED: "false"}, True, TIMER, id="0.25: the timer's yes"),
        pytest.param("0.25.15", {TIMER: "false"}, False, TIMER, id="0.25: a no"),
        pytest.param("0.25.15", {TIMER: "x"}, False, TIMER, id="0.25: what throws"),
        pytest.param("0.26.103", {TIMER: "1m", SCHEDULED: "false"}, False, SCHEDULED, id="0.26: the other way round"),
        pytest.param("0.26.103", {TIMER: "1m"}, True, TIMER, id="0.26: minutes"),
        pytest.param("0.26.103", {WORKER: "true"}, False, "", id="0.26: not read yet"),
        pytest.param("0.29.57", {}, False, "", id="0.29: nothing"),
        pytest.param("0.29.57", {WORKER: "true"}, True, WORKER, id="0.29: true"),
        pytest.param("0.29.57", {WORKER: "1"}, True, WORKER, id="0.29: 1"),
        pytest.param("0.29.57", {WORKER: "False", TIMER: "true"}, False, WORKER, id="0.29: the newest name first"),
        pytest.param("0.29.57", {SCHEDULED: "0", TIMER: "true"}, False, SCHEDULED, id="0.29: then the second"),
        pytest.param("0.29.57", {TIMER: "yes"}, False, TIMER, id="0.29: yes is no"),
        pytest.param("0.29.57", {TIMER: "0s"}, False, TIMER, id="0.29: no seconds"),
        pytest.param("0.29.57", {TIMER: "00"}, False, TIMER, id="0.29: zero"),
        pytest.param("0.29.57", {TIMER: " 5h"}, True, TIMER, id="0.29: hours"),
        pytest.param("0.29.57", {TIMER: ""}, False, "", id="0.29: an empty timer is none"),
        pytest.param("0.35.81", {WORKER: "yes"}, False, WORKER, id="0.35: what throws"),
        pytest.param("", {}, False, "", id="no version, and none refreshes"),
        pytest.param("", {TIMER: "true"}, None, "", id="no version, and it depends"),
    ],
)
def test_in_production(version: str, environment: dict[str, str], on: bool | None, variable: str) -> None:
    found = refreshing.of(version, {**PRODUCTION, **environment})
    assert (found.on, found.variable) == (on, variable)


@pytest.mark.parametrize(
    ("version", "environment", "on"),
    [
        pytest.param("0.23.15", {}, False, id="0.23: off"),
        pytest.param("0.24.15", {}, True, id="0.24: on"),
        pytest.param("0.25.15", {TIMER: "false"}, True, id="0.25: on, whatever the timer says"),
        pytest.param("0.26.103", {TIMER: "false"}, False, id="0.26: off when told"),
        pytest.param("0.29.57", {}, True, id="0.29: on"),
        pytest.param("0.29.57", {WORKER: "false"}, False, id="0.29: off when told"),
    ],
)
def test_in_development(version: str, environment: dict[str, str], on: bool) -> None:
    assert refreshing.of(version, environment).on is on


@pytest.mark.parametrize(
    ("version", "environment", "words", "starts"),
    [
        pytest.param("0.20.10", {TIMER: "false"}, "means yes up to 0.23, false too", True, id="false is yes"),
        pytest.param("0.24.15", {TIMER: "yes"}, "neither true nor seconds", True, id="0.24: a word"),
        pytest.param("0.29.57", {TIMER: "yes"}, "ends like a time", True, id="yes"),
        pytest.param("0.29.57", {TIMER: "on"}, "does not start", False, id="on"),
        pytest.param("0.29.57", {WORKER: ""}, "'' in CUBEJS_REFRESH_WORKER is not true, false, 1 or 0", False, id="''"),
        pytest.param("", {WORKER: "true"}, "depends on the version", True, id="no version"),
    ],
)
def test_what_is_wrong_with_it(version: str, environment: dict[str, str], words: str, starts: bool) -> None:
    found = refreshing.of(version, {**PRODUCTION, **environment})
    assert words in found.problem
    assert found.starts is starts


def instance(**changes: Any) -> seen.Instance:
    """Return an observed worker."""
    texts = {**PRODUCTION, WORKER: "true"}
    settings = {name: seen.Setting(seen.Value(text), seen.ENVIRONMENT_FILE, "/e") for name, text in texts.items()}
    packages = seen.Packages(version="0.29.57")
    fields = {"running": True, "packages": packages, "settings": settings, **changes}
    return seen.Instance(name="w", found_by=(), manager=seen.SYSTEMD, **fields)


SECRET = {WORKER: seen.Setting(seen.Value(None, "f"), seen.DOTENV)}


@pytest.mark.parametrize(
    ("changes", "on", "words"),
    [
        pytest.param({}, True, "", id="seen"),
        pytest.param({"settings": SECRET}, None, "could not be shown", id="a value that was kept back"),
        pytest.param({"project": seen.Project("/p", mentions=(refreshing.OPTION,))}, None, "code", id="code decides"),
        pytest.param(
            {"unknown": (Unknown("process.environ", "denied"),)}, None, "process.environ could", id="environ unread"
        ),
        pytest.param({"unknown": (Unknown("dotenv", "denied"),)}, None, "dotenv could", id=".env unread"),
        pytest.param({"unknown": (Unknown("environment_file", "denied"),)}, True, "", id="file unread, process read"),
        pytest.param(
            {"running": False, "unknown": (Unknown("environment_file", "denied"),)},
            None,
            "environment_file could",
            id="file unread, no process",
        ),
        pytest.param({"packages": seen.Packages()}, None, "depends on the version", id="no version"),
    ],
)
def test_an_observed_process(changes: dict[str, Any], on: bool | None, words: str) -> None:
    found = refreshing.of_instance(instance(**changes))
    assert found.on is on
    assert words in found.problem
