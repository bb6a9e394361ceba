"""Runtimes that are in their place."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_places import complete_runtimes


def test_only_what_npm_has_finished_counts(tmp_path: Path) -> None:
    for name in ("r2", "r1", "half"):
        (tmp_path / "runtimes" / name / "node_modules").mkdir(parents=True)
    for name in ("r2", "r1"):
        (tmp_path / "runtimes" / name / "node_modules/.package-lock.json").touch()
    assert complete_runtimes(tmp_path) == ["r1", "r2"]
    assert complete_runtimes(tmp_path / "none") == []
