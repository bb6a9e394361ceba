"""A real, headless Chromium on pages that the HTML format rendered; its pictures end up in .cache/browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import html
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / ".cache" / "browser"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",
)
DESKTOP = (1280, 900)
PHONE = (360, 740)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Return a browser with a profile of its own, for all tests of the run."""
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # The driver is named, so that none is looked for on the network.
    driver = Chrome(options=options, service=ChromeService("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


Opener = Callable[..., Chrome]


@pytest.fixture
def opened(browser: Chrome, tmp_path: Path) -> Iterator[Opener]:
    """Return a function that opens a report; at the end the page must have logged nothing."""

    def open_report(
        report: Report, *, size: tuple[int, int] = DESKTOP, dark: bool = False, script: bool = True, anchor: str = ""
    ) -> Chrome:
        page = tmp_path / "report.html"
        page.write_text(html.render(report), encoding="utf-8")
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        browser.get("about:blank")
        browser.get_log("browser")
        browser.get(page.as_uri() + anchor)
        return browser

    yield open_report
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    logged = browser.get_log("browser")
    assert not logged, f"the page logged: {logged}"


@pytest.fixture
def picture(browser: Chrome) -> Callable[[str], Path]:
    """Return a function that keeps a picture of what the browser shows."""

    def take(name: str) -> Path:
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        assert browser.save_screenshot(str(path))
        return path

    return take
