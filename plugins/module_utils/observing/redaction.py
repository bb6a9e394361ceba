# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may leave a host: values that are no secrets, and keyed fingerprints of those that are or may be.

A value is shown when its name is known to carry no secret and it does not look like one; whatever else is in an
environment stays on the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils.masks import MASK, SHORTEST_SECRET, mask
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Value
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

MAX_VALUE_CHARACTERS = 4096
MAX_TEXT_CHARACTERS = 300
# Says of a value that it was not looked at, not that it is weak.
TOO_LONG = "too many to be shown"
# Of one file or process; nobody sets as many, and a hostile one could set a hundred thousand.
MAX_VARIABLES = 500
# Variables beyond the table of which Cube or Node take notice.
PREFIXES = ("CUBEJS_", "CUBEOPS_", "CUBESTORE_", "REDIS_", "NODE_")
OTHERS = frozenset({"TZ", "LANG", "LC_ALL", "PORT", "UV_THREADPOOL_SIZE", "SSL_CERT_FILE", "SSL_CERT_DIR"})

_TARGETS = frozenset(row.target for row in TABLE)
_SECRET_TARGETS: Mapping[str, str] = {row.target: row.name for row in TABLE if row.secret}
# Setting -> how long it must be at least; of other secrets only emptiness is told.
_SHORTEST: Mapping[str, int] = {
    "api_secret": secrets.SHORTEST,
    "jwt_key": secrets.SHORTEST,
    "playground_auth_secret": secrets.SHORTEST,
    "redis_password": secrets.SHORTEST_PASSWORD,
    "storage_password": secrets.SHORTEST_PASSWORD,
    "sql_password": secrets.SHORTEST_PASSWORD,
}
_SECRET_NAME = re.compile(
    r"PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL|PRIVATE|AUTH|SALT|COOKIE|DSN|SIGNATURE|JDBC_URL", re.IGNORECASE
)
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/\s'\"]+(?=@)")
# Bounds keep a hostile value from costing more than a look.
_SECRET_VALUE = re.compile(
    r"://[^/\s]+@|-----BEGIN|\beyJ[\w-]{8,99}\.|[?&;][\w.-]{0,40}(?:pass|pwd|secret|token|key|sig)[\w.-]{0,40}=",
    re.IGNORECASE,
)
_SECRET_ARGUMENT = re.compile(
    r"(--?[\w.-]{0,40}(?:pass|pwd|secret|token|key|auth)[\w.-]{0,40})(=?)(.*)", re.IGNORECASE | re.DOTALL
)
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def concerns_cube(name: str) -> bool:
    """Return whether Cube or Node take notice of a variable."""
    return name in _TARGETS or name in OTHERS or name.startswith(PREFIXES)


def is_secret(name: str, value: str) -> bool:
    """Return whether a variable's value must stay on the host: known to be secret, looking so, or not known at all."""
    return is_secret_name(name) or not concerns_cube(name) or _SECRET_VALUE.search(value) is not None


def is_secret_name(name: str) -> bool:
    """Return whether a variable's name says that it carries a secret."""
    return name in _SECRET_TARGETS or (name not in _TARGETS and _SECRET_NAME.search(name) is not None)


def most_telling(names: Iterable[str]) -> list[str]:
    """Return as many of the variables as are told, those of the table before others, sorted."""
    ordered = sorted(names)
    if len(ordered) <= MAX_VARIABLES:
        return ordered
    return sorted(sorted(ordered, key=lambda name: name not in _TARGETS)[:MAX_VARIABLES])


def clean(text: str) -> str:
    """Return the text with bytes that are no UTF-8 written out, so that it can be encoded and different ones differ."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class Redactor:
    """Makes values and texts fit to leave the host, with a key for fingerprints that is new in every run."""

    def __init__(self, key: bytes, known: Iterable[str] = ()) -> None:
        self._key = key
        self._secrets = set(known)

    def fingerprint(self, text: str) -> str:
        """Return the keyed digest of a text."""
        return secrets.fingerprint(self._key, clean(text))

    def value(self, name: str, text: str) -> Value:
        """Return a variable's value, or its fingerprint and weaknesses; a secret is masked in later texts, too."""
        cleaned = clean(text)
        if len(cleaned) > MAX_VALUE_CHARACTERS:
            self._remember(cleaned)
            return Value(None, self.fingerprint(text), (f"it has {len(cleaned)} characters, {TOO_LONG}",))
        if is_secret(name, cleaned):
            self._remember(cleaned)
            return Value(None, self.fingerprint(text), self._problems(name, cleaned))
        return Value(cleaned)

    def values(self, variables: Mapping[str, str]) -> dict[str, Value]:
        """Return name -> value, sorted; of more than are told, the most telling."""
        return {clean(name): self.value(name, variables[name]) for name in most_telling(variables)}

    def text(self, text: str, limit: int = MAX_TEXT_CHARACTERS) -> str:
        """Return a program's words in one line without the secrets seen so far, cut off at the limit (characters)."""
        # Far more than is kept, so that a secret at the end is still seen whole.
        shown = mask(clean(text[: 64 * limit]), self._secrets)
        shown = _URL_CREDENTIALS.sub(MASK, shown)
        shown = _CONTROL.sub(" ", shown)
        return shown if len(shown) <= limit else f"{shown[:limit]}..."

    def command(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return a command line without what its words give away."""
        shown = []
        hide = False
        for word in words:
            option, assigned = _SECRET_ARGUMENT.fullmatch(word), _ASSIGNED.fullmatch(word)
            if hide:
                shown.append(MASK)
            elif option:
                shown.append(f"{option[1]}{option[2]}{MASK}" if option[3] else self.text(word))
            elif assigned and is_secret(assigned[1], assigned[2]):
                shown.append(f"{self.text(assigned[1])}={MASK}")
            else:
                shown.append(self.text(word))
            hide = bool(option and not option[2] and not option[3] and not hide)
        return tuple(shown)

    def _remember(self, value: str) -> None:
        found = {value, *(each.rpartition(":")[2] for each in _URL_CREDENTIALS.findall(value))}
        self._secrets.update(each for each in found if len(each) >= SHORTEST_SECRET)

    def _problems(self, name: str, value: str) -> tuple[str, ...]:
        shortest = _SHORTEST.get(_SECRET_TARGETS.get(name, ""))
        if shortest is not None:
            return secrets.problems(value, shortest)
        return () if value.strip() else ("it is empty",)
