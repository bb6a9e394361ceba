"""Which Redis the live instances reach."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import (
    FORMAT,
    Observation,
    Project,
    Unit,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import RedisSeen, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import view, would_run
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.redis_seen import live_instance, look

NOW = 1_800_000_000.0


def live(*pairs: tuple[LiveInstance, RedisSeen | None]) -> Live:
    """Return what was seen of instances, each with its Redis."""
    found: dict[str, dict[str, RedisSeen]] = {}
    for instance, seen in pairs:
        logins = found.setdefault(instance.host, {})
        if seen:
            logins[instance.seen.redis] = seen
    observations = {name: Observation(FORMAT, name, name, NOW, True, redis=logins) for name, logins in found.items()}
    return Live(observations, instances=tuple(instance for instance, _seen in pairs))


def test_one_server_by_two_names() -> None:
    far = live_instance("b", host="two")
    found = view(live((live_instance(), look()), (far, look(host="redis.example", port=6379))))
    (server,) = found.servers
    assert (server.name, server.reached, server.tenant, server.host) == ("one:6401", True, "acme", "")
    assert [link.label for link in server.links] == ["one/api.service", "two/b"]


def test_two_servers_by_one_name_are_told_apart() -> None:
    other = live_instance("b", host="two")
    found = view(live((live_instance(), look(host="r", run_id="a" * 40)), (other, look(host="r", run_id="b" * 40))))
    assert [server.name for server in found.servers] == ["r:6401 (aaaaaaaa)", "r:6401 (bbbbbbbb)"]


def test_loopback_is_of_each_host_its_own() -> None:
    far = live_instance("b", host="two")
    found = view(live((live_instance(), look()), (far, look(run_id="r2"))))
    assert [(server.name, server.host) for server in found.servers] == [("one:6401", "one"), ("two:6401", "two")]


def test_databases_are_by_index() -> None:
    pairs = [(live_instance(f"{number}", redis=f"l{number}"), look(index=number % 2)) for number in range(4)]
    (server,) = view(live(*pairs)).servers
    assert [each.name for each in server.databases] == ["one:6401/0", "one:6401/1"]
    assert [len(each.links) for each in server.databases] == [2, 2]
    assert all(each.reached and len(each.looks) == 2 for each in server.databases)


@pytest.mark.parametrize(
    ("seen", "environment", "name", "used"),
    [
        pytest.param(look(reachable=False, run_id=""), {}, "one:6401", True, id="not reached"),
        pytest.param(None, {}, "redis", True, id="not asked"),
        pytest.param(None, {"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"}, "redis", False, id="without"),
    ],
)
def test_who_has_no_server(seen: RedisSeen | None, environment: dict[str, str], name: str, used: bool) -> None:
    (server,) = view(live((live_instance(environment=environment), seen))).servers
    assert (server.name, server.reached, server.used, server.tenant) == (name, False, used, "acme")


@pytest.mark.parametrize("option", ["cacheAndQueueDriver", "createClient"])
def test_what_code_decides_is_not_known(option: str) -> None:
    instance = live_instance(project=Project("/srv", mentions=(option,)))
    (link,) = view(live((instance, look()))).links
    assert not link.reached


@pytest.mark.parametrize(
    ("environment", "seen", "reached"),
    [
        pytest.param({}, look(), True, id="what is set suffices"),
        pytest.param({"CUBEJS_REDIS_URL": None}, look(), False, id="the URL may stand there"),
        pytest.param({}, look(reachable=False, run_id=""), False, id="the password may stand there"),
    ],
)
def test_a_file_that_was_not_read(environment: dict[str, str], seen: RedisSeen, reached: bool) -> None:
    unread = (Unknown("dotenv", "/srv/.env: Permission denied"),)
    (link,) = view(live((live_instance(environment=environment, unknown=unread), seen))).links
    assert (link.reached, link.seen is not None) == (reached, reached)
    assert reached or "Permission denied" in link.why


@pytest.mark.parametrize(
    ("changes", "runs"),
    [
        pytest.param({}, True, id="runs"),
        pytest.param({"running": False}, False, id="no process"),
        pytest.param({"running": False, "unit": Unit("u", enabled="enabled")}, True, id="starts at boot"),
        pytest.param({"running": False, "unit": Unit("u", state="activating")}, True, id="starts again"),
        pytest.param({"running": False, "unit": Unit("u", enabled="disabled", state="failed")}, False, id="left over"),
    ],
)
def test_who_would_run(changes: dict[str, Any], runs: bool) -> None:
    assert would_run(live_instance(**changes)) is runs


def test_values_are_those_that_are_known() -> None:
    refused = Unknown("maxclients", "CONFIG GET is refused", "Allow it")
    first, second = live_instance("a", redis="a"), live_instance("b", redis="b")
    one, two = look(maxclients=None, unknown=(refused,)), look(maxclients=100, role="master")
    (server,) = view(live((first, one), (second, two))).servers
    assert server.values("maxclients") == [100]
    assert server.values("role") == ["master"]
    assert server.most("maxclients") == 100
    assert server.most("databases") is None
    assert server.why("maxclients") == refused
    assert server.why("databases").reason == "the server did not tell"


def test_the_cost_grows_with_the_number_of_instances() -> None:
    def calls(count: int) -> int:
        server = look()
        fleet = live(*((live_instance(f"{number}", tenant=f"t{number % 50}"), server) for number in range(count)))
        counted = 0

        def count_call(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal counted
            counted += event in ("call", "c_call")

        sys.setprofile(count_call)
        try:
            view(fleet)
        finally:
            sys.setprofile(None)
        return counted

    assert calls(2000) < 12 * calls(200)
