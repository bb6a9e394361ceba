"""Rules on how an instance's settings lead to its storage."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

UNREAD = (Unknown("process.environ", "denied", "become"),)
NONE = {f"CUBEJS_EXT_DB_{name}": None for name in ("TYPE", "HOST", "NAME", "USER", "PASS")}


@pytest.mark.parametrize(
    ("environment", "changes", "status", "said"),
    [
        pytest.param({}, {}, "pass", "mysql", id="set"),
        pytest.param({"CUBEJS_EXT_DB_TYPE": None}, {}, "fail", "Cube Store", id="Cube Store's protocol"),
        pytest.param({"CUBEJS_EXT_DB_TYPE": ""}, {}, "fail", "Cube Store", id="empty"),
        pytest.param({**NONE, "CUBEJS_EXT_DB_PASS": "x"}, {}, "fail", "CUBEJS_EXT_DB_PASS", id="one is enough"),
        pytest.param({"CUBEJS_EXT_DB_TYPE": None}, {"version": "0.27.4"}, "fail", "no storage", id="before 0.27.5"),
        pytest.param({"CUBEJS_EXT_DB_TYPE": None}, {"version": ""}, "fail", "or from 0.27.5", id="no version"),
        pytest.param({}, {"version": "0.19.42"}, "fail", "reads none", id="a version that reads none"),
        pytest.param({}, {"version": "0.19.43"}, "pass", "mysql", id="the first that does"),
        pytest.param({"CUBEJS_EXT_DB_TYPE": "mysq"}, {}, "fail", "'mysq'", id="no kind"),
        pytest.param({"CUBEJS_EXT_DB_TYPE": "cubestore"}, {}, "pass", "cubestore", id="Cube Store, said so"),
        pytest.param(
            {"CUBEJS_EXT_DB_TYPE": None, "CUBEJS_CUBESTORE_HOST": "h"},
            {},
            "fail",
            "not meant",
            id="Cube Store beside it",
        ),
        pytest.param(NONE, {}, "not_applicable", "no variable", id="no storage"),
        pytest.param(NONE, {"unknown": UNREAD}, "unknown", "denied", id="not read"),
        pytest.param(
            {"CUBEJS_EXT_DB_TYPE": None}, {"unknown": UNREAD}, "unknown", "denied", id="the type was not read"
        ),
    ],
)
def test_type(environment: dict[str, Any], changes: dict[str, Any], status: str, said: str, seeing: Any) -> None:
    (finding,) = seeing.judge("storage-type-set", seeing.live(seeing.instance(environment=environment, **changes)))
    assert (finding.status, finding.severity) == (status, "critical")
    assert said in finding.message


@pytest.mark.parametrize(
    ("environment", "changes", "status", "said"),
    [
        pytest.param({}, {}, "pass", "set", id="all"),
        pytest.param({"CUBEJS_EXT_DB_HOST": None}, {}, "fail", "localhost:3306", id="no host"),
        pytest.param({"CUBEJS_EXT_DB_NAME": "", "CUBEJS_EXT_DB_USER": None}, {}, "fail", "NAME, CUBEJS", id="two"),
        pytest.param({"CUBEJS_EXT_DB_URL": "mysql://h"}, {}, "fail", "ignores", id="a URL"),
        pytest.param({}, {"unknown": (Unknown("storage", "the port is none"),)}, "fail", "port", id="a port"),
        pytest.param({"CUBEJS_EXT_DB_HOST": None}, {"unknown": UNREAD}, "unknown", "denied", id="not read"),
        pytest.param({"CUBEJS_EXT_DB_TYPE": "cubestore"}, {}, "not_applicable", "MySQL", id="another kind"),
    ],
)
def test_complete(environment: dict[str, Any], changes: dict[str, Any], status: str, said: str, seeing: Any) -> None:
    found = seeing.live(seeing.instance(environment=environment, **changes))
    (finding,) = seeing.judge("storage-settings-complete", found)
    assert finding.status == status
    assert said in finding.message


@pytest.mark.parametrize(
    ("environment", "changes", "status"),
    [
        pytest.param({}, {}, "pass", id="none"),
        pytest.param({"CUBEJS_DB_SOCKET_PATH": "/run/mysqld.sock"}, {}, "pass", id="beside a storage on its host"),
        pytest.param(
            {"CUBEJS_DB_SOCKET_PATH": "/run/mysqld.sock", "CUBEJS_EXT_DB_HOST": "192.0.2.1"},
            {},
            "pass",
            id="by address",
        ),
        pytest.param(
            {"CUBEJS_DB_SOCKET_PATH": "/run/mysqld.sock", "CUBEJS_EXT_DB_HOST": "192.0.2.9"}, {}, "fail", id="elsewhere"
        ),
        pytest.param({}, {"unknown": UNREAD}, "unknown", id="not read"),
        pytest.param({"CUBEJS_EXT_DB_TYPE": None}, {}, "not_applicable", id="no storage"),
    ],
)
def test_socket(environment: dict[str, Any], changes: dict[str, Any], status: str, seeing: Any) -> None:
    instance = seeing.instance(environment=environment, **changes)
    found = seeing.live(instance, hosts=(seeing.host(addresses=("192.0.2.1",)),))
    assert [each.status for each in seeing.judge("storage-socket", found)] == [status]


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        pytest.param({}, "pass", "was reached", id="reached"),
        pytest.param({"reachable": False, "problem": "denied", "reason": "auth"}, "fail", "denied", id="refused"),
        pytest.param(
            {"reachable": False, "problem": "no such", "reason": "database"}, "fail", "no such", id="no schema"
        ),
        pytest.param(
            {
                "reachable": None,
                "problem": "PyMySQL is missing",
                "unknown": (Unknown("everything", "no client", "get it"),),
            },
            "unknown",
            "no client",
            id="no client",
        ),
    ],
)
def test_reachable(changes: dict[str, Any], status: str, said: str, seeing: Any) -> None:
    (finding,) = seeing.judge("storage-reachable", seeing.storing(seeing.mysql(**changes)))
    assert finding.status == status
    assert said in finding.message
    assert ("Create the schema" in finding.remedy) == (changes.get("reason") == "database")


@pytest.mark.parametrize("rule", ["storage-reachable", "storage-login-plugin"])
@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        pytest.param({}, "unknown", "not looked at", id="nobody looked"),
        pytest.param({"unknown": (Unknown("live", "a container's"),)}, "unknown", "a container's", id="a container"),
        pytest.param({"environment": NONE}, "not_applicable", "no storage", id="no storage"),
    ],
)
def test_without_a_look(rule: str, changes: dict[str, Any], status: str, said: str, seeing: Any) -> None:
    (finding,) = seeing.judge(rule, seeing.live(seeing.instance(**changes)))
    assert finding.status == status
    assert said in finding.message


@pytest.mark.parametrize(
    ("plugin", "status"),
    [
        ("mysql_native_password", "pass"), ("mysql_old_password", "pass"), ("caching_sha2_password", "fail"),
        ("ed25519", "fail"), (None, "unknown"),
    ],
)  # fmt: skip
def test_login(plugin: str | None, status: str, seeing: Any) -> None:
    (finding,) = seeing.judge("storage-login-plugin", seeing.storing(seeing.mysql(plugin=plugin)))
    assert finding.status == status
