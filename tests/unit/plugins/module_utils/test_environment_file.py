"""Environment files: what systemd reads back is what went in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.environment_file import (
    EnvironmentFileError,
    parse,
    render,
)
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.text(st.characters(blacklist_categories=("Cs", "Cc")))
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
HOSTILE = {
    "QUOTES": "a \"b\" 'c'",
    "BACKSLASHES": r"\a\\b\"c\$",
    "DOLLARS": "$HOME ${HOME} `id` $(id)",
    "COMMENT": "# none ; either",
    "BLANKS": "  both ends  ",
    "EMPTY": "",
    "UNICODE": "gr\u00fc\u00df \U0001f680",
    "PERCENT": "%i %% %n",
}


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_what_was_written_is_read_back(environment: dict[str, str]) -> None:
    assert parse(render(environment)) == environment


def test_order_of_variables_does_not_matter() -> None:
    assert render({"B": "2", "A": "1"}) == 'A="1"\nB="2"\n' == render({"A": "1", "B": "2"})


def test_a_shell_reads_the_same(tmp_path: Path) -> None:
    """The rules for double quotes are the shell's, which stands in for systemd here; hosts are tested with systemd."""
    shell = shutil.which("sh")
    assert shell is not None
    file = tmp_path / "env"
    file.write_text(render(HOSTILE))
    for name, value in HOSTILE.items():
        script = f'. "$0"; printf %s "${name}"'
        assert subprocess.run([shell, "-c", script, str(file)], capture_output=True, check=True).stdout.decode() == value


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        pytest.param({"A-B": "x"}, "'A-B' is no name", id="hyphen in a name"),
        pytest.param({"1A": "x"}, "'1A' is no name", id="digit first"),
        pytest.param({"A": "hidden\nB=1"}, "A holds a line break", id="line break"),
        pytest.param({"A": "hidden\0"}, "A holds a line break", id="nul"),
    ],
)
def test_what_cannot_be_carried_is_refused_without_its_value(environment: dict[str, str], message: str) -> None:
    with pytest.raises(EnvironmentFileError, match=message) as error:
        render(environment)
    assert "hidden" not in str(error.value)


def test_comments_are_skipped_and_nonsense_is_refused() -> None:
    assert parse('# managed\n\nA="1"\n') == {"A": "1"}
    with pytest.raises(EnvironmentFileError, match="line 2"):
        parse('A="1"\nB=secret\n')
