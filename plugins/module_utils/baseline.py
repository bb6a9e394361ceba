# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings beside those of an earlier report: what is new, what was fixed, what is as it was."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    SEVERITIES,
    UNKNOWN,
    WAIVED,
    Finding,
    FindingError,
    Key,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.text import LONGEST_NAME, printable

# The version of docs/schemas/report.schema.json that is written and read.
SCHEMA_VERSION = 1
MOST_ERRORS = 10

# A waived problem is still there, but nobody is asked to act; an unknown one may be none.
_RANKS = {WAIVED: 1, UNKNOWN: 2, FAIL: 3}


class BaselineError(ValueError):
    """An earlier report that cannot be compared with; the message says why and what to do."""


@dataclass(frozen=True)
class Comparison:
    """What differs from an earlier report.

    new: problems that were none before, or less bad: passed, waived, unknown where it now fails, or less severe.
    unchanged: problems that were as bad before. fixed: earlier problems that were looked at and are none any more.
    unseen: earlier problems whose host was not looked at this time, so that nobody knows.
    """

    new: frozenset[Key] = frozenset()
    unchanged: frozenset[Key] = frozenset()
    fixed: tuple[Finding, ...] = ()
    unseen: tuple[Finding, ...] = ()

    def state(self, key: Key) -> str:
        """Return what the problem of a stable key is: "new", "unchanged" or, where there is none, ""."""
        return "new" if key in self.new else "unchanged" if key in self.unchanged else ""


def stable_key(finding: Finding) -> Key:
    """Return a finding's key as reports show it, so that one read from a report equals one just found."""
    return Key(*(printable(part, LONGEST_NAME) for part in finding.key))


def compare(now: Iterable[Finding], earlier: Iterable[Finding], missing_hosts: Collection[str] = ()) -> Comparison:
    """Compare findings with an earlier report's; both sides are walked once.

    missing_hosts: those that were not looked at now; nothing that was found on them, or of the whole fleet, is fixed
    merely because it is not found again.
    """
    current, before = _worst(now), _worst(earlier)
    nothing = (0, 0)
    found = {key: _badness(finding) for key, finding in current.items() if finding.status in _RANKS}
    was = {key: _badness(finding) for key, finding in before.items() if finding.status in _RANKS}
    new = {key for key, bad in found.items() if current[key].status in (FAIL, UNKNOWN) and bad > was.get(key, nothing)}
    gone = [before[key] for key in was if key not in found]
    missing = {printable(host, LONGEST_NAME) for host in missing_hosts}
    unseen = [one for one in gone if _unseen(one, current, missing)]
    hidden = {stable_key(one) for one in unseen}
    return Comparison(
        new=frozenset(new),
        unchanged=frozenset(key for key in found if key in was and key not in new),
        fixed=tuple(one for one in gone if stable_key(one) not in hidden),
        unseen=tuple(unseen),
    )


def read(text: str) -> tuple[Finding, ...]:
    """Return the findings of a JSON report. Raises BaselineError."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BaselineError(f"the baseline is not JSON ({error}): give the file of an earlier JSON report") from error
    if not isinstance(document, dict) or not isinstance(document.get("findings"), list):
        raise BaselineError("the baseline is not a report (it has no list `findings`): give an earlier JSON report")
    if document.get("schema_version") != SCHEMA_VERSION:
        raise BaselineError(
            f"the baseline has schema_version {document.get('schema_version')!r}, this collection reads "
            f"{SCHEMA_VERSION}: write it anew with this collection"
        )
    read_items = [_finding(item) for item in document["findings"]]
    problems = [f"findings[{index}]: {item}" for index, item in enumerate(read_items) if isinstance(item, FindingError)]
    if problems:
        more = f"\n  and {len(problems) - MOST_ERRORS} more" if len(problems) > MOST_ERRORS else ""
        listed = "\n  ".join(problems[:MOST_ERRORS])
        raise BaselineError(f"the baseline cannot be read, write it anew:\n  {listed}{more}")
    return tuple(item for item in read_items if isinstance(item, Finding))


def _finding(item: object) -> Finding | FindingError:
    """Return a report's finding, or why it is none; what only the report says of it is left out."""
    if isinstance(item, dict):
        item = {name: value for name, value in item.items() if name not in ("baseline", "location")}
    try:
        return Finding.from_dict(item)
    except FindingError as error:
        return error


def _badness(finding: Finding) -> tuple[int, int]:
    return _RANKS.get(finding.status, 0), -SEVERITIES.index(finding.severity)


def _worst(findings: Iterable[Finding]) -> dict[Key, Finding]:
    worst: dict[Key, Finding] = {}
    for finding in findings:
        key = stable_key(finding)
        if key not in worst or _badness(finding) > _badness(worst[key]):
            worst[key] = finding
    return worst


def _unseen(finding: Finding, current: dict[Key, Finding], missing: set[str]) -> bool:
    """Say whether an earlier problem may still be there: nothing was found again where nobody looked."""
    key = stable_key(finding)
    return key not in current and bool(missing) and (not key.host or key.host in missing)
