"""Times and sizes of Nginx."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.nginx_units import seconds, size


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("60", 60.0), ("75s", 75.0), ("5m", 300.0), ("1h 30m", 5400.0), ("1h30m", 5400.0), ("500ms", 0.5),
        ("1d", 86400.0), ("1M", 2592000.0), ("0", 0.0), ("", None), ("$t", None), ("60x", None), ("-1", None),
        ("5m $t", None),
    ],
)  # fmt: skip
def test_seconds(text: str, found: float | None) -> None:
    assert seconds(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [("8388608", 8 << 20), ("8m", 8 << 20), ("1K", 1024), ("1g", 1 << 30), ("0", 0), ("", None), ("8mb", None)],
)
def test_size(text: str, found: int | None) -> None:
    assert size(text) == found
