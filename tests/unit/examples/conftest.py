"""The examples are programs, not packages: they are imported from where they stand."""

from __future__ import annotations

import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
sys.path[1:1] = [str(EXAMPLES / "quickstart"), str(EXAMPLES / "shop")]
