"""One live instance and its Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_links
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import (
    ENVIRONMENT_FILE,
    Process,
    Project,
    Setting,
    Value,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import RedisSeen, Unknown
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.redis_seen import live_instance, look

PROCESS = Process(1, 1, "cube", 900, ("node",), "s", "/srv", "/usr/bin/node")


def link(seen: RedisSeen | None = None, own: tuple[str, ...] = (), **changes: Any) -> redis_links.Link:
    """Return an instance with its Redis, which is reached unless another is given."""
    instance = live_instance(**changes)
    settings = redis_links.settings_of(instance)
    return redis_links.Link(instance, settings, settings.driver, seen or look(), frozenset(own))


@pytest.mark.parametrize(
    ("environment", "version", "driver"),
    [
        pytest.param({}, "0.29.57", "redis", id="a URL"),
        pytest.param({"CUBEJS_REDIS_URL": None}, "0.29.57", "redis", id="production"),
        pytest.param({"CUBEJS_REDIS_URL": None}, "0.32.9", "cubestore", id="production from 0.32 on"),
        pytest.param({"CUBEJS_REDIS_URL": None, "NODE_ENV": None}, "0.29.57", "memory", id="no production"),
        pytest.param({"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"}, "0.29.57", "memory", id="said"),
        pytest.param({"CUBEJS_CACHE_AND_QUEUE_DRIVER": "rediss"}, "0.29.57", "rediss", id="misspelt"),
        pytest.param({"CUBEJS_CACHE_AND_QUEUE_DRIVER": "redis"}, "", "redis", id="said, version not known"),
        pytest.param({}, "", "redis", id="every version takes Redis, in production or by the URL"),
        pytest.param({"CUBEJS_REDIS_URL": None}, "", "", id="the version decides"),
        pytest.param({"CUBEJS_REDIS_URL": None}, "nightly", "", id="a version that is none"),
    ],
)
def test_drivers(environment: dict[str, str | None], version: str, driver: str) -> None:
    assert link(environment=environment, version=version).driver == driver


@pytest.mark.parametrize(
    ("what", "running", "known"),
    [
        pytest.param("process.environ", True, False, id="of a process its environment"),
        pytest.param("environment_file", True, True, id="of a process no file"),
        pytest.param("environment_file", False, False, id="of a unit its file"),
        pytest.param("dotenv", True, False, id="the .env of either"),
        pytest.param("listeners", True, True, id="what sets no variable"),
    ],
)
def test_what_could_not_be_read(what: str, running: bool, known: bool) -> None:
    unread = (Unknown(what, "Permission denied"),)
    without = {"CUBEJS_REDIS_URL": None, "NODE_ENV": None}
    assert (link(unknown=unread, running=running, environment=without).driver == "memory") is known
    # What is there is known, whatever else could not be read.
    assert link(unknown=unread, running=running).driver == "redis"


def test_a_secret_url_is_given_and_an_empty_one_is_not() -> None:
    secret, empty = Value(None, "print"), Value(None, "print", ("it is empty",))
    for value, text in ((secret, "<masked>"), (empty, "")):
        instance = live_instance(settings={"CUBEJS_REDIS_URL": Setting(value, ENVIRONMENT_FILE)})
        assert redis_links.settings_of(instance).value("redis_url") == text


@pytest.mark.parametrize(
    ("host", "connections", "remote"),
    [
        pytest.param("127.0.0.1", {}, False, id="loopback"),
        pytest.param("::1", {}, False, id="loopback, IPv6"),
        pytest.param("localhost", {}, False, id="localhost"),
        pytest.param("10.0.0.1", {}, False, id="its own address"),
        pytest.param("10.0.0.2", {}, True, id="another address"),
        pytest.param("redis", {}, None, id="a name"),
        pytest.param("redis", {"10.0.0.2:6401": 1}, True, id="a name, connected elsewhere"),
        pytest.param("redis", {"[::1]:6401": 1}, False, id="a name, connected here"),
        pytest.param("redis", {"10.0.0.2:nonsense": 1}, None, id="a connection that cannot be read"),
    ],
)
def test_remote(host: str, connections: dict[str, int], remote: bool | None) -> None:
    assert link(look(host=host), ("10.0.0.1",), connections=connections).remote is remote


@pytest.mark.parametrize(
    ("changes", "opened"),
    [
        pytest.param({"process": PROCESS, "connections": {"10.0.0.2:6401": 3, "10.0.0.2:3306": 9}}, 3, id="counted"),
        pytest.param({"process": PROCESS}, 0, id="none"),
        pytest.param({}, None, id="no process"),
        pytest.param({"process": PROCESS, "unknown": (Unknown("listeners", "denied"),)}, None, id="sockets not seen"),
    ],
)
def test_open_connections(changes: dict[str, Any], opened: int | None) -> None:
    assert link(**changes).open_connections == opened


def test_demand_is_the_larger_of_declared_and_seen(
    make_fleet: Callable[..., Fleet], make_tenant: Callable[..., Any]
) -> None:
    busy = link(process=PROCESS, connections={"127.0.0.1:6401": 105})
    planned = make_fleet([make_tenant(max_in_flight=20)])
    found = redis_links.demand(busy, planned)
    assert (found.declared, found.observed, found.in_flight, found.need) == (20, 50, 50, 110)
    assert "open connections" in found.told
    assert redis_links.demand(link(process=PROCESS), planned).told == "20 queries in flight, as declared"
    assert redis_links.demand(link(), Fleet()).need is None


def test_connections_are_shared_out_among_orchestrators(
    make_fleet: Callable[..., Fleet], make_tenant: Callable[..., Any]
) -> None:
    busy = link(process=PROCESS, connections={"127.0.0.1:6401": 50})
    planned = make_fleet([make_tenant(max_in_flight=1, orchestrators=2)])
    assert redis_links.demand(busy, planned).observed == 10


@pytest.mark.parametrize(
    ("changes", "seen", "says"),
    [
        pytest.param({"settings": {}}, look(), "none of its settings", id="nothing read"),
        pytest.param(
            {"unknown": (Unknown("live", "in a network of its own"),)}, None, "network of its own", id="container"
        ),
        pytest.param({"project": Project("/srv", mentions=("createClient",))}, None, "its own client", id="own client"),
        pytest.param({}, None, "not asked", id="not asked"),
        pytest.param({}, look(reachable=False, problem="refused"), "refused", id="not reached"),
        pytest.param({}, look(reachable=None), "did not say", id="no word"),
    ],
)
def test_why(changes: dict[str, Any], seen: RedisSeen | None, says: str) -> None:
    instance = live_instance(**changes)
    settings = redis_links.settings_of(instance)
    found = redis_links.Link(instance, settings, settings.driver, seen)
    assert says in found.why
    assert not found.reached or says == "none of its settings"
