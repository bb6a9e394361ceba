"""What a person does with the page: filter, unfold, use the keyboard, read it on a phone or without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

Opener = Callable[..., Chrome]
DESKTOP, PHONE, SMALLEST = (1280, 900), (360, 740), (320, 600)
SHOWN = """
  return Array.from(document.querySelectorAll(".finding"))
    .filter(element => element.checkVisibility())
    .map(element => element.querySelector(".rule").textContent);
"""
ALL_OPEN = [
    "redis-shared-by-tenant",
    "redis-pool-size",
    "https-certificate-expiry",
    "redis-has-room",
    "host-swap",
    "host-clock",
]


def wait_for(browser: Chrome, script: str, expected: Any) -> None:
    """Wait until a script returns what is expected; say what it returned when it does not."""
    seen: list[Any] = [None]

    def done(_browser: Chrome) -> bool:
        seen[0] = browser.execute_script(script)
        return bool(seen[0] == expected)

    try:
        WebDriverWait(browser, 5, poll_frequency=0.05).until(done)
    except Exception:
        assert seen[0] == expected
        raise


def choose(browser: Chrome, name: str, value: str) -> None:
    """Choose an option of one of the filters."""
    Select(browser.find_element(By.ID, name)).select_by_value(value)


def press(browser: Chrome, *keys: str) -> None:
    """Press keys, wherever the focus is."""
    ActionChains(browser).send_keys(*keys).perform()


def focused(browser: Chrome) -> str:
    """Return the id, class or name of the element that has the focus."""
    return str(browser.execute_script("const e = document.activeElement; return e.id || e.className || e.tagName"))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({}, ALL_OPEN, id="none"),
        pytest.param({"tenant": "=globex"}, ["https-certificate-expiry", "redis-has-room", "host-swap"], id="tenant"),
        pytest.param({"tenant": "="}, ["host-clock"], id="no tenant"),
        pytest.param({"host": "=cube2"}, ["host-swap", "host-clock"], id="host"),
        pytest.param({"severity": "critical"}, ["redis-shared-by-tenant"], id="severity"),
        pytest.param({"status": "unknown"}, ["redis-has-room"], id="status"),
        pytest.param({"status": "pass"}, ["production-mode"], id="a status that is folded"),
        pytest.param({"tenant": "=acme", "status": "fail"}, ALL_OPEN[:2], id="two"),
        pytest.param({"tenant": "=acme", "host": "=redis1"}, [], id="nothing"),
        pytest.param({"host": "=cube1"}, ["redis-pool-size"], id="what passes stays folded"),
    ],
)
def test_filters(opened: Opener, filters: dict[str, str], expected: list[str]) -> None:
    browser = opened(samples.report())
    for name, value in filters.items():
        choose(browser, name, value)
    wait_for(browser, SHOWN, expected)
    assert browser.find_element(By.ID, "empty").is_displayed() == (not expected)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("POOL", ["redis-pool-size"], id="any case"),
        pytest.param("queries flight", ["redis-pool-size"], id="all words, in any place"),
        pytest.param("4711", ["redis-pool-size"], id="folded evidence"),
        pytest.param("alg:none", ["production-mode"], id="what is folded whole"),
        pytest.param("redis1", ["redis-has-room"], id="the host"),
        pytest.param("no such thing", [], id="nothing"),
        pytest.param("  ", ALL_OPEN, id="blanks"),
    ],
)
def test_search(opened: Opener, words: str, expected: list[str]) -> None:
    browser = opened(samples.report())
    browser.find_element(By.ID, "q").send_keys(words)
    wait_for(browser, SHOWN, expected)


def test_the_count_is_told_and_headings_without_findings_go(opened: Opener) -> None:
    browser = opened(samples.report())
    count = browser.find_element(By.ID, "count")
    assert count.text == "8 of 8 findings shown"
    assert count.aria_role == "status"
    choose(browser, "tenant", "=acme")
    wait_for(browser, "return document.getElementById('count').textContent", "4 of 8 findings shown")
    headings = [element.text for element in browser.find_elements(By.TAG_NAME, "h2") if element.is_displayed()]
    assert headings == ["acme"]


def test_reset_shows_everything_again(opened: Opener) -> None:
    browser = opened(samples.report())
    choose(browser, "status", "pass")
    wait_for(browser, SHOWN, ["production-mode"])
    browser.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    wait_for(browser, SHOWN, ALL_OPEN)
    assert browser.execute_script("return location.hash") == ""


def test_what_is_filtered_can_be_linked_to(opened: Opener) -> None:
    browser = opened(samples.report())
    choose(browser, "tenant", "=globex")
    choose(browser, "status", "unknown")
    wait_for(browser, "return location.hash", "#tenant=%3Dglobex&status=unknown")
    browser = opened(samples.report(), anchor="#tenant=%3Dglobex&status=unknown&severity=no-such")
    wait_for(browser, SHOWN, ["redis-has-room"])
    assert Select(browser.find_element(By.ID, "severity")).first_selected_option.text == "Any severity"


def test_evidence_is_folded_and_opens_by_itself_or_all_at_once(opened: Opener) -> None:
    browser = opened(samples.report())
    evidence = browser.find_elements(By.CSS_SELECTOR, ".finding pre")
    assert not any(element.is_displayed() for element in evidence)
    first = browser.find_element(By.CSS_SELECTOR, ".finding summary")
    first.click()
    assert [element.is_displayed() for element in evidence[:3]] == [True, True, False]
    first.click()
    assert not evidence[0].is_displayed()
    button = browser.find_element(By.ID, "unfold")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert browser.execute_script("return document.querySelectorAll('.finding details:not([open])').length") == 0
    button.click()
    assert browser.execute_script("return document.querySelectorAll('.finding details[open]').length") == 0


def test_what_passes_is_folded(opened: Opener) -> None:
    browser = opened(samples.report())
    (rest, *_others) = browser.find_elements(By.CSS_SELECTOR, "[data-host=cube1] .rest")
    finding = rest.find_element(By.CSS_SELECTOR, ".finding")
    assert not finding.is_displayed()
    rest.find_element(By.TAG_NAME, "summary").click()
    assert finding.is_displayed()


def test_everything_is_done_with_the_keyboard(opened: Opener) -> None:
    browser = opened(samples.report())
    press(browser, Keys.TAB)
    assert focused(browser) == "skip"
    assert browser.find_element(By.CLASS_NAME, "skip").rect["x"] >= 0, "it is seen while it has the focus"
    stops = []
    for _stop in range(8):
        press(browser, Keys.TAB)
        stops.append(focused(browser))
    assert stops == ["q", "tenant", "host", "severity", "status", "unfold", "BUTTON", "SUMMARY"]
    press(browser, Keys.ENTER)
    assert browser.find_element(By.CSS_SELECTOR, ".finding pre").is_displayed()
    press(browser, Keys.SPACE)
    assert not browser.find_element(By.CSS_SELECTOR, ".finding pre").is_displayed()
    press(browser, "/")
    assert focused(browser) == "q"
    press(browser, "a/b", Keys.BACKSPACE * 3)
    assert browser.find_element(By.ID, "q").get_attribute("value") == "", "the slash was typed, and nothing else"
    press(browser, Keys.TAB, "g")
    wait_for(browser, SHOWN, ["https-certificate-expiry", "redis-has-room", "host-swap"])


def test_the_skip_link_leads_past_the_filters(opened: Opener) -> None:
    browser = opened(samples.report())
    press(browser, Keys.TAB, Keys.ENTER, Keys.TAB)
    assert focused(browser) == "SUMMARY"


def test_what_has_the_focus_is_seen(opened: Opener) -> None:
    browser = opened(samples.report())
    for _stop in range(9):
        press(browser, Keys.TAB)
        width = browser.execute_script("return getComputedStyle(document.activeElement).outlineWidth")
        assert float(width.removesuffix("px")) >= 2, focused(browser)


def test_every_field_has_a_name(opened: Opener) -> None:
    browser = opened(samples.report())
    named = {element.get_attribute("id"): element.accessible_name for element in fields(browser)}
    assert named == {"q": "Search", "tenant": "Tenant", "host": "Host", "severity": "Severity", "status": "Status"}


def fields(browser: Chrome) -> list[Any]:
    """Return the fields of the form."""
    return browser.find_elements(By.CSS_SELECTOR, "#filters input, #filters select")


SIDEWAYS = """
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const over = Array.from(document.querySelectorAll("body *")).filter(element => {
    const box = element.getBoundingClientRect();
    return box.width && !element.closest(".skip") && box.right > document.documentElement.clientWidth + 1;
  });
  return [wide, over.map(element => element.outerHTML.slice(0, 120))];
"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE, SMALLEST], ids=["desktop", "phone", "smallest"])
@pytest.mark.parametrize("value", ["", "html", "long", "newlines"], ids=["plain", "html", "long", "newlines"])
def test_nothing_scrolls_sideways(opened: Opener, size: tuple[int, int], value: str) -> None:
    report = samples.hostile(samples.HOSTILE[value]) if value else samples.compared()
    browser = opened(report, size=size)
    browser.find_element(By.ID, "unfold").click()
    browser.execute_script("document.querySelectorAll('details').forEach(element => { element.open = true; })")
    assert browser.execute_script(SIDEWAYS) == [0, []]


def test_fingers_hit_what_they_aim_at_on_a_phone(opened: Opener) -> None:
    browser = opened(samples.report(), size=PHONE)
    targets = [*fields(browser), *browser.find_elements(By.CSS_SELECTOR, "button, .finding summary")]
    heights = [element.rect["height"] for element in targets if element.is_displayed()]
    assert len(heights) >= 8
    assert min(heights) >= 32


def test_without_a_script_it_reads(opened: Opener) -> None:
    browser = opened(samples.report(), script=False)
    assert not browser.find_element(By.ID, "filters").is_displayed()
    text = browser.find_element(By.TAG_NAME, "body").text
    for finding in samples.FINDINGS:
        assert (finding.message in text) == (finding.rule in ALL_OPEN)
    browser.find_element(By.CSS_SELECTOR, ".finding summary").click()
    assert browser.find_element(By.CSS_SELECTOR, ".finding pre").is_displayed()


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_hostile_values_are_shown_as_text(opened: Opener, value: str) -> None:
    report = samples.hostile(value)
    browser = opened(report)
    assert browser.find_element(By.CLASS_NAME, "message").get_property("textContent") == report.findings[0].message
    count = "return document.querySelectorAll('script, img, iframe, a').length"
    assert browser.execute_script(count) == 2, "the page's script and its skip link"
    Select(browser.find_element(By.ID, "tenant")).select_by_index(1)
    assert browser.find_element(By.ID, "tenant").get_property("value") == f"={report.tenants[0]}"
    wait_for(browser, "return document.getElementById('count').textContent", "6 of 6 findings shown")


def test_the_policy_stops_what_is_smuggled_in(browser: Chrome, opened: Opener) -> None:
    opened(samples.report())
    browser.execute_script(
        """
        const script = document.createElement("script");
        script.textContent = "window.smuggled = true";
        document.body.append(script);
        const picture = document.createElement("img");
        picture.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
        document.body.append(picture);
        """
    )
    assert browser.execute_script("return window.smuggled") is None
    refused = [entry["message"] for entry in browser.get_log("browser")]
    assert len(refused) == 2
    assert all("Content Security Policy" in message for message in refused)


CHANGES = """
  window.changes = 0;
  new MutationObserver(records => { window.changes += records.length; })
    .observe(document.body, {attributes: true, childList: true, subtree: true});
"""


def test_ten_thousand_findings_are_filtered_by_hiding_them_once(opened: Opener) -> None:
    report = samples.generated(10_000, tenants=500, hosts=100)
    browser = opened(report)
    assert browser.find_element(By.ID, "count").text == "10,000 of 10,000 findings shown"
    browser.execute_script(CHANGES)
    browser.find_element(By.ID, "q").send_keys("setting1234")
    wait_for(browser, "return document.getElementById('count').textContent", "1 of 10,000 findings shown")
    # An attribute for each finding, and for each group, its fold and its tenant at most twice.
    assert browser.execute_script("return window.changes") < 10_000 + 5 * len(report.groups)
    elements = browser.execute_script("return document.querySelectorAll('*').length")
    assert elements < 30 * len(report.findings)
