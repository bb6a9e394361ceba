"""Contrast as the browser computed it, of every text and every control, against WCAG 2.1 AA."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples
from selenium.webdriver import Chrome

Opener = Callable[..., Chrome]

# The ratio's definition: WCAG 2.1, "relative luminance" and "contrast ratio". Backgrounds that let others through are
# laid over them.
MEASURE = """
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  function rgba(color) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const data = canvas.getImageData(0, 0, 1, 1).data;
    return [data[0], data[1], data[2], data[3] / 255];
  }
  function over(top, below) {
    return [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  }
  function background(element) {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const color = rgba(getComputedStyle(e).backgroundColor);
      layers.push(color);
      if (color[3] === 1) { break; }
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  }
  function luminance(color) {
    const [r, g, b] = color.slice(0, 3).map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function ratio(one, two) {
    const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }
  const measured = [];
  function measure(element, what, color, behind, least) {
    const value = ratio(over(rgba(color), behind), behind);
    const name = `${element.tagName}.${element.className} "${element.textContent.slice(0, 30)}"`;
    measured.push([`${what} of ${name}`, value, least]);
  }
  document.querySelectorAll("details").forEach(element => { element.open = true; });
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || /SCRIPT|STYLE|OPTION/.test(element.tagName)) { continue; }
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    measure(element, "text", style.color, background(element), large ? 3 : 4.5);
  }
  document.querySelectorAll("input, select, button").forEach(element => {
    const style = getComputedStyle(element), behind = background(element.parentElement);
    measure(element, "border", style.borderTopColor, behind, 3);
    measure(element, "text", style.color, background(element), 4.5);
    element.focus();
    measure(element, "focus", getComputedStyle(element).outlineColor, behind, 3);
  });
  const search = document.getElementById("q");
  measure(search, "placeholder", getComputedStyle(search, "::placeholder").color, background(search), 4.5);
  document.querySelectorAll(".finding").forEach(element => {
    measure(element, "stripe", getComputedStyle(element).borderLeftColor, background(element), 3);
  });
  const icon = document.querySelector(".verdict svg");
  measure(icon.parentElement, "icon", getComputedStyle(icon).color, background(icon.parentElement), 3);
  return measured;
"""
REPORTS = {
    "findings": samples.compared(),
    "could not look": samples.report(findings=(samples.MODE, samples.FRESHNESS)),
    "ok": samples.report(findings=(samples.MODE,), missing_hosts=()),
    "every severity and status": samples.generated(400),
    "many missing": samples.report(missing_hosts=tuple(f"host{number}" for number in range(40))),
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("report_name", list(REPORTS))
def test_contrast(opened: Opener, report_name: str, dark: bool) -> None:
    browser = opened(REPORTS[report_name], dark=dark)
    measured = browser.execute_script(MEASURE)
    assert len(measured) > 60
    assert [f"{what}: {ratio:.2f}, not {least}" for what, ratio, least in measured if ratio < least] == []


def test_dark_is_dark(opened: Opener) -> None:
    color = "return getComputedStyle(document.body).backgroundColor"
    light, dark = (opened(samples.report(), dark=wanted).execute_script(color) for wanted in (False, True))
    assert light == "rgb(244, 245, 248)"
    assert dark == "rgb(14, 17, 22)"
