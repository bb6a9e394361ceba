"""Who tried to reach what."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import FORMAT, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Reach
from ansible_collections.cubeops.cubejs.plugins.module_utils.tries import Tried, tries_of


def observed(name: str, address: str, *reach: Reach) -> Observation:
    return Observation(FORMAT, name, name, 0.0, True, (address,), reach=reach)


LIVE = Live(
    {
        "one": observed("one", "192.0.2.1", Reach("192.0.2.1", 4000, "open"), Reach("127.0.0.1", 4000, "open")),
        "two": observed(
            "two",
            "192.0.2.2",
            Reach("192.0.2.1", 4000, "open"),
            Reach("one", 6379, "filtered"),
            Reach("198.51.100.9", 3306, "open"),
            Reach("192.0.2.1", 9, "unknown", "no route"),
        ),
        "three": observed("three", "192.0.2.3", Reach("192.0.2.1", 4000, "refused")),
    }
)


@pytest.mark.parametrize(
    ("host", "port", "tried"),
    [
        pytest.param("one", 4000, Tried(("two",), ("three",)), id="not by itself"),
        pytest.param("one", 6379, Tried((), ("two",)), id="by its name"),
        pytest.param("198.51.100.9", 3306, Tried(("two",), ()), id="of no host of the fleet"),
        pytest.param("one", 9, Tried(), id="without a result"),
        pytest.param("two", 22, Tried(), id="nobody"),
    ],
)
def test_tries(host: str, port: int, tried: Tried) -> None:
    assert tries_of(Fleet(), LIVE).at(host, port) == tried


def test_those_who_are_meant_to() -> None:
    assert tries_of(Fleet(), LIVE).at("one", 4000).without({"two"}) == Tried((), ("three",))
