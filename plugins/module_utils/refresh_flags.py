# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a process refreshes on a schedule, by its environment: each line of releases reads its flags differently.

Read in the packages: server-core 0.20.10, 0.23.15, 0.24.15, 0.25.15, 0.26.11, 0.26.52, 0.26.92, 0.27.53, 0.28.67,
0.29.57 and 0.31.69, shared 0.25.15, 0.26.11, 0.26.103, 0.28.55, 0.29.51 and 0.31.67. Between them the CHANGELOG says
where one line ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import settings, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

ON, OFF, THROWS = "on", "off", "throws"
NOT_GIVEN = ""
WORKER, SCHEDULED, TIMER = "CUBEJS_REFRESH_WORKER", "CUBEJS_SCHEDULED_REFRESH", "CUBEJS_SCHEDULED_REFRESH_TIMER"
NAMES = (WORKER, SCHEDULED, TIMER)
MODE = "NODE_ENV"
# The option of a project that decides, whatever the environment says.
OPTION = "scheduledRefreshTimer"
# Up to here the text of the timer was never looked at: "false" is one, too.
ANY_TEXT = "<0.24"

# As parseInt of JavaScript does: the digits at the beginning, whatever follows them.
_BEGINNING = re.compile(r"\s*([+-]?[0-9]+)")


@dataclass(frozen=True)
class Flag:
    """What the environment makes of a process.

    state: on, off, or throws (Cube does not start with it). name: the variable that decides, "" where none is set.
    why: a sentence without a full stop.
    """

    state: str
    name: str
    why: str


def _any_text(text: str) -> str:
    return ON if text else NOT_GIVEN


def _word_or_digits(text: str) -> str:
    if not text:
        return NOT_GIVEN
    if re.fullmatch(r"[0-9]+", text):
        return ON if int(text) else OFF
    return ON if text.lower() == "true" else OFF


def _boolean(text: str) -> str:
    return {"true": ON, "1": ON, "false": OFF, "0": OFF}.get(text.lower(), THROWS)


def _time(text: str) -> str:
    return _exact_time(text.lower())


def _exact_time(text: str) -> str:
    if text in ("", "true", "false"):
        return {"": NOT_GIVEN, "true": ON, "false": OFF}[text]
    if re.fullmatch(r"[0-9]+", text):
        return ON if int(text) else OFF
    if len(text) < 2 or text[-1].lower() not in "hms":
        return THROWS
    # "yes" ends in an s: no number of seconds, which is as good as false.
    begins = _BEGINNING.match(text[:-1])
    return ON if begins and int(begins[1]) else OFF


@dataclass(frozen=True)
class Line:
    """How releases read their flags: in this order, each by its grammar.

    development: without a flag, a process that is not in production refreshes. off_gives_way: a flag that is off gives
    way to the next one.
    """

    versions: str
    flags: tuple[tuple[str, Callable[[str], str]], ...]
    development: bool = True
    off_gives_way: bool = False


LINES = (
    Line("<0.19.40", (), development=False),
    Line(">=0.19.40,<0.24", ((TIMER, _any_text),), development=False),
    Line(">=0.24,<0.25", ((TIMER, _word_or_digits), (SCHEDULED, _word_or_digits))),
    Line(">=0.25,<0.26.11", ((TIMER, _exact_time), (SCHEDULED, _boolean)), off_gives_way=True),
    Line(">=0.26.11,<0.27.45", ((SCHEDULED, _boolean), (TIMER, _time))),
    Line(">=0.27.45", ((WORKER, _boolean), (SCHEDULED, _boolean), (TIMER, _time))),
)


@cache
def _line(version: str) -> Line:
    return next(line for line in LINES if versions.within(version, line.versions))


def readings(version: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return variable -> on, off or throws, for those that are given and that this version reads, the first first."""
    found = {name: grammar(values[name]) for name, grammar in _line(version).flags if name in values}
    return {name: state for name, state in found.items() if state != NOT_GIVEN}


def needed(version: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that must be known for decide() to be sure: the one that decides, and those before it."""
    order = [name for name, _grammar in _line(version).flags]
    name = decide(version, values).name
    return tuple(order[: order.index(name) + 1]) if name else (*order, MODE)


def decide(version: str, values: Mapping[str, str]) -> Flag:
    """Return what a process with these variables does; raises VersionError for a text that is no version."""
    return _decided(version, tuple((name, values[name]) for name in (*NAMES, MODE) if name in values))


# Of thousands of processes there are few that differ in these.
@lru_cache(maxsize=10_000)
def _decided(version: str, texts: tuple[tuple[str, str], ...]) -> Flag:
    values = dict(texts)
    line = _line(version)
    last = line.flags[-1][0] if line.flags else ""
    given = ""
    for name, state in readings(version, values).items():
        if state == OFF and line.off_gives_way and name != last:
            given = name
            continue
        return Flag(state, name, _why(version, name, values[name], state))
    if line.development and values.get(MODE) != "production":
        return Flag(ON, "", f"no flag turns it off or on, and {MODE} is not production")
    if given:
        return Flag(OFF, given, _why(version, given, values[given], OFF))
    return Flag(OFF, "", "no flag is set")


def _why(version: str, name: str, text: str, state: str) -> str:
    told = f"{name}={text[:40]!r}" if text else f"{name} is set and empty, which"
    if state == THROWS:
        return f"{told} is neither true nor false to Cube {version}, which does not start with it"
    if state == ON and versions.within(version, ANY_TEXT) and text.lower() != "true":
        return f"{told} turns the refresh on: up to 0.23 any text does, false and 0 too"
    return f"{told} turns the refresh {state} in Cube {version}"


def ignored(version: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the flags that are given and that this version does not read."""
    read = {name for name, _grammar in _line(version).flags}
    return tuple(name for name in NAMES if values.get(name) and name not in read)


def plain(text: str) -> str:
    """Return on or off as a person means a text, "" for what is neither."""
    return {"true": ON, "1": ON, "yes": ON, "on": ON, "false": OFF, "0": OFF, "no": OFF, "off": OFF}.get(
        text.strip().lower(), ""
    )


def setting(version: str) -> str:
    """Return how a process of this version is made the refresh worker, as an assignment; "" where nothing does."""
    found = settings.resolve(TABLE, {"refresh_worker": True}, version)
    return next((f"{name}={text}" for name, text in found.items()), "")
