"""The three stacks of the scenario."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(1, str(Path(__file__).parent))

from stacks import Stack, install_clients, stack_on


@pytest.fixture(scope="session", params=["bookworm", "bullseye", "trixie"])
def stack(lab: Any, request: pytest.FixtureRequest) -> Stack:
    """Return each platform's stack."""
    return stack_on(lab, request.param)


@pytest.fixture(scope="session")
def clients() -> Path:
    """Return where Cube's own JavaScript clients are installed."""
    return install_clients()
