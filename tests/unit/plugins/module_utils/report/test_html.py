"""The HTML page as a parser reads it; what a browser does with it is tested in tests/browser."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import html
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.html_assets import SCRIPT, STYLE
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples

VOID = {"meta", "input"}


class Page(HTMLParser):
    """A page's elements, attributes and texts; every element that opens must close."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(html.render(report))
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element and what it has."""
        self.elements.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        """Remember a text below its element."""
        if self._open:
            self.texts.setdefault(".".join(filter(None, self._open[-1])), []).append(data)


def test_every_finding_is_there_with_what_it_says() -> None:
    page = Page(samples.compared())
    assert page.elements.count("li") == len(samples.FINDINGS) + 1  # and the missing host
    assert samples.POOL.message in page.texts["p.message"]
    assert samples.MODE.message in page.texts["p.message"]
    assert f" {samples.POOL.remedy}" in page.texts["p.remedy"]
    assert set(samples.POOL.evidence) <= set(page.texts["code"])
    assert page.texts["h2"] == ["acme", "globex", "Fleet and hosts"]
    assert page.texts["h3"] == ["All hosts", "cube1", "proxy1", "redis1", "cube2", "cube2"]
    assert any("replaced in June" in text for text in page.texts["p.remedy"])
    assert page.texts["span.badge new"] == ["New"] * 4


def test_what_passes_is_folded_and_what_fails_is_not() -> None:
    text = html.render(samples.report())
    folded = "".join(re.findall(r'<details class="rest">.*?</ul></details>', text, re.DOTALL))
    assert samples.MODE.message in folded
    assert samples.POOL.message not in folded


def test_the_filters_offer_what_there_is() -> None:
    page = Page(samples.report())
    options = [value for tag, name, value in page.attributes if (tag, name) == ("option", "value")]
    assert options[:8] == ["", "=", "=acme", "=globex", "", "=", "=cube1", "=cube2"]
    assert ("form", "hidden", "") in page.attributes, "the script shows it"


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        pytest.param({}, "Findings to act on", id="findings"),
        pytest.param({"findings": ()}, "Not everything could be seen", id="a missing host"),
        pytest.param({"findings": (samples.MODE,), "missing_hosts": ()}, "Passed", id="all is well"),
        pytest.param({"fail_on": "never"}, "For information", id="never"),
    ],
)
def test_the_verdict_is_in_the_title(changes: dict[str, object], title: str) -> None:
    page = Page(samples.report(**changes))
    assert page.texts["title"] == [f"{title} - Cube.js production checklist"]


def test_a_report_without_findings_says_so() -> None:
    page = Page(samples.report(findings=()))
    assert page.texts["p.empty"] == ["There are no findings."]
    assert ("p", "hidden", "") not in page.attributes
    assert ("p", "hidden", "") in Page(samples.report()).attributes


def test_many_missing_hosts_are_folded() -> None:
    page = Page(samples.report(missing_hosts=tuple(f"host{number}" for number in range(13))))
    assert ("details", "class", "notice") in page.attributes


def test_the_policy_lets_only_this_style_and_this_script_run() -> None:
    page = Page(samples.report())
    policy = next(value for tag, name, value in page.attributes if name == "content" and "default-src" in value)
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives == {
        "default-src": "'none'",
        "style-src": f"'{digest(''.join(page.texts['style']))}'",
        "script-src": f"'{digest(''.join(page.texts['script']))}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def digest(text: str) -> str:
    """Return the digest that a policy names."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_nothing_is_fetched() -> None:
    page = Page(samples.compared())
    assert not {"link", "img", "iframe", "object", "embed", "base", "video", "audio"} & set(page.elements)
    assert not [pair for pair in page.attributes if pair[1] in ("src", "style", "srcset", "action", "ping")]
    assert [value for _tag, name, value in page.attributes if name == "href"] == ["#findings"]
    for asset in (STYLE, SCRIPT):
        assert not re.search(r"url\(|@import|https?:|fetch|XMLHttpRequest|innerHTML|eval|localStorage|cookie", asset)


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_hostile_values_are_text(value: str) -> None:
    report = samples.hostile(value)
    page, harmless = Page(report), Page(samples.hostile("harmless"))
    assert page.elements == harmless.elements
    assert [(tag, name) for tag, name, _value in page.attributes] == [pair[:2] for pair in harmless.attributes]
    assert report.findings[0].message in page.texts["p.message"]
    html.render(report).encode()
