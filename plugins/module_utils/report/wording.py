# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words that several formats have in common."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.cubeops.cubejs.plugins.module_utils.baseline import Comparison
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    STATUSES,
    UNKNOWN,
    WAIVED,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Group, Report, plural

# What people are shown in full; the rest is counted or folded.
IN_FULL = (FAIL, UNKNOWN, WAIVED)
FLEET = "whole fleet"
ALL_HOSTS = "all hosts"


def status_name(status: str) -> str:
    """Return a status as people write it."""
    return status.replace("_", " ")


def counted(totals: Mapping[str, int]) -> str:
    """Return "1 fail, 12 pass", leaving out what there is none of."""
    return ", ".join(f"{totals[status]:,} {status_name(status)}" for status in STATUSES if totals[status])


def place(group: Group) -> str:
    """Return where a group's findings are: "acme on cube1", "acme, all hosts", "cube1", "whole fleet"."""
    if group.tenant:
        return f"{group.tenant} on {group.host}" if group.host else f"{group.tenant}, {ALL_HOSTS}"
    return group.host or FLEET


def looked_at(report: Report) -> str:
    """Return how much was looked at, as a sentence."""
    looked = f"Looked at {plural(len(report.hosts), 'host')} and {plural(len(report.tenants), 'tenant')}."
    return f"{looked} {untold(report)}" if report.counted_only else looked


def untold(report: Report) -> str:
    """Return what a large report leaves out, as a sentence."""
    return f"{report.counted_only:,} findings that are no problem are counted, and not told one by one."


def compared(comparison: Comparison) -> str:
    """Return how the problems compare with the baseline, as a sentence."""
    unseen = f", {len(comparison.unseen):,} not looked at again" if comparison.unseen else ""
    return (
        f"Against the baseline: {len(comparison.new):,} new, {len(comparison.unchanged):,} unchanged, "
        f"{len(comparison.fixed):,} fixed{unseen}."
    )
