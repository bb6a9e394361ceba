"""Which machine an address means."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import FORMAT, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import Whereabouts, is_loopback


def host(name: str, *addresses: str) -> Observation:
    """Return an observed host."""
    return Observation(FORMAT, name, name, 0.0, privileged=True, addresses=addresses)


BRIDGE = "172.17.0.1"
WHERE = Whereabouts(
    {
        "one": host("cube1.example", "192.0.2.1", BRIDGE),
        "two": host("cube2.example", "192.0.2.2", "2001:db8::2", BRIDGE),
    },
    {"two": "cube-two.example"},
)


@pytest.mark.parametrize(
    ("address", "machine"),
    [
        pytest.param("127.0.0.1", "one", id="loopback"),
        pytest.param("127.0.1.1", "one", id="another loopback"),
        pytest.param("[::1]", "one", id="IPv6 loopback"),
        pytest.param("localhost", "one", id="localhost"),
        pytest.param("", "one", id="the default"),
        pytest.param("192.0.2.1", "one", id="an address of its own"),
        pytest.param("192.0.2.2", "two", id="another's address"),
        pytest.param("[2001:DB8::2]", "two", id="another's IPv6 address"),
        pytest.param("CUBE2.example", "two", id="another's name"),
        pytest.param("two", "two", id="another's name in the inventory"),
        pytest.param("cube-two.example", "two", id="where the inventory reaches it"),
        pytest.param(BRIDGE, "one", id="an address that all have"),
        pytest.param("DB.example", "db.example", id="a stranger"),
    ],
)
def test_seen_from_one(address: str, machine: str) -> None:
    assert WHERE.of(address, "one") == machine


def test_an_address_of_several_tells_a_third_nothing() -> None:
    assert WHERE.of(BRIDGE, "three") == BRIDGE


@pytest.mark.parametrize("text", ["0.0.0.0", "db", "[::2]"])
def test_what_is_no_loopback(text: str) -> None:
    assert not is_loopback(text)
