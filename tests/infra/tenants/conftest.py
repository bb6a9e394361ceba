"""The tenants of the scenario."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(1, str(Path(__file__).parent))

from tenants import NUMBERS, Audited, Tenant, report, tenant_of


@pytest.fixture(scope="session")
def tenants(lab: Any) -> dict[str, Tenant]:
    """Return the tenants by name."""
    return {name: tenant_of(lab, name, number) for name, number in NUMBERS.items()}


@pytest.fixture(scope="session")
def look(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Audited]:
    """Return how to run the audit, or another playbook that reports as it does."""
    return lambda *arguments, **variables: report(lab, tmp_path_factory.mktemp("report"), *arguments, **variables)
