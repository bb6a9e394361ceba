# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waivers: findings that somebody accepts, for a reason and until a day. None hides a finding, none lasts for ever."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    ERROR,
    FAIL,
    INFO,
    UNKNOWN,
    WAIVED,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.schema import nearest

EXPIRED_RULE = "waiver-expired"
UNUSED_RULE = "waiver-unused"

_TEXTS = ("rule", "subject", "reason", "owner")
_REQUIRED = (*_TEXTS, "expires")
_OPTIONAL = ("tenant", "host")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class WaiverError(ValueError):
    """Waivers that cannot be read; the message names everything that is wrong with all of them."""


@dataclass(frozen=True)
class Waiver:
    """Accept the findings of one rule.

    subject: the finding's subject, with `*` for any characters and `?` for one; brackets stand for themselves, since
    subjects have them. tenant, host: patterns too; "" is any. expires: the last day on which it waives.
    position: where it stands in the list, from 0.
    """

    rule: str
    subject: str
    reason: str
    owner: str
    expires: date
    tenant: str = ""
    host: str = ""
    position: int = 0

    def matches(self, finding: Finding) -> bool:
        """Say whether it is about this finding."""
        patterns = zip(self._patterns, (finding.subject, finding.tenant, finding.host))
        return finding.rule == self.rule and all(pattern.fullmatch(text) for pattern, text in patterns)

    @property
    def literal(self) -> bool:
        """Say whether it names one subject."""
        return not set(self.subject) & set("*?")

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(_pattern(text) for text in (self.subject, self.tenant or "*", self.host or "*"))


def parse(data: object, rules: Collection[str] = ()) -> tuple[Waiver, ...]:
    """Return the waivers that a file holds.

    rules: the ids that there are; none lets any id pass. Raises WaiverError.
    """
    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)):
        raise WaiverError(f"waivers are a list of mappings, this is {type(data).__name__}")
    problems = [
        f"waivers[{position}]: {problem}" for position, item in enumerate(data) for problem in _problems(item, rules)
    ]
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise WaiverError("\n  - ".join([f"The waivers cannot be used: {count}.", *problems]))
    return tuple(
        Waiver(**{**item, "expires": _day(item["expires"]), "position": position}) for position, item in enumerate(data)
    )


def apply(
    waivers: Sequence[Waiver], findings: Sequence[Finding], today: date, *, complete: bool = True
) -> tuple[Finding, ...]:
    """Return all findings, those that somebody accepts being waived, and after them what is wrong with the waivers.

    An expired waiver waives nothing and fails; one that matches no failed or unknown finding is reported. complete:
    everything was looked at; otherwise whether a waiver is used is not known.
    """
    index = _Index(waivers)
    used: set[int] = set()
    judged = []
    for finding in findings:
        matching = list(index.matching(finding)) if finding.status in (FAIL, UNKNOWN) else []
        used.update(waiver.position for waiver in matching)
        active = next((waiver for waiver in matching if waiver.expires >= today), None)
        judged.append(replace(finding, status=WAIVED, waiver=_told(active)) if active else finding)
    expired = (_expired(waiver, waiver.position in used) for waiver in waivers if waiver.expires < today)
    unused = (
        _unused(waiver, complete) for waiver in waivers if waiver.expires >= today and waiver.position not in used
    )
    return (*judged, *expired, *unused)


class _Index:
    """Finds a finding's waivers among those of its rule only, and those of one subject at once."""

    def __init__(self, waivers: Sequence[Waiver]) -> None:
        self._literal: dict[tuple[str, str], list[Waiver]] = {}
        self._patterns: dict[str, list[Waiver]] = {}
        for waiver in waivers:
            if waiver.literal:
                self._literal.setdefault((waiver.rule, waiver.subject), []).append(waiver)
            else:
                self._patterns.setdefault(waiver.rule, []).append(waiver)

    def matching(self, finding: Finding) -> Iterator[Waiver]:
        """Yield the waivers that are about the finding."""
        named = self._literal.get((finding.rule, finding.subject), ())
        return (waiver for waiver in (*named, *self._patterns.get(finding.rule, ())) if waiver.matches(finding))


def _pattern(text: str) -> re.Pattern[str]:
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", text))
    return re.compile("".join(parts), re.DOTALL)


def _problems(item: object, rules: Collection[str]) -> Iterator[str]:
    if not isinstance(item, Mapping):
        yield f"it is a mapping with {', '.join(_REQUIRED)}, this is {type(item).__name__}"
        return
    known = (*_REQUIRED, *_OPTIONAL)
    for name in item:
        if name not in known:
            yield f"{str(name)[:60]!r} is not known{_meant(str(name), known)} (there are: {', '.join(known)})"
    for name in _REQUIRED:
        if name not in item:
            yield f"{name} is missing"
    for name in (*_TEXTS, *_OPTIONAL):
        value = item.get(name, "-")
        if not isinstance(value, str):
            yield f"{name} is {str(value)[:60]!r} ({type(value).__name__}): write a string"
        elif not value.strip() and name in _TEXTS:
            yield f"{name} is empty: say {'who answers for it' if name == 'owner' else 'what it is'}"
    yield from _rule_problems(item.get("rule"), rules)
    if "expires" in item and _day(item["expires"]) is None:
        yield f"expires is {str(item['expires'])[:60]!r}: write a day that there is, as 2031-12-31"


def _rule_problems(rule: object, rules: Collection[str]) -> Iterator[str]:
    if not isinstance(rule, str) or not rule.strip():
        return
    if rule in (EXPIRED_RULE, UNUSED_RULE):
        yield f"rule {rule} cannot be waived: mend or remove the waiver that it speaks of"
    elif rules and rule not in rules:
        yield f"there is no rule {rule[:60]!r}{_meant(rule, rules)}"


def _meant(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f", is {close} meant?" if close else ""


def _day(value: object) -> date | None:
    """Return the day; YAML makes a date of one that is not quoted."""
    if isinstance(value, date):
        return None if isinstance(value, datetime) else value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _told(waiver: Waiver) -> str:
    return f"{waiver.reason} (accepted by {waiver.owner} until {waiver.expires.isoformat()})"


def _expired(waiver: Waiver, needed: bool) -> Finding:
    still = "and what it waived is still there" if needed else "and nothing needs it any more"
    remedy = "Mend what it waived, or have it accepted anew with a later day" if needed else "Remove it"
    return _about(waiver, EXPIRED_RULE, f"the waiver of {waiver.rule} expired on {waiver.expires}, {still}", remedy)


def _unused(waiver: Waiver, complete: bool) -> Finding:
    if complete:
        message = f"the waiver of {waiver.rule} matches no finding"
        return replace(_about(waiver, UNUSED_RULE, message, "Remove it, or correct what it matches"), severity=WARNING)
    message = f"whether the waiver of {waiver.rule} is needed is not known, since not everything was looked at"
    told = _about(waiver, UNUSED_RULE, message, "Look at all hosts")
    return replace(told, severity=INFO, status=UNKNOWN)


def _about(waiver: Waiver, rule: str, message: str, remedy: str) -> Finding:
    """Return a failing finding about the waiver itself.

    The place in the list is no part of its subject: another order of the waivers makes no new finding.
    """
    return Finding(
        rule,
        f"waivers[{waiver.rule}: {waiver.subject}]",
        message,
        remedy,
        severity=ERROR,
        status=FAIL,
        tenant="" if set(waiver.tenant) & set("*?") else waiver.tenant,
        host="" if set(waiver.host) & set("*?") else waiver.host,
        evidence=(
            f"waivers[{waiver.position}]",
            f"owner: {waiver.owner}",
            f"reason: {waiver.reason}",
            f"expires: {waiver.expires}",
        ),
    )
