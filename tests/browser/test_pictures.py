"""Pictures to look at, of the page on a desktop and a phone, light and dark; each must show more than one colour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples

DESKTOP = (1280, 900)
PHONE = (360, 740)


@pytest.mark.parametrize("dark", [pytest.param(False, id="light"), pytest.param(True, id="dark")])
@pytest.mark.parametrize("size", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")])
def test_picture(opened, picture: Callable[[str], Path], size: tuple[int, int], dark: bool) -> None:
    browser = opened(samples.compared(), size=size, dark=dark)
    name = f"{'phone' if size == PHONE else 'desktop'}-{'dark' if dark else 'light'}"
    assert picture(name).stat().st_size > 20_000
    height = browser.execute_script("return document.documentElement.scrollHeight")
    metrics = {"width": size[0], "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert picture(f"{name}-whole").stat().st_size > 40_000
