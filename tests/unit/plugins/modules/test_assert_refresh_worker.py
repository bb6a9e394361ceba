"""The assert_refresh_worker module; what it judges is tested with the rules, and how with asserting."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from ansible_collections.cubeops.cubejs.plugins.modules import assert_refresh_worker


def test_the_module(assert_module: Callable[[ModuleType], None]) -> None:
    assert_module(assert_refresh_worker)
