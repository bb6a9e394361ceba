"""What the tests of faults share: the audit of the scenario's hosts, and what it finds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(1, str(Path(__file__).parent))  # the table of faults

Found = tuple[str, str]  # (rule, tenant or host)


@dataclass(frozen=True)
class Audited:
    """One run of the audit: its exit status, all it printed, its report."""

    status: int
    output: str
    report: dict[str, Any]

    def found(self, status: str = "fail") -> set[Found]:
        """Return the findings of a status, each as its rule and whom it concerns."""
        return {
            (each["rule"], each["tenant"] or each["host"])
            for each in self.report["findings"]
            if each["status"] == status
        }

    def told(self, found: set[Found]) -> str:
        """Return the messages of findings, for a test that fails."""
        lines = [
            f"{each['status']} {each['rule']} {each['tenant']} {each['host']} {each['subject']}: {each['message']}"
            for each in self.report["findings"]
            if (each["rule"], each["tenant"] or each["host"]) in found and each["status"] in ("fail", "unknown")
        ]
        return "\n".join(lines)


@pytest.fixture(scope="session")
def audit(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Audited]:
    """Return how to look at all hosts."""

    def look(*arguments: str, **variables: Any) -> Audited:
        folder: Path = tmp_path_factory.mktemp("audit")
        wanted = {
            "cubejs_audit_hosts": "all",
            # All hosts share the cores of one machine with other scenarios: an answer may take longer than elsewhere.
            "cubejs_audit_deadline_seconds": 25,
            "cubejs_waivers_file": str(lab.scenario / "files" / "waivers.yml"),
            "cubejs_report_formats": ["json", "html", "junit", "sarif", "markdown", "prometheus"],
            "cubejs_report_directory": str(folder),
            **variables,
        }
        run = lab.playbook("cubeops.cubejs.audit", "--extra-vars", json.dumps(wanted), *arguments)
        written = folder / "cubejs-audit.json"
        assert written.exists(), run.output
        return Audited(run.status, run.output, json.loads(written.read_text()))

    return look
