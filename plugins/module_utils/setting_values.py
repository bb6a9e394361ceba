# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a version of Cube.js reads the text of a variable, and which texts it refuses or takes for something else.

Read in the packages, and compared with what they do: the env.js of @cubejs-backend/shared 0.23.11 to 0.35.67, which
asks env-var 6.3 for most of them, was run with 25 texts for each variable. A range begins with the first release in
which the reading was found. Older releases compare with `true` and refuse nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions

HIGHEST_PORT = 65535

_INTEGER = re.compile(r"\s*[+-]?[0-9]")
_DURATION = re.compile(r"[0-9]+[hms]?", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]+")


@dataclass(frozen=True)
class Kind:
    """A way of reading a text. allowed: what it takes, in words; otherwise: what becomes of any other text."""

    takes: Callable[[str], bool]
    allowed: str
    otherwise: str = "Cube throws when it reads it"


def _is_strict(text: str) -> bool:
    return text.lower() in ("true", "false")


def _is_switch(text: str) -> bool:
    return text.lower() in ("true", "false", "1", "0")


def _is_integer(text: str) -> bool:
    # parseInt takes the number at the beginning and leaves the rest.
    return _INTEGER.match(text) is not None and "." not in text


def _is_natural(text: str) -> bool:
    return _is_integer(text) and not text.lstrip().startswith("-")


def _is_port(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and len(text) <= 5 and 0 <= int(text) <= HIGHEST_PORT


STRICT = Kind(_is_strict, "true or false")
STRICT_OR_EMPTY = Kind(lambda text: text == "" or _is_strict(text), "true or false")
SWITCH = Kind(_is_switch, "true, false, 1 or 0")
INTEGER = Kind(_is_integer, "a whole number")
NATURAL = Kind(_is_natural, "a whole number from 0")
DURATION = Kind(
    lambda text: text == "" or _DURATION.fullmatch(text) is not None,
    "seconds, or a number with s, m or h",
    "Cube throws, or takes it for no number",
)
PORT_NUMBER = Kind(_is_port, "0 to 65535", "Cube throws, or takes the number at its beginning")
PORT_OR_PATH = Kind(
    lambda text: text == "" or "/" in text or _is_port(text),
    "0 to 65535, or the path of a socket",
    "Cube throws, or takes it for the name of a socket in its directory",
)
PORT_OR_OFF = Kind(
    lambda text: text.lower() in ("", "false") or _is_port(text),
    "0 to 65535, or false",
    "Cube throws, leaves the port closed, or takes the number at its beginning",
)
EXACTLY_TRUE = Kind(lambda text: text in ("", "true", "false"), "true or false", "it means false")


@dataclass(frozen=True)
class Reading:
    """How a range of versions reads a variable."""

    target: str
    kind: Kind
    versions: str


# The flags of the refresh worker, the sizes of Redis pools, CUBEJS_DEV_MODE and CUBEJS_ENABLE_TLS have rules of their
# own, which say what a wrong text leads to.
READINGS = (
    Reading("PORT", PORT_NUMBER, ">=0.23.11,<0.25"),
    Reading("PORT", PORT_OR_PATH, ">=0.25"),
    Reading("CUBEJS_WEB_SOCKETS", EXACTLY_TRUE, "<0.23.11"),
    Reading("CUBEJS_WEB_SOCKETS", STRICT, ">=0.23.11"),
    Reading("CUBEJS_GRACEFUL_SHUTDOWN", NATURAL, ">=0.25.15"),
    Reading("CUBEJS_TELEMETRY", SWITCH, ">=0.27.31"),
    Reading("CUBEJS_DB_SSL", STRICT, ">=0.26.11,<0.31"),
    Reading("CUBEJS_DB_SSL", STRICT_OR_EMPTY, ">=0.31"),
    Reading("CUBEJS_DB_SSL_REJECT_UNAUTHORIZED", STRICT, ">=0.26.11,<0.31"),
    Reading("CUBEJS_DB_SSL_REJECT_UNAUTHORIZED", STRICT_OR_EMPTY, ">=0.31"),
    Reading("CUBEJS_DB_QUERY_TIMEOUT", DURATION, ">=0.29.15"),
    Reading("CUBEJS_CONCURRENCY", INTEGER, ">=0.30.30"),
    Reading("REDIS_TLS", EXACTLY_TRUE, "<0.26.11"),
    Reading("REDIS_TLS", STRICT, ">=0.26.11"),
    Reading("CUBEJS_REDIS_TLS", STRICT, ">=0.27"),
    Reading("CUBEJS_REDIS_USE_IOREDIS", STRICT, ">=0.26.7"),
    Reading("CUBEJS_REDIS_ACQUIRE_TIMEOUT", INTEGER, ">=0.31.67"),
    Reading("CUBEJS_PRE_AGGREGATIONS_QUEUE_EVENTS_BUS", STRICT, ">=0.28.29"),
    Reading("CUBEJS_PRE_AGGREGATIONS_BUILDER", SWITCH, ">=0.30.34"),
    Reading("CUBEJS_ROLLUP_ONLY", STRICT, ">=0.27.45"),
    Reading("CUBEJS_SCHEDULED_REFRESH_BATCH_SIZE", INTEGER, ">=0.31.67"),
    Reading("CUBEJS_EXTERNAL_DEFAULT", STRICT, ">=0.27.31"),
    Reading("CUBEJS_SCHEDULED_REFRESH_DEFAULT", STRICT, ">=0.27.31"),
    Reading("CUBEJS_DROP_PRE_AGG_WITHOUT_TOUCH", STRICT, ">=0.31.67"),
    Reading("CUBEJS_TOUCH_PRE_AGG_TIMEOUT", INTEGER, ">=0.31.67"),
    Reading("CUBEJS_SQL_PORT", PORT_OR_OFF, ">=0.28.55,<0.35"),
    Reading("CUBEJS_PG_SQL_PORT", PORT_OR_OFF, ">=0.30.1"),
)
BY_TARGET: dict[str, tuple[Reading, ...]] = {
    target: tuple(each for each in READINGS if each.target == target) for target in {each.target for each in READINGS}
}


@cache
def kind_of(target: str, version: str) -> Kind | None:
    """Return how a version reads a variable; None where it takes any text, or where that is not known."""
    found = (each.kind for each in BY_TARGET.get(target, ()) if versions.within(version, each.versions))
    return next(found, None)
