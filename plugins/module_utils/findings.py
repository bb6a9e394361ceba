# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rule says of one subject, and how findings are told to a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

ERROR = "error"
WARNING = "warning"
FAIL = "fail"
MASK = "<masked>"


class Problem(NamedTuple):
    """What is wrong with a value, and what to write instead: a sentence each, without a full stop."""

    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}"


@dataclass(frozen=True)
class Finding:
    """One result of one rule.

    rule: the rule's id, kebab-case and stable.
    severity: error refuses the plan, warning is shown.
    status: pass, fail, unknown, not_applicable or waived.
    subject: the variable, as a path that can be found in the inventory.
    message: the value (masked if secret) and what is wrong with it.
    remedy: what to write instead.
    tenant, host: whom it concerns; empty where it is everybody.
    """

    rule: str
    subject: str
    message: str
    remedy: str
    severity: str = ERROR
    status: str = FAIL
    tenant: str = ""
    host: str = ""

    def text(self) -> str:
        """Return the finding in one line."""
        where = f"{self.subject} ({self.host})" if self.host else self.subject
        return f"{where}: {self.message}. {self.remedy} [{self.rule}]"

    def as_dict(self) -> dict[str, str]:
        """Return the finding as plain data."""
        return asdict(self)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that refuse the plan."""
    return [finding for finding in findings if finding.severity == ERROR and finding.status == FAIL]


def warnings(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that are shown and refuse nothing."""
    return [finding for finding in findings if finding.severity == WARNING and finding.status == FAIL]


def refusal(findings: Sequence[Finding]) -> str:
    """Return the message that refuses a plan: every error, one a line."""
    count = "1 problem" if len(findings) == 1 else f"{len(findings)} problems"
    lines = [f"  - {finding.text()}" for finding in findings]
    return "\n".join([f"The plan is refused before any host is touched: {count}.", *lines])
