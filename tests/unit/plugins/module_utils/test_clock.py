"""The machine's clock."""

from __future__ import annotations

import time

from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import CLOCK


def test_it_goes_on_while_it_is_waited_for() -> None:
    before = time.monotonic()
    CLOCK.sleep(0.01)
    assert before + 0.01 <= CLOCK.monotonic() <= time.monotonic()
