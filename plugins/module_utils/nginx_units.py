# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Times and sizes as Nginx' files write them."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "M": 2592000.0, "y": 31536000.0}
_TIME = re.compile(r"([0-9]{1,12})(ms|[smhdwMy]?)\s*")
_SIZE = re.compile(r"([0-9]{1,18})([kKmMgG]?)")
_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def seconds(text: str) -> float | None:
    """Return a time such as "60", "75s" or "1h 30m" in seconds; None for a text that is none."""
    total, at = 0.0, 0
    for match in _TIME.finditer(text):
        if match.start() != at:
            return None
        total, at = total + int(match[1]) * _SECONDS[match[2] or "s"], match.end()
    return total if text and at == len(text) else None


def size(text: str) -> int | None:
    """Return a size such as "1m" or "8388608" in bytes; None for a text that is none."""
    match = _SIZE.fullmatch(text)
    return int(match[1]) * _BYTES[match[2].lower()] if match else None
