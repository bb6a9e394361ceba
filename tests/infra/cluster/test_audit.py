"""The audit of a cluster that nothing has happened to yet: later tests leave their faults in the journals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cluster import TENANTS, audit, awaited, is_whole


def test_it_is_green(cluster: Any, lab: Any, tmp_path: Path) -> None:
    for tenant in TENANTS:
        awaited(lambda name=tenant: is_whole(cluster, name), f"{tenant} is replicated")
    # The others than the example's three have no business there: what they cannot reach is closed.
    # And all of them share the cores of one machine with other scenarios: an answer may take longer than elsewhere.
    found = audit(lab, tmp_path, cubejs_audit_hosts="all", cubejs_audit_deadline_seconds=60)
    assert (found.grave, found.status) == ([], 0)
    seen = {each["host"] for each in found.findings if each["rule"] == "host-looked-at" and each["status"] == "pass"}
    assert seen >= {"cube1", "cube2", "cube3"}, seen
