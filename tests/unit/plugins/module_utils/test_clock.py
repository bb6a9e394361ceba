"""The machine's clock."""

from __future__ import annotations

import time

from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import CLOCK, Clock, moments


def test_it_goes_on_while_it_is_waited_for() -> None:
    before = time.monotonic()
    CLOCK.sleep(0.01)
    assert before + 0.01 <= CLOCK.monotonic() <= time.monotonic()


def test_moments_pass_until_the_time_is_over_and_once_at_least() -> None:
    slept: list[float] = []
    clock = Clock(lambda: sum(slept), slept.append)
    assert len(list(moments(1.0, 0.25, clock))) == 5
    assert slept == [0.25] * 4
    assert len(list(moments(0.0, 0.25, clock))) == 1
