"""Whether what Sentinel watches could fail over: pass, fail and unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Listener
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import RedisSeen

RULE = "redis-failover-possible"
GROUPS = {
    "cubejs_redis": ["one", "two"],
    "cubejs_redis_sentinels": ["one", "two", "three"],
    "cubejs_mysql": ["three"],
    "cubejs_api": ["one"],
    "cubejs_refresh_worker": ["one"],
    "cubejs_nginx": ["one"],
}
SENTINEL, REDIS = 26379, 20001
ALL: Mapping[str, tuple[int, ...]] = {
    "one": (22, SENTINEL, REDIS),
    "two": (22, SENTINEL, REDIS),
    "three": (22, SENTINEL),
}
UNIT = "cubejs-redis@acme.service"


@pytest.fixture
def judge(seeing: Any, make_plan: Callable[..., Any], make_tenant: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """Return how to judge: subject -> finding. listening: host -> ports; replicas: what the primary says."""

    def judged(
        listening: Mapping[str, tuple[int, ...]], replicas: int | None = 1, sentinel: bool = True, **keys: Any
    ) -> dict[str, Any]:
        plan = make_plan([make_tenant(redis={"sentinel": sentinel}, **keys)], groups=GROUPS).fleet
        primary = RedisSeen("one:26379/0", "ioredis", "one", REDIS, 0, tls=False, reachable=True, replicas=replicas)
        hosts = tuple(
            seeing.host(
                name, listening=tuple(Listener("tcp", "192.0.2.1", port) for port in ports), redis={"r": primary}
            )
            for name, ports in listening.items()
        )
        live = seeing.live(seeing.instance(redis="" if replicas is None else "r"), hosts=hosts)
        if keys.get("suspended"):
            live = replace(live, instances=(), resting=plan.instances)
        return {each.subject: each for each in seeing.judge(RULE, live, plan)}

    return judged


def test_all_is_there(judge: Callable[..., dict[str, Any]]) -> None:
    found = judge(ALL)
    assert set(found) == {UNIT, *(f"Sentinel on {host}:{SENTINEL}" for host in ALL)}
    assert {each.status for each in found.values()} == {"pass"}


@pytest.mark.parametrize(
    ("changes", "replicas", "status", "words"),
    [
        pytest.param({"two": (22, SENTINEL)}, 0, "fail", "nothing listens on port 20001 of two", id="replica gone"),
        pytest.param({}, 0, "fail", "0 of 1 replicas follow", id="replica does not follow"),
        pytest.param({"two": ()}, 1, "unknown", "what listens on two was not seen", id="ports not read"),
        pytest.param({}, None, "unknown", "no instance's settings reached the primary", id="primary not asked"),
    ],
)
def test_replicas(
    changes: dict[str, tuple[int, ...]], replicas: int | None, status: str, words: str,
    judge: Callable[..., dict[str, Any]],
) -> None:  # fmt: skip
    finding = judge({**ALL, **changes}, replicas)[UNIT]
    assert (finding.status, finding.severity, finding.tenant) == (status, "error", "acme")
    assert words in finding.message


def test_of_a_suspended_tenant_ports_say_it(judge: Callable[..., dict[str, Any]]) -> None:
    assert judge(ALL, None, suspended=True)[UNIT].status == "pass"


@pytest.mark.parametrize(
    ("gone", "severity"),
    [pytest.param(["three"], "warning", id="one"), pytest.param(["two", "three"], "error", id="too few are left")],
)
def test_sentinels(gone: list[str], severity: str, judge: Callable[..., dict[str, Any]]) -> None:
    without = {host: tuple(port for port in ALL[host] if port != SENTINEL) for host in gone}
    found = judge({**ALL, **without})
    failed = {subject: each for subject, each in found.items() if each.status == "fail"}
    assert set(failed) == {f"Sentinel on {host}:{SENTINEL}" for host in gone}
    assert {(each.severity, each.host in gone) for each in failed.values()} == {(severity, True)}
    assert f"{3 - len(gone)} of 3 Sentinels are left" in next(iter(failed.values())).message


def test_a_host_that_was_not_looked_at_is_unknown(judge: Callable[..., dict[str, Any]]) -> None:
    found = judge({host: ports for host, ports in ALL.items() if host != "two"})
    assert {subject for subject, each in found.items() if each.status == "unknown"} == {
        UNIT, f"Sentinel on two:{SENTINEL}",
    }  # fmt: skip


def test_a_redis_of_its_own_is_not_judged(judge: Callable[..., dict[str, Any]]) -> None:
    assert UNIT not in judge(ALL, sentinel=False)
