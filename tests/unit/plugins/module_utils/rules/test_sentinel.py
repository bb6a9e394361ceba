"""Rules on Redis that Sentinel watches: pass and fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Reach, RedisSeen
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import CLUSTER

RULE = "redis-sentinel-possible"
OPEN = "redis-sentinel-open"
FIRST = "redis-sentinel-first"
Plan = Callable[..., Any]
MakeTenant = Callable[..., dict[str, Any]]


def found(make_plan: Plan, make_tenant: MakeTenant, rule: str, groups: Any = None, **keys: Any) -> list[str]:
    keys["redis"] = {"sentinel": True, **keys.get("redis", {})}
    made = make_plan([make_tenant(**keys)], groups=groups or CLUSTER)
    return [finding.message for finding in made.findings if finding.rule == rule]


def test_what_can_fail_over_is_not_refused(make_plan: Plan, make_tenant: MakeTenant) -> None:
    assert found(make_plan, make_tenant, RULE) == []


@pytest.mark.parametrize(
    ("groups", "keys", "message"),
    [
        pytest.param({"cubejs_redis": ["one"]}, {}, "no replica to promote", id="one host"),
        pytest.param({}, {"hosts": ["one", "three"]}, "its only host of Redis is one", id="bound to one host"),
        pytest.param({"cubejs_redis_sentinels": ["one", "two"]}, {}, "2 Sentinels cannot outvote", id="two Sentinels"),
        pytest.param({"cubejs_redis_sentinels": []}, {}, "0 Sentinels cannot outvote", id="no Sentinels"),
        pytest.param({}, {"version": "0.26.6"}, "Cube 0.26.6 cannot ask Sentinels", id="old version"),
        pytest.param({}, {"redis": {"tls": True}}, "cannot ask for TLS", id="TLS"),
        pytest.param({}, {"redis": {"shared": True}}, "is not replicated", id="shared"),
        pytest.param({}, {"redis": {"host": "redis.example"}}, "is not deployed here", id="external"),
        pytest.param({}, {"redis": {"url": "redis://redis.example/0"}}, "is not deployed here", id="URL"),
    ],
)
def test_what_cannot_is_refused(
    groups: dict[str, list[str]], keys: dict[str, Any], message: str, make_plan: Plan, make_tenant: MakeTenant
) -> None:
    messages = found(make_plan, make_tenant, RULE, {**CLUSTER, **groups}, **keys)
    assert any(message in each for each in messages), messages


def test_an_ipv6_address_is_refused(make_plan: Plan, make_tenant: MakeTenant) -> None:
    tenant = make_tenant(redis={"sentinel": True})
    made = make_plan([tenant], groups=CLUSTER, hosts={"three": {"cubejs_address": "2001:db8::3"}})
    assert [each.message for each in made.findings if each.rule == RULE] == [
        "Cube cannot read the IPv6 address of a Sentinel"
    ]


def test_that_sentinels_rely_on_a_firewall_is_said(make_plan: Plan, make_tenant: MakeTenant) -> None:
    rule = OPEN
    assert "3 Sentinels ask nobody for a password" in found(make_plan, make_tenant, rule)[0]
    assert found(make_plan, make_tenant, rule, {**CLUSTER, "cubejs_redis_sentinels": []}) == []


def test_sentinels_without_our_firewall_are_warned_of(make_plan: Plan, make_tenant: MakeTenant) -> None:
    tenant = make_tenant(redis={"sentinel": True})
    bare = {"two": {"firewall_enabled": False}}
    for hosts, severity in (({}, "info"), (bare, "warning")):
        (finding,) = [each for each in make_plan([tenant], groups=CLUSTER, hosts=hosts).findings if each.rule == OPEN]
        assert (finding.severity, "false on two" in finding.message) == (severity, severity == "warning")


@pytest.mark.parametrize(
    ("state", "who", "status", "severity"),
    [
        pytest.param("open", "four", "fail", "error", id="a stranger gets through"),
        pytest.param("refused", "four", "pass", "info", id="a stranger is refused"),
        pytest.param("filtered", "four", "pass", "info", id="a stranger gets no answer"),
        pytest.param("open", "one", "unknown", "info", id="only clients tried"),
    ],
)
def test_who_reaches_a_sentinel(
    state: str, who: str, status: str, severity: str, seeing: Any, make_plan: Plan, make_tenant: MakeTenant
) -> None:
    plan = make_plan([make_tenant(redis={"sentinel": True})], groups=CLUSTER).fleet
    live = seeing.live(hosts=(seeing.host(who, reach=(Reach("192.0.2.3", 26379, state),)),))
    found = {each.subject: each for each in seeing.judge(OPEN, live, plan)}
    finding = found.pop("Sentinel on three:26379")
    assert (finding.status, finding.severity) == (status, severity)
    assert {each.status for each in found.values()} == {"unknown"}


@pytest.mark.parametrize(
    ("asked", "status", "severity", "words"),
    [
        pytest.param(
            ("192.0.2.1:26379", "192.0.2.2:26379"), "pass", "warning", "it asks 192.0.2.1:26379 first", id="own first"
        ),
        pytest.param(("127.0.0.1:26379", "192.0.2.2:26379"), "pass", "warning", "on its own host", id="loopback"),
        pytest.param(("one:26379", "two:26379"), "pass", "warning", "it asks one:26379 first", id="by name"),
        pytest.param(
            ("192.0.2.2:26379", "192.0.2.1:26379"), "fail", "warning", "192.0.2.2:26379 before 192.0.2.1:26379",
            id="another first",
        ),
        pytest.param(
            ("192.0.2.2:26379", "192.0.2.3:26379"), "fail", "info", "none on its own host", id="none of its own"
        ),
        pytest.param(("s1.example:26379", "192.0.2.1:26379"), "unknown", "warning", "which host s1", id="a name"),
        pytest.param(
            ("192.0.2.2:26379", "s1.example:26379"), "unknown", "warning", "which host s1.example", id="a later name"
        ),
        pytest.param(
            ("192.0.2.2:26379", "192.0.2.1:26379", "s1.example:26379"), "fail", "warning", "before 192.0.2.1:26379",
            id="a name does not matter",
        ),
        pytest.param((), "", "", "", id="no Sentinel"),
    ],
)  # fmt: skip
def test_whose_sentinel_is_asked_first(
    asked: tuple[str, ...], status: str, severity: str, words: str, seeing: Any
) -> None:
    primary = RedisSeen("one:26379/0", "ioredis", "one", 20001, 0, tls=False, reachable=True, sentinels=asked)
    host = seeing.host("one", addresses=("192.0.2.1",), redis={"r": primary})
    environment = {"CUBEJS_REDIS_URL": "redis+sentinel://one:26379/acme/0"}
    found = list(seeing.judge(FIRST, seeing.live(seeing.instance(environment=environment, redis="r"), hosts=(host,))))
    assert [(each.status, each.severity) for each in found] == ([(status, severity)] if asked else [])
    assert all(words in each.message for each in found), found
    named = {each.remedy for each in found if each.status == "fail" and each.severity == "warning"}
    assert named <= {"Name 192.0.2.1:26379 first in CUBEJS_REDIS_URL"}
