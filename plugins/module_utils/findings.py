# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rule says of one subject, and how findings are told to a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

CRITICAL = "critical"
ERROR = "error"
WARNING = "warning"
INFO = "info"
# The worst first; a plan is refused at error and above.
SEVERITIES = (CRITICAL, ERROR, WARNING, INFO)

FAIL = "fail"
UNKNOWN = "unknown"
WAIVED = "waived"
PASS = "pass"  # noqa: S105  (a status, no password)
NOT_APPLICABLE = "not_applicable"
# In the order in which people want to see them.
STATUSES = (FAIL, UNKNOWN, WAIVED, PASS, NOT_APPLICABLE)

MASK = "<masked>"

_REQUIRED = ("rule", "subject", "message", "remedy")
_CHOICES = {"severity": SEVERITIES, "status": STATUSES}


class FindingError(ValueError):
    """Data that is no finding; the message names every field that is wrong."""


class Problem(NamedTuple):
    """What is wrong with a value, and what to write instead: a sentence each, without a full stop."""

    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}"


class Key(NamedTuple):
    """What makes two findings of different runs the same one; never the message, whose numbers change."""

    rule: str
    subject: str
    tenant: str
    host: str


@dataclass(frozen=True)
class Finding:
    """One result of one rule.

    rule: the rule's id, kebab-case and stable.
    severity: critical and error refuse the plan, warning is shown, info is told in reports.
    status: pass, fail, unknown, not_applicable or waived.
    subject: the variable, as a path that can be found in the inventory.
    message: the value (masked if secret) and what is wrong with it.
    remedy: what to write instead.
    tenant, host: whom it concerns; empty where it is everybody.
    evidence: short strings that show what was seen, secrets masked.
    reference: the sentence or section that asks for it, e.g. "Production Checklist: Set up Redis".
    why: what happens otherwise. waiver: who accepts it, until when and why; only of a waived finding.
    """

    rule: str
    subject: str
    message: str
    remedy: str
    severity: str = ERROR
    status: str = FAIL
    tenant: str = ""
    host: str = ""
    evidence: tuple[str, ...] = ()
    reference: str = ""
    why: str = ""
    waiver: str = ""

    @cached_property
    def key(self) -> Key:
        """Return what identifies the finding from run to run."""
        return Key(self.rule, self.subject, self.tenant, self.host)

    def text(self) -> str:
        """Return the finding in one line."""
        where = f"{self.subject} ({self.host})" if self.host else self.subject
        return f"{where}: {self.message}. {self.remedy} [{self.rule}]"

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain data: strings, and a list of them."""
        return {**{name: getattr(self, name) for name in _FIELDS}, "evidence": list(self.evidence)}

    @classmethod
    def from_dict(cls, data: object) -> Finding:
        """Return the finding that as_dict() made the data from.

        Raises FindingError, which names every field that is missing, unknown, of another type or not allowed.
        """
        if not isinstance(data, Mapping):
            raise FindingError(f"a finding is a mapping, this is {_kind(data)}")
        problems = list(_problems(data))
        if problems:
            raise FindingError("; ".join(problems))
        return cls(**{**data, "evidence": tuple(data.get("evidence", ()))})


_FIELDS = tuple(field.name for field in fields(Finding))


def of_fields(fields: dict[str, Any]) -> Finding:
    """Return the finding that has these fields, every one of a finding, and keeps the dictionary.

    Finding() does the same in three times the time, and of a large fleet there are hundreds of thousands.
    """
    finding = object.__new__(Finding)
    object.__setattr__(finding, "__dict__", fields)
    return finding


def _problems(data: Mapping[Any, Any]) -> Iterable[str]:
    missing = [name for name in _REQUIRED if name not in data]
    if missing:
        yield f"missing: {', '.join(missing)}"
    for name, value in data.items():
        if name not in _FIELDS:
            yield f"{name!r} is no field of a finding, there are: {', '.join(_FIELDS)}"
        elif name == "evidence":
            if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
                yield "evidence is a list of strings"
        elif not isinstance(value, str):
            yield f"{name} is a string, this is {_kind(value)}"
        elif name in _CHOICES and value not in _CHOICES[name]:
            yield f"{name} is one of {', '.join(_CHOICES[name])}, not {value[:40]!r}"


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__


def at_least(severity: str, threshold: str) -> bool:
    """Say whether a severity is the threshold or worse."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(threshold)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that refuse the plan: failed, at error or above."""
    return [finding for finding in findings if finding.status == FAIL and at_least(finding.severity, ERROR)]


def warnings(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that are shown and refuse nothing."""
    return [finding for finding in findings if finding.severity == WARNING and finding.status == FAIL]


def refusal(findings: Sequence[Finding]) -> str:
    """Return the message that refuses a plan: every error, one a line."""
    count = "1 problem" if len(findings) == 1 else f"{len(findings)} problems"
    lines = [f"  - {finding.text()}" for finding in findings]
    return "\n".join([f"The plan is refused before any host is touched: {count}.", *lines])
