"""Rendered pages are what their sources render now; links lead somewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("render", ROOT / "docs" / "render.py")
assert SPEC is not None
assert SPEC.loader is not None
render = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(render)


@pytest.mark.parametrize("path", sorted(render.pages()), ids=lambda path: str(path.relative_to(ROOT)))
def test_rendered_pages_are_up_to_date(path: Path) -> None:
    assert path.read_text() == render.pages()[path], "run `make docs`"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        pytest.param(["redis-pool-size"], 0, "redis-pool-size\n  Redis pools hold", id="one"),
        pytest.param([], 0, "host-looked-at Every host was looked at", id="all"),
        pytest.param(["redis-pool-sise"], 1, "Did you mean redis-pool-size?", id="misspelt"),
    ],
)
def test_rules_are_explained(arguments: list[str], status: int, words: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/explain.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".cache/collections")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout
    assert words in done.stdout
    assert "docs/explain.py $(RULE)" in (ROOT / "Makefile").read_text()


LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
    cwd=ROOT,
    check=True,
    stdout=subprocess.PIPE,
    text=True,
).stdout
PAGES = [ROOT / name for name in LISTED.splitlines() if (ROOT / name).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing
