"""What the tests of the role cubejs share: the tenant, and runs that change it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(1, str(Path(__file__).parent))

from tenant import HOST, Tenant


@pytest.fixture(scope="session")
def acme(lab: Any) -> Tenant:
    """Return the tenant."""
    return Tenant(lab.host(HOST), lab.folder / "ssh_config")


@pytest.fixture
def converge(lab: Any, acme: Tenant) -> Iterator[Callable[..., Any]]:
    """Run converge.yml with other variables; afterwards the host is brought back to what the inventory says."""
    changed = []

    def run(*arguments: str, **variables: object) -> Any:
        changed.append(variables)
        return lab.converge("-e", json.dumps(variables), *arguments)

    yield run
    if changed and changed[-1]:
        back = lab.converge()
        assert back.status == 0, back.output


@pytest.fixture
def project(lab: Any, tmp_path: Path) -> Path:
    """Return a copy of the project, to be changed."""
    return Path(shutil.copytree(lab.scenario / "project", tmp_path / "project"))
