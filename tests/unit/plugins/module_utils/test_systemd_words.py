"""Words as systemd writes them."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd_words import assignments


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        pytest.param('A=1 "B=two words" C=', {"A": "1", "B": "two words", "C": ""}, id="words"),
        pytest.param('"A=say \\"x\\" \\$y \\\\"', {"A": 'say "x" $y \\'}, id="escapes"),
        pytest.param("$'A=a\\nb\\tc\\'d\\x41\\101'", {"A": "a\nb\tc'dAA"}, id="control characters"),
        pytest.param("A='x y' B=\"p\"'q'r", {"A": "x y", "B": "pqr"}, id="pieces of words"),
        pytest.param('A=1 "B=without an end', {"A": "1", "B": "without"}, id="a quote without an end"),
        pytest.param("A=a\\ b", {"A": "a b"}, id="a blank"),
    ],
)
def test_assignments(text: str, variables: dict[str, str]) -> None:
    assert assignments(text) == variables
