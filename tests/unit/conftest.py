"""What several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import Ownership, WantedFile
from hypothesis import settings

# The machine is shared: how long an example takes says nothing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


class FakeOwnership(Ownership):
    """Every user exists and owns what it should; remembers what was given to whom."""

    def __init__(self, owned: tuple[int, int] = (0, 0)) -> None:
        self.owned = owned
        self.given: dict[Path, tuple[int, int]] = {}

    def ids(self, file: WantedFile) -> tuple[int, int] | None:
        """Return ids for everybody but `nobody-here`."""
        return (0, 0) if file.owner == "root" else None if file.owner == "nobody-here" else (7, 7)

    def of(self, _found: os.stat_result) -> tuple[int, int]:
        """Return the same owner for every file."""
        return self.owned

    def chown(self, path: Path, ids: tuple[int, int]) -> None:
        """Remember to whom the file was given."""
        self.given[path] = ids


@pytest.fixture
def ownership() -> FakeOwnership:
    """Return users and groups that need no privileges."""
    return FakeOwnership()
