"""Where addresses lead."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import FORMAT, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.whereabouts import is_loopback, is_public, whereabouts


def observed(name: str, *addresses: str) -> Observation:
    return Observation(FORMAT, f"{name}.internal", name, 0.0, True, addresses)


LIVE = Live(
    {
        "one": observed("one", "192.0.2.1", "172.17.0.1", "2001:db8::1"),
        "two": observed("two", "192.0.2.2", "172.17.0.1", "10.0.0.2"),
    },
    missing={"three": "unreachable"},
)
PLAN = Fleet(addresses={"three": "192.0.2.3", "two": "cube2.example"})


@pytest.mark.parametrize(
    ("observer", "address", "host"),
    [
        pytest.param("one", "127.0.0.1", "one", id="loopback"),
        pytest.param("two", "localhost", "two", id="a name of loopback"),
        pytest.param("one", "::1", "one", id="loopback of IPv6"),
        pytest.param("one", "0.0.0.0", "one", id="everywhere"),
        pytest.param("one", "192.0.2.1", "one", id="its own"),
        pytest.param("one", "192.0.2.2", "two", id="another's"),
        pytest.param("two", "[2001:db8::1]", "one", id="in brackets"),
        pytest.param("one", "172.17.0.1", "one", id="an address that all have: its own"),
        pytest.param("three", "172.17.0.1", "", id="an address that several have: nobody's"),
        pytest.param("one", "192.0.2.3", "three", id="planned, and not seen"),
        pytest.param("one", "CUBE2.example", "two", id="planned by name"),
        pytest.param("one", "two.internal", "two", id="the host's own name"),
        pytest.param("one", "three", "three", id="the inventory's name"),
        pytest.param("one", "198.51.100.1", "", id="a stranger"),
    ],
)
def test_hosts(observer: str, address: str, host: str) -> None:
    assert whereabouts(PLAN, LIVE).host_at(observer, address) == host


@pytest.mark.parametrize(
    ("address", "loopback", "public"),
    [
        ("127.8.9.1", True, False), ("", True, False), ("fe80::1%eth0", False, False), ("10.0.0.1", False, False),
        ("8.8.8.8", False, True), ("[2606:4700::1]", False, True), ("name.example", False, False),
    ],
)  # fmt: skip
def test_kinds_of_addresses(address: str, loopback: bool, public: bool) -> None:
    assert (is_loopback(address), is_public(address)) == (loopback, public)
