"""What a Sentinel is told, over one in memory."""

# ruff: noqa: D102, ARG002 (the fake has the methods of the protocol Sentinel, which are documented there)
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_sentinel import (
    LOGIN,
    Known,
    Result,
    SentinelError,
    Watched,
    converge,
    problems,
)

ACME = Watched("acme", ("10.0.0.5", "10.0.0.6"), 20001, "plantedAcme8fQ2xR7m", 2, 5000, 30000)
GLOBEX = replace(ACME, name="globex", port=20002, password="plantedGlobex5hVb9K")


@dataclass
class Fake:
    """A Sentinel, which keeps what it is told."""

    watches: dict[str, Known] = field(default_factory=dict)
    primaries: dict[str, str] = field(default_factory=dict)
    unreached: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

    def known(self) -> dict[str, Known]:
        return dict(self.watches)

    def present_primary(self, name: str) -> str | None:
        return self.primaries.get(name)

    def tell(self, commands: Sequence[Sequence[str]]) -> None:
        for words in commands:
            verb, name, *rest = words
            if verb == "MONITOR" and name in self.watches:
                raise SentinelError("Duplicated master name")
            self.told.append(" ".join([verb, name, *([] if LOGIN in rest else rest)]))
            if verb == "REMOVE":
                del self.watches[name]
            elif verb == "MONITOR":
                flags = "s_down,master" if rest[0] in self.unreached else "master"
                self.watches[name] = Known(rest[0], int(rest[1]), {"quorum": rest[2]}, flags)
            else:
                known = self.watches[name]
                self.watches[name] = replace(known, settings={**known.settings, rest[0]: rest[1]})

    def moments(self, seconds: float) -> Iterator[None]:
        yield from [None] * 3


def run(sentinel: Fake, *wanted: Watched, **options: Any) -> Result:
    return converge(wanted, sentinel, **options)


@pytest.fixture
def sentinel() -> Fake:
    made = Fake()
    run(made, ACME, GLOBEX)
    made.told.clear()
    return made


def test_an_empty_one_is_told_everything_once() -> None:
    made = Fake()
    result = run(made, ACME)
    assert made.told == [
        "MONITOR acme 10.0.0.5 20001 2",
        "SET acme down-after-milliseconds 5000",
        "SET acme failover-timeout 30000",
        "SET acme",
    ]
    assert made.watches["acme"].settings == ACME.settings()
    assert result.changes["acme"]["monitor"] == ("", "10.0.0.5 20001")
    assert not run(made, ACME).changes


def test_a_failover_is_not_undone(sentinel: Fake) -> None:
    sentinel.watches["acme"] = replace(sentinel.watches["acme"], host="10.0.0.6")
    assert run(sentinel, ACME, GLOBEX) == Result()
    assert sentinel.told == []


def test_one_that_begins_after_a_failover_learns_the_primary_of_the_others() -> None:
    made = Fake(primaries={"acme": "10.0.0.6"})
    run(made, ACME)
    assert made.told[0] == "MONITOR acme 10.0.0.6 20001 2"


def test_what_others_say_of_hosts_that_are_not_listed_is_not_taken() -> None:
    made = Fake(primaries={"acme": "192.0.2.9"})
    run(made, ACME)
    assert made.told[0] == "MONITOR acme 10.0.0.5 20001 2"


def test_only_the_tenant_that_differs_is_told(sentinel: Fake) -> None:
    result = run(sentinel, replace(ACME, quorum=3), GLOBEX)
    assert sentinel.told == ["SET acme quorum 3"]
    assert result.changes == {"acme": {"quorum": ("2", "3")}}


def test_another_port_or_hosts_are_watched_anew(sentinel: Fake) -> None:
    run(sentinel, replace(ACME, hosts=("10.0.0.8", "10.0.0.9")), GLOBEX)
    assert sentinel.told[:2] == ["REMOVE acme", "MONITOR acme 10.0.0.8 20001 2"]
    assert sentinel.watches["acme"].settings == ACME.settings()


def test_passwords_are_masked(sentinel: Fake) -> None:
    result = run(sentinel, replace(ACME, password="plantedOther7Kq2ZsX"), GLOBEX)
    assert set(result.changes["acme"]) == {LOGIN}
    assert "planted" not in str(result)


def test_what_is_not_listed_is_reported_and_left(sentinel: Fake) -> None:
    assert run(sentinel, ACME).unlisted == ["globex"]
    assert sentinel.told == []


def test_what_is_removed_by_name_goes_alone(sentinel: Fake) -> None:
    result = run(sentinel, ACME, removed=["globex", "never"])
    assert sentinel.told == ["REMOVE globex"]
    assert (result.changes, result.unlisted) == ({"globex": {"monitor": ("10.0.0.5 20002", "")}}, [])


def test_check_mode_says_the_same_and_does_nothing() -> None:
    made, real = Fake(), Fake()
    assert run(made, ACME, apply=False).changes == run(real, ACME).changes
    assert made.told == []


def test_a_primary_that_is_not_reached_is_a_warning() -> None:
    made = Fake(unreached={"10.0.0.5"})
    assert run(made, ACME).warnings == ["Sentinel does not reach the primary of acme at 10.0.0.5 20001 (s_down,master)"]


def test_good_ones_are_not_refused() -> None:
    assert problems([ACME, GLOBEX], ["10.0.0.5", "127.0.0.1"]) == []
    assert problems([], ["127.0.0.1"]) == []


@pytest.mark.parametrize(
    ("changed", "bind", "message"),
    [
        pytest.param({}, ["127.0.0.1"], "redis_sentinel_bind: begin with", id="loopback first"),
        pytest.param({}, [], "redis_sentinel_bind: begin with", id="bound nowhere"),
        pytest.param({}, ["redis1"], "redis_sentinel_bind: begin with", id="a name"),
        pytest.param({"hosts": ()}, ["10.0.0.5"], "[acme].hosts: empty", id="no hosts"),
        pytest.param({"quorum": 0}, ["10.0.0.5"], "[acme].quorum: 0: write 1 or more", id="no quorum"),
        pytest.param({"down_after_ms": 0}, ["10.0.0.5"], "write milliseconds", id="at once"),
        pytest.param({"failover_timeout_ms": 0}, ["10.0.0.5"], "write milliseconds", id="no time"),
        pytest.param({"password": 'a"b'}, ["10.0.0.5"], "[acme].password: (value masked)", id="quote"),
        pytest.param({"password": ""}, ["10.0.0.5"], "[acme].password: (value masked)", id="no password"),
    ],
)
def test_what_cannot_be_meant_is_refused(changed: dict[str, Any], bind: list[str], message: str) -> None:
    found = problems([replace(ACME, **changed)], bind)
    assert len(found) == 1
    assert message in found[0]


def test_a_name_is_watched_once() -> None:
    assert problems([ACME, ACME], ["10.0.0.5"]) == ["redis_sentinel_watched: acme is listed twice"]


@pytest.mark.parametrize(
    ("counts", "others", "told"),
    [
        pytest.param({"num-slaves": "1", "num-other-sentinels": "2"}, 2, False, id="all that are meant to be"),
        pytest.param({"num-slaves": "0", "num-other-sentinels": "1"}, 2, False, id="not found yet"),
        pytest.param({"num-slaves": "2", "num-other-sentinels": "2"}, 2, True, id="a replica that is gone"),
        pytest.param({"num-slaves": "1", "num-other-sentinels": "3"}, 2, True, id="a Sentinel that is gone"),
        pytest.param({"num-slaves": "1", "num-other-sentinels": "3"}, None, False, id="nobody knows how many"),
    ],
)
def test_what_is_still_counted_of_hosts_that_are_gone_is_told(
    sentinel: Fake, counts: dict[str, str], others: int | None, told: bool
) -> None:
    known = sentinel.watches["acme"]
    sentinel.watches["acme"] = replace(known, settings={**known.settings, **counts})
    result = run(sentinel, ACME, GLOBEX, others=others)
    assert (result.changes, sentinel.told) == ({}, [])
    assert result.outnumbered == ["acme"] * told
