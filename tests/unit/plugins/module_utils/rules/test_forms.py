"""Findings that come of no rule have a title all the same."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.explaining import titles

PLUGINS = Path(__file__).resolve().parents[5] / "plugins"
MADE = re.compile(r"""(?:Finding|_found)\(\s*"([a-z][a-z-]+)",""")


def test_every_finding_that_is_made_has_a_title() -> None:
    texts = (path.read_text() for path in PLUGINS.glob("*utils/**/*.py"))
    found = {name for text in texts for name in MADE.findall(text)}
    assert {"value-type", "unknown-key", "variable-defined", "path-exists"} <= found
    assert not found - set(titles())
