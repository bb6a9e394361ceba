# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a Cube.js process refreshes on schedule: by its version, the three variables there are, and NODE_ENV.

Sources: core/index.js of @cubejs-backend/server-core 0.23.15, 0.24.5 and 0.24.15, its server.js 0.25.15 to 0.29.57, and
env.js of @cubejs-backend/shared 0.25.15 to 0.35.67, with env-var 6.3.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional, Union

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import DOTENV, ENVIRONMENT_FILE, Instance

TIMER = "CUBEJS_SCHEDULED_REFRESH_TIMER"
SCHEDULED = "CUBEJS_SCHEDULED_REFRESH"
WORKER = "CUBEJS_REFRESH_WORKER"
VARIABLES = (WORKER, SCHEDULED, TIMER)
# The option by which a project's code overrides all of them.
OPTION = "scheduledRefreshTimer"
# A release of each way of reading them, for a process whose version is not known.
_EACH_WAY = ("0.19.0", "0.20.10", "0.24.15", "0.25.15", "0.26.103", "0.29.57")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_FIRST_DIGITS = re.compile(r"\s*[+-]?0*[1-9]")


@dataclass(frozen=True)
class Refreshing:
    """on: whether the process refreshes, None where that is not known.

    variable: which decides; "" is what NODE_ENV makes of none. problem: why the value does not mean what it seems to,
    or why it is not known; a sentence without a full stop. starts: False where the value keeps Cube.js from starting.
    """

    on: Optional[bool]
    variable: str = ""
    problem: str = ""
    starts: bool = True


def of(version: str, environment: Mapping[str, str]) -> Refreshing:
    """Return whether a process of this version ("" is unknown) refreshes with this environment."""
    if not version:
        ways = {of(each, environment).on: of(each, environment) for each in _EACH_WAY}
        first, *others = ways.values()
        return Refreshing(None, problem="it depends on the version, which is not known") if others else first
    if versions.within(version, "<0.19.40"):
        return Refreshing(False)
    if versions.within(version, "<0.24"):
        return _by_any_text(environment)
    if versions.within(version, "<0.25"):
        return _by_word_or_digits(environment)
    if versions.within(version, "<0.26"):
        return _first_true(environment)
    return _by_order(environment, VARIABLES if versions.within(version, ">=0.27.45") else (SCHEDULED, TIMER))


def of_instance(instance: Instance) -> Refreshing:
    """Return whether an observed process refreshes, or would once it runs."""
    reason = _hidden(instance)
    if reason:
        return Refreshing(None, problem=reason)
    values = {name: instance.value(name) for name in ("NODE_ENV", *VARIABLES) if name in instance.settings}
    kept = [name for name, value in values.items() if value is None]
    if kept:
        return Refreshing(None, kept[0], f"the value of {kept[0]} could not be shown, and is none that Cube.js knows")
    return of(instance.packages.version, {name: value for name, value in values.items() if value is not None})


def _hidden(instance: Instance) -> str:
    """Return why what decides was not seen; "" where it was."""
    if instance.project and OPTION in instance.project.mentions:
        return f"the project's code mentions {OPTION}, which overrides the environment"
    sources = (DOTENV, "process.environ") if instance.running else (DOTENV, ENVIRONMENT_FILE, "unit.file")
    return next(
        (f"{each.what} could not be read: {each.reason}" for each in instance.unknown if each.what in sources), ""
    )


def _by_any_text(environment: Mapping[str, str]) -> Refreshing:
    """0.19.40 to 0.23: whatever text is there switches it on."""
    text = environment.get(TIMER, "")
    if not text:
        return Refreshing(False, TIMER if TIMER in environment else "")
    misread = text.lower() == "false" or text == "0"
    return Refreshing(True, TIMER, f"any text in {TIMER} means yes up to 0.23, {text} too" if misread else "")


def _by_word_or_digits(environment: Mapping[str, str]) -> Refreshing:
    """0.24: true, or a number of seconds; all else is no."""
    name = TIMER if environment.get(TIMER) else SCHEDULED
    text = environment.get(name)
    if text is None:
        return _by_mode(environment)
    if re.fullmatch(r"[0-9]+", text):
        return Refreshing(int(text) > 0, name)
    on = text.lower() == "true"
    known = on or text.lower() in ("false", "")
    return Refreshing(on, name, "" if known else f"{text[:40]!r} in {name} is neither true nor seconds: it means no")


def _first_true(environment: Mapping[str, str]) -> Refreshing:
    """0.25: the timer unless it says no, then the other, then what neither says."""
    timer = _read(environment, TIMER)
    if timer and (timer.on or not timer.starts):
        return timer
    other = _read(environment, SCHEDULED) or _by_mode(environment)
    return timer if timer and not other.on and not other.variable else other


def _by_order(environment: Mapping[str, str], names: tuple[str, ...]) -> Refreshing:
    """From 0.26: the first that is set."""
    found = (_read(environment, name) for name in names)
    return next((each for each in found if each), _by_mode(environment))


def _by_mode(environment: Mapping[str, str]) -> Refreshing:
    return Refreshing(environment.get("NODE_ENV") != "production")


def _read(environment: Mapping[str, str], name: str) -> Refreshing | None:
    """Return what one variable says from 0.25 on; None where it says nothing."""
    text = environment.get(name)
    if text is None or (name == TIMER and not text):
        return None
    value = _BOOLEANS.get(text.lower()) if name != TIMER else _boolean_or_time(text)
    if isinstance(value, bool):
        return Refreshing(value, name)
    if value is not None:
        return Refreshing(False, name, value)
    known = "true, false or a time as 30s, 1m, 1h" if name == TIMER else "true, false, 1 or 0"
    return Refreshing(False, name, f"{text[:40]!r} in {name} is not {known}: Cube.js does not start", starts=False)


def _boolean_or_time(text: str) -> Union[bool, str, None]:
    """Return what asBoolOrTime() of env.js makes of it, why that is no, or None where it throws."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch(r"[0-9]+", text):
        return int(text) > 0
    if len(text) < 2 or text[-1].lower() not in "hms":
        return None
    if re.match(r"\s*[+-]?[0-9]", text):
        return _FIRST_DIGITS.match(text) is not None
    return f"{text[:40]!r} in {TIMER} ends like a time and has no number: it means no"
