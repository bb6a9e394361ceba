"""The record of tenants that are gone."""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.module_utils.retired import line, numbers
from hypothesis import given
from hypothesis import strategies as st

RECORDS = st.lists(st.tuples(st.integers(1, 999), st.from_regex(r"[a-z][a-z0-9]{0,19}", fullmatch=True)))


@given(RECORDS)
def test_what_is_written_is_read(records: list[tuple[int, str]]) -> None:
    text = "".join(f"{line(number, name, '2026-11-28')}\n" for number, name in records)
    assert numbers(text) == (tuple(number for number, _name in records), ())


def test_comments_and_empty_lines_are_nothing() -> None:
    assert numbers("# gone\n\n  4 acme 2026-11-28\n7 globex\n") == ((4, 7), ())


def test_a_line_that_cannot_be_read_is_told_and_the_others_count() -> None:
    found, [problem] = numbers("acme 4\n7 globex\n")
    assert found == (7,)
    assert problem.message == "line 1: 'acme 4' is no number and name"
