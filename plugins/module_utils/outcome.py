# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a run of rules ended: nothing at the threshold, findings, or not enough seen to say so."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    SEVERITIES,
    UNKNOWN,
    Finding,
    at_least,
)

NEVER = "never"
THRESHOLDS = (*SEVERITIES, NEVER)

OK = "ok"
FINDINGS = "findings"
COULD_NOT_LOOK = "could-not-look"
# ansible-playbook ends with 1, 5, 99, 250, and with any sum of 2 (failed), 4 (unreachable) and 8; shells take 126 and
# above. These three are nobody else's, so a status tells what was found from a run that broke.
EXIT_STATUSES = {OK: 0, FINDINGS: 20, COULD_NOT_LOOK: 21}


class OutcomeError(ValueError):
    """A threshold that there is not."""


@dataclass(frozen=True)
class Outcome:
    """The verdict. failed, unknown: how many findings count; missing_hosts: how many hosts could not be looked at."""

    name: str
    failed: int
    unknown: int
    missing_hosts: int

    @property
    def exit_status(self) -> int:
        """Return 0, 20 or 21."""
        return EXIT_STATUSES[self.name]


def counts(finding: Finding, fail_on: str) -> bool:
    """Say whether a finding counts at a threshold: failed or unknown, and as severe as that or more."""
    return fail_on != NEVER and finding.status in (FAIL, UNKNOWN) and at_least(finding.severity, fail_on)


def judge(findings: Iterable[Finding], fail_on: str, missing_hosts: Collection[str] = ()) -> Outcome:
    """Return the outcome at a threshold, a severity or "never".

    What is known to be wrong comes before what is not known. A missing host is always something not looked at,
    whatever its findings would have been. At "never" the outcome is ok, and the counts are 0.
    Raises OutcomeError.
    """
    check_threshold(fail_on)
    failed = unknown = 0
    for finding in findings:
        if counts(finding, fail_on):
            failed += finding.status == FAIL
            unknown += finding.status == UNKNOWN
    missing = 0 if fail_on == NEVER else len(missing_hosts)
    name = FINDINGS if failed else COULD_NOT_LOOK if unknown or missing else OK
    return Outcome(name, failed, unknown, missing)


def check_threshold(fail_on: str) -> None:
    """Raise OutcomeError unless the threshold is one."""
    if fail_on not in THRESHOLDS:
        raise OutcomeError(f"fail_on is {str(fail_on)[:40]!r}: use one of {', '.join(THRESHOLDS)}")
