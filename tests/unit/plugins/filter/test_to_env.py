"""The filter that writes environment files."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.filter.to_env import FilterModule, to_env


def test_a_file_is_sorted_and_quoted() -> None:
    assert to_env({"B": 1, "A": "x y"}) == 'A="x y"\nB="1"\n'


def test_a_line_break_is_refused_by_name_and_without_its_value() -> None:
    with pytest.raises(AnsibleFilterError, match=r"to_env: A: a line break") as refused:
        to_env({"A": "MARKED\nMARKED"})
    assert "MARKED" not in str(refused.value)


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"to_env": to_env}
