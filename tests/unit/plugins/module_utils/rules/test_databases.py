"""Rules on source and storage: the same for all processes of a tenant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import REFRESH_WORKER
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import MysqlSeen, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES

CLOSED = (Unknown("process.environ", "permission denied", "Run the task with become: true"),)
DOTENV = (Unknown("dotenv", "permission denied"),)
HOST = "CUBEJS_EXT_DB_HOST"


@pytest.mark.parametrize(
    ("environment", "unknown", "status", "names"),
    [
        pytest.param({}, (), "pass", (), id="the same"),
        pytest.param({"CUBEJS_EXT_DB_USER": "other"}, (), "fail", ("CUBEJS_EXT_DB_USER",), id="another user"),
        pytest.param({"CUBEJS_DB_SSL": "true"}, (), "fail", ("CUBEJS_DB_SSL",), id="set on one only"),
        pytest.param({"CUBEJS_DB_MAX_POOL": "20"}, (), "pass", (), id="a pool of its own"),
        pytest.param({HOST: "192.0.2.1"}, (), "pass", (), id="an address, which another rule compares"),
        pytest.param({}, CLOSED, "unknown", (), id="not readable"),
        pytest.param({}, DOTENV, "unknown", (), id="a file that may add some"),
    ],
)
def test_settings(environment: dict[str, str], unknown: Any, status: str, names: tuple[str, ...], seeing: Any) -> None:
    worker = seeing.instance("worker", REFRESH_WORKER, environment=environment, unknown=unknown)
    (found,) = seeing.judge("database-settings-agree", seeing.live(seeing.instance(), worker))
    assert found.status == status
    assert all(name in found.message for name in names)


def test_a_secret_that_differs_is_named_and_not_shown(seeing: Any) -> None:
    worker = seeing.instance("worker", REFRESH_WORKER)
    settings = {**worker.seen.settings, "CUBEJS_EXT_DB_PASS": seeing.setting(None, fingerprint="secret-print")}
    worker = seeing.instance("worker", REFRESH_WORKER, settings=settings)
    (found,) = seeing.judge("database-settings-agree", seeing.live(seeing.instance(), worker))
    assert (found.status, found.message) == ("fail", "its processes differ in CUBEJS_EXT_DB_PASS")
    assert "print" not in "".join(found.evidence)
    assert found.evidence[0].count("<masked>") == 2


def mysql(identity: str) -> dict[str, MysqlSeen]:
    return {"s": MysqlSeen("m:3306", "m", 3306, "cube", reachable=bool(identity), identity=identity)}


@pytest.mark.parametrize(
    ("api", "worker", "identities", "status"),
    [
        pytest.param("db.example", "db.example", ("a", "a"), "pass", id="one server"),
        pytest.param("127.0.0.1", "192.0.2.1", ("a", "a"), "pass", id="one server under two addresses"),
        pytest.param("db.example", "db.example", ("a", "b"), "fail", id="one name for two servers"),
        pytest.param("127.0.0.1", "127.0.0.1", ("a", "b"), "fail", id="a server on each host"),
        pytest.param("127.0.0.1", "127.0.0.1", ("", ""), "unknown", id="which nobody could see"),
        pytest.param("127.0.0.1", "192.0.2.1", ("", ""), "pass", id="the address of the very host"),
        pytest.param("a.example", "b.example", ("", "b"), "unknown", id="two names, one server not seen"),
        pytest.param("db.example", "db.example", ("", ""), "pass", id="one name, not seen"),
        pytest.param("db.example", None, ("a", ""), "fail", id="one has none"),
    ],
)
def test_servers_of_mysql(api: str, worker: str | None, identities: tuple[str, str], status: str, seeing: Any) -> None:
    lacking = {} if worker else {"CUBEJS_EXT_DB_TYPE": None}
    instances = (
        seeing.instance(environment={HOST: api}, storage="s"),
        seeing.instance("worker", REFRESH_WORKER, host="two", environment={HOST: worker, **lacking}, storage="s"),
    )
    hosts = (
        seeing.host("one", mysql=mysql(identities[0]), addresses=("192.0.2.1",)),
        seeing.host("two", mysql=mysql(identities[1] if worker else ""), addresses=("192.0.2.2",)),
    )
    if not worker:
        hosts = (hosts[0], seeing.host("two"))
    (found,) = seeing.judge("storage-server-agrees", seeing.live(*instances, hosts=hosts))
    assert found.status == status


@pytest.mark.parametrize(
    ("api", "worker", "status"),
    [
        pytest.param({"CUBEJS_DB_HOST": "a"}, {"CUBEJS_DB_HOST": "a"}, "pass", id="the same"),
        pytest.param({"CUBEJS_DB_HOST": "a"}, {"CUBEJS_DB_HOST": "b"}, "fail", id="another"),
        pytest.param({"CUBEJS_DB_HOST": "a"}, {"CUBEJS_DB_HOST": "a", "CUBEJS_DB_PORT": "1"}, "fail", id="a port"),
        pytest.param({"CUBEJS_DB_HOST": "::1"}, {"CUBEJS_DB_HOST": "::1"}, "fail", id="each its own host's"),
    ],
)  # fmt: skip
def test_sources_that_are_no_mysql(api: dict[str, str], worker: dict[str, str], status: str, seeing: Any) -> None:
    kind = {"CUBEJS_DB_TYPE": "postgres"}
    instances = (
        seeing.instance(environment={**kind, **api}),
        seeing.instance("worker", REFRESH_WORKER, host="two", environment={**kind, **worker}),
    )
    (found,) = seeing.judge("source-server-agrees", seeing.live(*instances))
    assert (found.status, len(found.evidence)) == (status, 2 if status == "fail" else 1)


@pytest.mark.parametrize("rule", ["database-settings-agree", "storage-server-agrees", "source-server-agrees"])
def test_what_is_not_there_to_be_compared(rule: str, seeing: Any) -> None:
    (alone,) = seeing.judge(rule, seeing.live(seeing.instance()))
    assert alone.status == "not_applicable"
    closed = seeing.instance("worker", REFRESH_WORKER, unknown=CLOSED)
    (unknown,) = seeing.judge(rule, seeing.live(seeing.instance(), closed))
    assert (unknown.status, unknown.remedy) == ("unknown", "Run the task with become: true")


@pytest.mark.parametrize(
    ("worker", "identity", "told"),
    [
        pytest.param({"CUBEJS_PRE_AGGREGATIONS_SCHEMA": "x"}, "a", "storage-schema-agrees", id="another schema"),
        pytest.param({HOST: "192.0.2.9"}, "b", "storage-server-agrees", id="another server"),
        pytest.param({"CUBEJS_EXT_DB_NAME": "x"}, "a", "database-settings-agree", id="another database"),
    ],
)
def test_a_difference_is_told_once(worker: dict[str, str], identity: str, told: str, seeing: Any) -> None:
    """Of all rules that compare processes one names it; what follows from it has rules of its own."""
    instances = (
        seeing.instance(storage="s"),
        seeing.instance("worker", REFRESH_WORKER, host="two", environment=worker, storage="s"),
    )
    hosts = (seeing.host("one", mysql=mysql("a")), seeing.host("two", mysql=mysql(identity)))
    found = seeing.live(*instances, hosts=hosts)
    comparing = [rule.id for rule in RULES if rule.across_hosts]
    failed = [each.rule for rule in comparing for each in seeing.judge(rule, found) if each.status == "fail"]
    assert failed == [told]
