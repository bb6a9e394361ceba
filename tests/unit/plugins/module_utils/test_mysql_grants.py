"""What lines of SHOW GRANTS let an account do."""

from __future__ import annotations

import time

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import mysql_grants

WHO = "`cube_acme`@`10.0.0.1`"
USAGE = f"GRANT USAGE ON *.* TO {WHO} IDENTIFIED BY PASSWORD '...'"
NEEDED = ("SELECT", "INSERT", "CREATE")


@pytest.mark.parametrize(
    ("place", "schema", "covered"),
    [
        pytest.param("*.*", "cube_acme", True, id="everything"),
        pytest.param(r"`cube\_acme`.*", "cube_acme", True, id="itself"),
        pytest.param(r"`cube\_acme`.*", "cubeXacme", False, id="an escaped underscore is itself"),
        pytest.param("`cube_acme`.*", "cubeXacme", True, id="another by a wildcard"),
        pytest.param("`cube%`.*", "cube_acme", True, id="any ending"),
        pytest.param("`%acme%`.*", "cube_acme", True, id="in the middle"),
        pytest.param("`%acm`.*", "cube_acme", False, id="not to the end"),
        pytest.param("`cube`.*", "cube_acme", False, id="shorter"),
        pytest.param("`cube_acme`.`orders`", "cube_acme", False, id="a table"),
        pytest.param("`a``b`.*", "a`b", True, id="a quote"),
    ],
)
def test_places(place: str, schema: str, covered: bool) -> None:
    assert mysql_grants.covers(place, schema) is covered


def test_a_hostile_pattern_costs_little() -> None:
    began = time.process_time()
    assert not mysql_grants.covers(f"`{'%a' * 2000}b`.*", "a" * 64)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("lines", "lacks", "beyond", "strange"),
    [
        pytest.param([USAGE], NEEDED, (), (), id="none"),
        pytest.param([USAGE, rf"GRANT SELECT, INSERT, CREATE ON `cube\_acme`.* TO {WHO}"], (), (), (), id="exactly"),
        pytest.param([rf"GRANT ALL PRIVILEGES ON `cube\_acme`.* TO {WHO}"], (), (), (), id="all on it"),
        pytest.param(
            [f"GRANT SELECT ON `cube_acme`.* TO {WHO}"],
            ("INSERT", "CREATE"),
            ("SELECT on `cube_acme`.*",),
            (),
            id="a wildcard",
        ),
        pytest.param(
            [f"GRANT SELECT, INSERT, CREATE ON *.* TO {WHO} WITH GRANT OPTION"],
            (),
            ("CREATE, GRANT OPTION, INSERT, SELECT on *.*",),
            (),
            id="everywhere",
        ),
        pytest.param(["GRANT `writer`@`%` TO `cube`@`%`"], NEEDED, (), (), id="a role"),
        pytest.param(["nonsense"], NEEDED, (), ("nonsense",), id="a line of another kind"),
    ],
)
def test_grants(lines: list[str], lacks: tuple[str, ...], beyond: tuple[str, ...], strange: tuple[str, ...]) -> None:
    grants = mysql_grants.parse(lines)
    assert grants.lacks("cube_acme", NEEDED) == lacks
    assert grants.beyond(["cube_acme"]) == beyond
    assert grants.not_understood == strange
