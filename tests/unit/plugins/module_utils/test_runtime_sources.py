"""Where packages come from: one host builds, the others are shipped what it built."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_sources import Sources, choose, holders


@pytest.mark.parametrize(
    ("begun", "archived", "held", "owner", "expected"),
    [
        pytest.param((), (), {}, "web1", Sources(built=("r1",)), id="nobody has it"),
        pytest.param((), (), {}, "web2", Sources(elsewhere={"r1": "web2"}), id="another builds it"),
        pytest.param((), (), {"r1": "web3"}, "web1", Sources(elsewhere={"r1": "web3"}), id="another has it"),
        pytest.param((), ("r1",), {"r1": "web3"}, "web1", Sources(shipped=("r1",)), id="the controller has it"),
        pytest.param(("r1",), ("r1",), {"r1": "web3"}, "web2", Sources(built=("r1",)), id="npm is at it here"),
    ],
)
def test_one_runtime(
    begun: tuple[str, ...], archived: tuple[str, ...], held: dict[str, str], owner: str, expected: Sources
) -> None:
    found = choose(
        ["r1"], host="web1", begun=begun, archived=archived.__contains__, holders=held, claim=lambda _digest: owner
    )
    assert found == expected


def test_nothing_is_claimed_that_somebody_has() -> None:
    claimed: list[str] = []
    choose(
        ["r1", "r2", "r3"],
        host="web1",
        begun=["r3"],
        archived="r1".__eq__,
        holders={"r2": "web2"},
        claim=lambda digest: claimed.append(digest) or "web1",
    )
    assert claimed == []


def test_hosts_are_asked_once_for_all_that_they_have() -> None:
    found = Sources(elsewhere={"r1": "web3", "r2": "web2", "r3": "web3"})
    assert found.by_host() == [{"host": "web2", "runtimes": ["r2"]}, {"host": "web3", "runtimes": ["r1", "r3"]}]


def test_a_host_does_not_hold_for_itself() -> None:
    runtimes = {"web1": ["r1", "r2"], "web2": ["r2"], "web3": ["r2", "r3"]}
    assert holders(runtimes, "web1") == {"r2": "web2", "r3": "web3"}
