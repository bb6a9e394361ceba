# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What rules on live hosts say of a subject before it becomes a finding, and what they ask of an instance alike."""

from __future__ import annotations

from typing import NamedTuple, Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import doubt

MEBIBYTE = 1 << 20
DAY = 86400.0


class Verdict(NamedTuple):
    """Status, message and, where the rule's own does not fit, remedy and severity."""

    status: str
    message: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    severity: Optional[str] = None


def passes(message: str, *evidence: str) -> Verdict:
    """Return that all is well."""
    return Verdict(PASS, message, evidence=evidence)


def fails(message: str, remedy: str = "", *evidence: str, severity: str | None = None) -> Verdict:
    """Return that something is wrong; remedy and severity are the rule's unless given."""
    return Verdict(FAIL, message, remedy, evidence, severity)


def not_applicable(message: str) -> Verdict:
    """Return that there is nothing to be judged."""
    return Verdict(NOT_APPLICABLE, message)


def unknown(note: Unknown | str, remedy: str = "") -> Verdict:
    """Return that it cannot be known, why, and what would let it be."""
    if isinstance(note, str):
        return Verdict(UNKNOWN, f"it cannot be known: {note}", remedy)
    return Verdict(UNKNOWN, f"it cannot be known: {note.what}: {note.reason}", note.remedy or remedy)


def of(rule: Rule, instance: LiveInstance, verdict: Verdict) -> Finding:
    """Return the finding on a live instance."""
    return found(rule, instance.name, verdict, tenant=instance.tenant, host=instance.host)


def found(rule: Rule, subject: str, verdict: Verdict, *, tenant: str = "", host: str = "") -> Finding:
    """Return the finding on a subject."""
    return rule.found(
        subject,
        verdict.message,
        verdict.remedy,
        tenant=tenant,
        host=host,
        severity=verdict.severity,
        status=verdict.status,
        evidence=verdict.evidence,
    )


def unread_settings(instance: LiveInstance) -> Unknown | None:
    """Return why a variable that is not among an instance's settings may be set after all; None where it is not."""
    return next(iter(doubt(instance)), None)


def is_within(version: str, spec: str) -> bool | None:
    """Say whether a version lies in a range; None for one that is not known."""
    try:
        return versions.within(version, spec)
    except versions.VersionError:
        return None


def is_true(instance: LiveInstance, name: str) -> bool:
    """Say whether a switch is on."""
    return (instance.seen.value(name) or "").lower() == "true"


def mebibytes(count: float) -> str:
    """Return a size as people read it."""
    return f"{count / MEBIBYTE:,.0f} MiB"
