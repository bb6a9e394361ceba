"""Servers, schemas and uses of the storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import live_storage
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import MysqlSeen, Unknown


def instance(tenant: str, host: str, version: str = "0.29.57", mentions: Any = (), **settings: str) -> LiveInstance:
    values = {"CUBEJS_EXT_DB_TYPE": "mysql", "NODE_ENV": "production", **settings}
    return LiveInstance(
        tenant,
        API,
        host,
        seen.Instance(
            f"{tenant}.service",
            True,
            (seen.BY_UNIT,),
            seen.SYSTEMD,
            packages=seen.Packages(version=version),
            project=seen.Project("/p", mentions=mentions),
            settings={name: seen.Setting(seen.Value(value), seen.PROCESS) for name, value in values.items()},
            storage="s",
        ),
    )


def look(host: str, identity: str = "", **changes: Any) -> MysqlSeen:
    return MysqlSeen(f"cube@{host}:3306", host, 3306, "cube", identity=identity, **changes)


def live(looks: Mapping[str, MysqlSeen], *instances: LiveInstance) -> Live:
    found = {
        host: seen.Observation(
            seen.FORMAT, host, host, 0.0, True, {"one": ("192.0.2.1",), "two": ("192.0.2.2",)}[host], mysql={"s": each}
        )
        for host, each in looks.items()
    }
    return Live(found, instances=instances or tuple(instance(f"t{host}", host) for host in looks))


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        pytest.param(look("127.0.0.1", "a"), look("192.0.2.1", "a"), ["one:3306"], id="one, from both sides"),
        pytest.param(look("127.0.0.1", "a"), look("mysql.example", "a"), ["one:3306"], id="one, by another name"),
        pytest.param(look("b.example", "a"), look("a.example", "a"), ["a.example:3306"], id="one, elsewhere"),
        pytest.param(look("127.0.0.1", "a"), look("127.0.0.1", "b"), ["one:3306", "two:3306"], id="one each"),
        pytest.param(look("127.0.0.1", "a"), look("192.0.2.1"), ["one:3306"], id="one, which one did not reach"),
        pytest.param(look("192.0.2.9"), look("192.0.2.9"), ["192.0.2.9:3306"], id="one that nobody reached"),
        pytest.param(
            look("", "a", socket="/run/my.sock"), look("192.0.2.1", "a"), ["one:/run/my.sock"], id="one, by its socket"
        ),
    ],
)
def test_servers(first: MysqlSeen, second: MysqlSeen, names: list[str]) -> None:
    found = live_storage.storage_of(Fleet(), live({"one": first, "two": second}))
    assert sorted(server.name for server in found.servers) == names
    assert sum(len(server.uses) for server in found.servers) == 2


def test_the_best_look_tells_of_a_server() -> None:
    looks = {
        "one": look("127.0.0.1", "a", reachable=True, variables={"max_connections": "151", "x": "many"}),
        "two": look("192.0.2.1", reachable=False),
    }
    (server,) = live_storage.storage_of(Fleet(), live(looks)).servers
    assert (server.number("max_connections"), server.number("x"), server.number("y")) == (151, None, None)
    assert (server.host, server.tenant) == ("one", "")


def test_it_is_worked_out_once() -> None:
    found = live({"one": look("127.0.0.1", "a")})
    assert live_storage.storage_of(Fleet(), found) is live_storage.storage_of(Fleet(), found)


@pytest.mark.parametrize(
    ("found", "schema"),
    [
        pytest.param(instance("a", "one", CUBEJS_PRE_AGGREGATIONS_SCHEMA="own"), "own", id="named"),
        pytest.param(instance("a", "one"), "prod_pre_aggregations", id="production"),
        pytest.param(instance("a", "one", NODE_ENV="development"), "dev_pre_aggregations", id="development"),
        pytest.param(
            instance("a", "one", "0.25.3", CUBEJS_PRE_AGGREGATIONS_SCHEMA="own"), "stb_pre_aggregations", id="not read"
        ),
        pytest.param(instance("a", "one", "", CUBEJS_PRE_AGGREGATIONS_SCHEMA="own"), None, id="no version"),
        pytest.param(instance("a", "one", mentions=("preAggregationsSchema",)), None, id="by code"),
    ],
)
def test_schemas(found: LiveInstance, schema: str | None) -> None:
    assert live_storage.schema_of(found) == schema


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        pytest.param(None, "not looked at", id="nobody looked"),
        pytest.param(look("h", unknown=(Unknown("grants", "denied"),)), "denied", id="a note on it"),
        pytest.param(look("h", unknown=(Unknown("everything", "late"),)), "late", id="a note on everything"),
        pytest.param(look("h", reachable=False, problem="refused"), "refused", id="not reached"),
        pytest.param(look("h", reachable=True), "did not tell", id="not told"),
    ],
)
def test_why(found: MysqlSeen | None, reason: str) -> None:
    assert reason in live_storage.why(found, "grants").reason
