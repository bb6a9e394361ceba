"""Text made fit to be shown."""

from __future__ import annotations

import unicodedata

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.text import LONGEST_NAME, printable
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("plain <b> & \"quoted\" '漢字' 😀", "plain <b> & \"quoted\" '漢字' 😀", id="what is seen stays"),
        pytest.param("a\nb\r\tc", "a\\nb\\r\\tc", id="ends of lines"),
        pytest.param("\x1b[31m\x00\x9b", "\\x1b[31m\\x00\\x9b", id="controls"),
        pytest.param("\ud800a\udfff", "\\ud800a\\udfff", id="halves of pairs"),
        pytest.param("\u202egnp.exe\u200b", "\\u202egnp.exe\\u200b", id="turned and hidden"),
        pytest.param("\u2028\u0085", "\\u2028\\x85", id="other ends of lines"),
        pytest.param("\ufffe\uffff\ufffd", "\\ufffe\\uffff\ufffd", id="no characters"),
        pytest.param("a\U000e0041", "a\\U000e0041", id="tags"),
    ],
)
def test_printable(text: str, expected: str) -> None:
    assert printable(text, 100) == expected


def test_what_is_cut_says_so_and_stays_distinct() -> None:
    one, two = printable("x" * 1000 + "1", 100), printable("x" * 1000 + "2", 100)
    assert len(one) == len(two) == 100
    assert one.endswith("]")
    assert "… [cut: 1001 characters, sha256 " in one
    assert one != two


@pytest.mark.parametrize(("length", "cut"), [(99, False), (100, False), (101, True)])
def test_the_limit_itself_fits(length: int, cut: bool) -> None:
    assert ("[cut: " in printable("x" * length, 100)) is cut


def test_what_grows_by_escaping_is_cut_too() -> None:
    assert len(printable("\x00" * 90, 100)) == 100


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_hostile_text_is_one_line_that_every_encoding_has(value: str) -> None:
    shown = printable(value, LONGEST_NAME)
    assert len(shown) <= LONGEST_NAME
    assert len(f"{shown}.".splitlines()) == 1
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert printable(shown, LONGEST_NAME) == shown
    shown.encode()
