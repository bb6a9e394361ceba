"""Files of variables, as systemd and dotenv read them."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import environment
from ansible_collections.cubeops.cubejs.plugins.module_utils.env_grammars import dotenv_file, systemd_file


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("A=1\nB=2", {"A": "1", "B": "2"}, id="plain, without an end of line"),
        pytest.param("# A=1\n; B=2\n\nC=3\n", {"C": "3"}, id="comments"),
        pytest.param("# a\\\nA=1\n", {}, id="a comment goes on after a backslash"),
        pytest.param('A="x y" \nB=\'z "q"\'\n', {"A": "x y", "B": 'z "q"'}, id="quotes"),
        pytest.param('A="a\\"b\\$c\\d"\n', {"A": 'a"b$c\\d'}, id="escapes between double quotes"),
        pytest.param("A=a\\ b\\\n c\n", {"A": "a b c"}, id="escapes and a continued line"),
        pytest.param('A="x\ny"\n', {"A": "x\ny"}, id="a line break within quotes"),
        pytest.param("A=x # y \n", {"A": "x # y"}, id="no comment behind a value"),
        pytest.param("A= x \n", {"A": "x"}, id="blanks around a value"),
        pytest.param('A="x"y\n', {"A": "xy"}, id="a word with quotes in it"),
        pytest.param("A=\nB\n=c\n", {"A": ""}, id="empty, and no assignment"),
        pytest.param("export A=1\nB C=1\n1=2\n", {}, id="names that are none"),
        pytest.param("A=1\nA=2\n", {"A": "2"}, id="the last counts"),
        pytest.param("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}, id="lines of Windows"),
        pytest.param('A="unfinished\nB=1', {"A": "unfinished\nB=1"}, id="a quote without an end"),
    ],
)
def test_systemd(text: str, found: dict[str, str]) -> None:
    assert systemd_file(text) == found


def test_what_this_collection_writes_is_read_back() -> None:
    values = {"A": 'x "y" $z `w` \\ # ;', "B": "", "C": "'"}
    assert systemd_file(environment.to_file(values)) == values


@pytest.mark.parametrize(
    ("text", "version", "found"),
    [
        pytest.param("A=1\nB: 2\n C = 3 \n", "0.29.57", {"A": "1", "C": "3"}, id="plain"),
        pytest.param("A=x # y\n#B=1\n", "0.29.57", {"A": "x # y"}, id="no comment behind a value"),
        pytest.param("A=\"x\\ny\"\nB='x\\ny'\n", "0.29.57", {"A": "x\ny", "B": "x\\ny"}, id="quotes and line breaks"),
        pytest.param('A="x" \nB=1\nC="\n', "0.20.10", {"A": '"x"', "B": "1", "C": '"'}, id="a blank behind a quote"),
        pytest.param('A="x\ny"\nB=1\n', "0.27.53", {"A": "x\ny", "B": "1"}, id="several lines"),
        pytest.param('A="x\ny"\nB=1\n', "0.25.15", {"A": '"x', "B": "1"}, id="several lines, old"),
        pytest.param('A="x\nB=1\n', None, {"A": "x\nB=1\n"}, id="a quote without an end takes the rest"),
        pytest.param("export A=1\nA.B-C=2\n", "0.29.57", {"A.B-C": "2"}, id="names"),
        pytest.param("A=\r\nA=2\r\n", "0.29.57", {"A": "2"}, id="the last counts"),
    ],
)
def test_dotenv(text: str, version: str | None, found: dict[str, str]) -> None:
    assert dotenv_file(text, version) == found
