"""Groups, addresses and stable choices."""

from __future__ import annotations

from random import Random

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import Inventory, choose, is_address
from hypothesis import given, settings
from hypothesis import strategies as st

FOUND = Inventory(
    {"cubejs_redis": ["one"], "cubejs_api": ["two", "one"], "west": ["three", "two"]},
    {
        "one": {"cubejs_address": "10.0.0.1", "ansible_host": "192.0.2.1", "redis_port": None},
        "two": {"ansible_host": "192.0.2.2"},
    },
)
NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=4), unique=True, max_size=8)


def test_hosts_are_those_of_the_collections_groups() -> None:
    assert FOUND.hosts() == ("one", "two")
    assert FOUND.members("cubejs_mysql") == ()


def test_what_lives_on_a_host_follows_from_its_groups() -> None:
    assert FOUND.products("one") == {"redis", "cubejs"}
    assert FOUND.products("three") == frozenset()


def test_every_group_places_something() -> None:
    assert {group for groups in inventory.PLACES.values() for group in groups} == set(inventory.GROUPS)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        pytest.param("one", "10.0.0.1", id="the private address"),
        pytest.param("two", "192.0.2.2", id="ansible_host"),
        pytest.param("three", "three", id="the name"),
    ],
)
def test_address(host: str, address: str) -> None:
    assert FOUND.address(host) == address


def test_null_is_not_set() -> None:
    assert FOUND.variable("one", "redis_port", 7) == 7
    assert FOUND.variable("nobody", "redis_port") is None


def test_a_host_reaches_itself_by_loopback() -> None:
    assert FOUND.address_from("one", "one") == "127.0.0.1"
    assert FOUND.address_from("two", "one") == "10.0.0.1"


@pytest.mark.parametrize(
    ("clients", "binds"),
    [
        pytest.param(["one"], ("127.0.0.1",), id="one host: loopback only"),
        pytest.param([], ("127.0.0.1",), id="no client"),
        pytest.param(["one", "two"], ("127.0.0.1", "10.0.0.1"), id="another host"),
    ],
)
def test_binds(clients: list[str], binds: tuple[str, ...]) -> None:
    assert FOUND.binds("one", clients) == binds


def test_names_and_their_hosts() -> None:
    assert FOUND.names() == {"cubejs_redis", "cubejs_api", "west", "one", "two", "three"}
    assert FOUND.expand(["west", "two", "stranger"]) == ("three", "two", "stranger")


def test_the_role_alone_has_everything_on_its_host() -> None:
    alone = Inventory.of_one_role("one", {"all": ["one", "two"]}, {"one": {}}, frozenset({"acme"}))
    assert alone.hosts() == ("one",)
    assert alone.members(inventory.API) == alone.members(inventory.REFRESH_WORKER) == ("one",)
    assert alone.alone
    assert "two" in alone.names()


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        pytest.param("192.0.2.1", True, id="IPv4"),
        pytest.param("2001:db8::1", True, id="IPv6"),
        pytest.param("host.example", False, id="name"),
        pytest.param("192.0.2.1:80", False, id="with a port"),
    ],
)
def test_is_address(text: str, is_one: bool) -> None:
    assert is_address(text) is is_one


@settings(max_examples=40)
@given(NAMES, st.text(max_size=5), st.randoms())
def test_the_choice_ignores_order(candidates: list[str], key: str, random: Random) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert choose(shuffled, key) == choose(candidates, key)
    assert choose(candidates, key) in candidates or not candidates


@given(NAMES, st.text(max_size=5), st.text("xyz", min_size=1))
def test_another_candidate_moves_a_key_to_itself_or_not_at_all(candidates: list[str], key: str, more: str) -> None:
    before, after = choose(candidates, key), choose([*candidates, more], key)
    assert after in (before, more)
