"""The stack whose Redis speaks TLS."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(1, str(Path(__file__).parents[1] / "stack"))

from stacks import Stack, stack_on


@pytest.fixture(scope="session")
def stack(lab: Any) -> Stack:
    """Return the one stack."""
    return stack_on(lab, "private")
