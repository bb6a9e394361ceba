# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The size of a Redis pool as a version of Cube.js reads it from two variables, whatever stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import pools, versions

MINIMUM = "CUBEJS_REDIS_POOL_MIN"
MAXIMUM = "CUBEJS_REDIS_POOL_MAX"
DEFAULT_MINIMUM = 2
DEFAULT_MAXIMUM = 1000

# From 0.26 on the package env-var reads them and throws; before, RedisPool.js calls parseInt and goes on with NaN.
_REFUSES = ">=0.26"
# What parseInt makes a number of: it stops at the first character that it cannot use.
_BEGINS_AS_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,15})")
_NUMBER = re.compile(r"-?[0-9]{1,15}")
_THROWS = "Cube throws an error at the first query"


@dataclass(frozen=True)
class Pool:
    """One pool, in connections.

    maximum: None is no pool: a connection on demand, without a limit. usable: Cube can start with these values.
    problems: what keeps Cube from working; oddities: what is not as it looks.
    """

    minimum: int
    maximum: Optional[int]
    usable: bool = True
    problems: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()


# A fleet's processes have few different ones.
@lru_cache(maxsize=1024)
def read(version: str, minimum: str | None, maximum: str | None) -> Pool:
    """Return the pool of a process of this version; None is a variable that is not set.

    Raises VersionError for a text that is no version. Read in @cubejs-backend/query-orchestrator 0.20.9 and 0.29.51
    and in env-var 7; generic-pool lowers a minimum above the maximum to it (tried with 3.9.0).
    """
    refuses = versions.within(version, _REFUSES)
    least, told_least = _number(MINIMUM, minimum, DEFAULT_MINIMUM, refuses=refuses)
    most, told_most = _number(MAXIMUM, maximum, DEFAULT_MAXIMUM, refuses=refuses)
    if refuses and (least is None or most is None):
        return Pool(DEFAULT_MINIMUM, None, False, (*told_most, *told_least))
    oddities = [*told_most, *told_least]
    if most is None or most <= 0:
        if most != 0:
            oddities.append("there is no pool then, as with 0")
        return Pool(0, None, oddities=tuple(oddities))
    if least is None or least < 0:
        # With NaN, and below zero, no connection is kept.
        if least is not None:
            oddities.append(f"{MINIMUM} is {least}: a pool cannot keep fewer than none")
        least = 0
    if least > most:
        oddities.append(f"{MINIMUM} ({least}) is above {MAXIMUM} ({most}), and is lowered to it")
    return Pool(min(least, most), most, problems=tuple(_too_small(most)), oddities=tuple(oddities))


def _too_small(maximum: int) -> list[str]:
    if maximum == 1:
        return ["a pool of 1 always deadlocks: the queue holds the connection while it asks for another"]
    if maximum < pools.SMALLEST_POOL:
        return [f"a pool of {maximum} is too small: a process may hold {pools.PER_PROCESS} beside those of its queries"]
    return []


def _number(name: str, text: str | None, default: int, *, refuses: bool) -> tuple[int | None, list[str]]:
    """Return what a variable's text means (None is NaN, or an error), and what is wrong with it."""
    if text is None or (text == "" and not refuses):
        return default, []
    match = _BEGINS_AS_NUMBER.match(text)
    shown = repr(text[:20])
    if match is None:
        return None, [f"{name} is {shown}: {_THROWS if refuses else 'Cube takes it for no number, without a word'}"]
    if "." in text and refuses:
        return None, [f"{name} is {shown}: {_THROWS}"]
    told = [] if _NUMBER.fullmatch(text) else [f"{name} is {shown}, which Cube reads as {int(match[1])}"]
    return int(match[1]), told
