"""What the tests of hosts that somebody else deployed share: one audit, and what was there before and after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HOSTS = ("unit11", "unit12", "unit13", "pm2")
PLANTED = "plantedForeign6Hs2WkQz8LvXc4TbNm7Rd"
# Every file with its size and times, but for what the running programs themselves write: kernel, run time, databases,
# logs, and what an SSH login notes.
WRITTEN = (
    *("/proc", "/sys", "/run", "/dev", "/tmp", "/var/log", "/var/lib/mysql", "/var/lib/redis", "/var/lib/nginx"),
    *("/var/lib/systemd", "/var/lib/cube/.pm2"),
)
FILES = (
    f"find / -xdev \\( {' -o '.join(f'-path {path}' for path in WRITTEN)} \\) -prune "
    "-o \\( -type f -o -type l \\) -printf '%p %s %T@ %m %u\\n' | sort"
)
PROCESSES = "ps -eo pid,lstart,args | grep -E 'cubejs|redis-server|mariadbd|nginx: master|God Daemon' | grep -v grep"


def state(lab: Any) -> dict[str, tuple[str, str]]:
    """Return host -> its files and its services' processes."""
    return {name: (lab.host(name).check_output(FILES), lab.host(name).check_output(PROCESSES)) for name in HOSTS}


@pytest.fixture(scope="session")
def audit(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """Return how to look at all hosts: the run, and the report."""

    def look(*arguments: str, **variables: Any) -> tuple[Any, dict[str, Any]]:
        folder: Path = tmp_path_factory.mktemp("audit")
        wanted = {"cubejs_report_formats": ["json"], "cubejs_report_directory": str(folder), **variables}
        run = lab.playbook("cubeops.cubejs.audit", "--extra-vars", json.dumps(wanted), *arguments)
        written = folder / "cubejs-audit.json"
        assert written.exists(), run.output
        return run, json.loads(written.read_text())

    return look


@pytest.fixture(scope="session")
def audited(lab: Any, audit: Any) -> dict[str, Any]:
    """Look once at -vvv; return what was there before and after, what was printed, and the report."""
    before = state(lab)
    run, report = audit("-vvv")
    return {"before": before, "after": state(lab), "output": run.output, "report": report, "status": run.status}
