# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the time comes from, and how it is waited for: a test has a clock of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Clock:
    """The machine's clock, in seconds from some moment on."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


CLOCK = Clock()


def moments(seconds: float, pause: float, clock: Clock = CLOCK) -> Iterator[None]:
    """Pass every `pause` seconds until `seconds` are over, and once at least: for what is asked again and again."""
    deadline = clock.monotonic() + seconds
    while True:
        yield
        if clock.monotonic() >= deadline:
            return
        clock.sleep(pause)
