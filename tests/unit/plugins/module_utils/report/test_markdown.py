"""The report as Markdown, read by a real parser."""

from __future__ import annotations

import re

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import markdown
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples
from markdown_it import MarkdownIt

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def html_of(report: Report) -> str:
    """Return what a reader is shown."""
    return str(PARSER.render(markdown.render(report)))


def tags(report: Report) -> list[str]:
    """Return the tags that a reader's browser gets, in their order."""
    return re.findall(r"</?[a-z0-9]+", html_of(report))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a | b", "a \\| b", id="a cell"),
        pytest.param("*a* _b_ `c` [d](e) ![f](g)", "\\*a\\* \\_b\\_ \\`c\\` \\[d\\](e) !\\[f\\](g)", id="marks"),
        pytest.param("<b>&amp;", "&lt;b&gt;&amp;amp;", id="html"),
        pytest.param("@user", "&#64;user", id="a mention"),
        pytest.param("https://x www.x", "https&#58;//x www&#46;x", id="addresses"),
        pytest.param("\\|", "\\\\\\|", id="a backslash"),
        pytest.param("redis-pool-size 0.29.57 (a)", "redis-pool-size 0.29.57 (a)", id="plain words stay readable"),
    ],
)
def test_safe(text: str, expected: str) -> None:
    assert markdown.safe(text) == expected


def test_problems_are_tables_with_their_remedies() -> None:
    shown = html_of(samples.compared())
    assert "<h1>Cube.js production checklist</h1>" in shown
    assert "<h2>acme on cube1</h2>\n<p>1 fail, 1 pass</p>" in shown
    assert f"<td>{samples.POOL.remedy}</td>" in shown
    assert "Against the baseline: 4 new, 1 unchanged, 1 fixed, 1 not looked at again." in shown
    assert "<strong>Not looked at:</strong> cube3" in shown
    assert "<td>fail (new)</td>" in shown
    assert "Waived: replaced in June" in shown


def test_what_passes_is_counted_only() -> None:
    assert samples.MODE.message not in markdown.render(samples.report())


def test_totals_are_right() -> None:
    assert "| error | 1 | 1 | 1 | 1 | 1 |\n" in markdown.render(samples.report())


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_hostile_values_make_no_markup(value: str) -> None:
    report = samples.hostile(value)
    assert tags(report) == tags(samples.hostile("harmless"))
    source = markdown.render(report)
    assert not re.search(r"(?<!&#64;)@|://|www\.", source.replace("cubeops.cubejs", "")), "what readers turn into links"
    source.encode()
