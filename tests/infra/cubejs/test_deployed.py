"""What the role leaves on a host: who may open, read and do what."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.environment import from_file
from ansible_collections.cubeops.cubejs.plugins.module_utils.health import token
from tenant import API_SECRET, FIRST, TENANT, UNITS, WORKER

INSTANCES = ("acme", "acme-1", "acme-2")


def connects(acme: Any, user: str, instance: str) -> bool:
    """Return whether a user can open an instance's socket."""
    code = f"import socket; socket.socket(socket.AF_UNIX).connect('/run/cubejs/{instance}/cube.sock')"
    return acme.host.run("runuser -u %s -- python3 -c %s", user, code).rc == 0


@pytest.mark.parametrize("instance", ["acme-1", "acme-2"])
def test_only_the_tenant_and_the_proxy_open_an_api_socket(acme: Any, instance: str) -> None:
    socket = acme.host.file(f"/run/cubejs/{instance}/cube.sock")
    assert (socket.mode, socket.user, socket.group) == (0o770, "cube-acme", "www-data")
    assert connects(acme, "www-data", instance)
    assert connects(acme, "cube-acme", instance)
    assert not connects(acme, "nobody", instance)
    # What another tenant's processes are to this one.
    assert not connects(acme, "daemon", instance)


def test_nobody_else_opens_the_refresh_workers_socket(acme: Any) -> None:
    assert not connects(acme, "www-data", "acme")


def test_nothing_of_cube_listens_on_tcp(acme: Any) -> None:
    assert "node" not in acme.host.check_output("ss -Hltnp")


@pytest.mark.parametrize("unit", UNITS)
def test_a_process_is_hardened_and_the_tenants_own(acme: Any, unit: str) -> None:
    report = acme.host.check_output("systemd-analyze security --no-pager %s", unit)
    score = re.search(r"exposure level for .*: ([0-9.]+)", report)
    assert score is not None
    assert float(score[1]) <= 2.5, report
    assert acme.host.check_output("stat -c %%U /proc/%s", str(acme.pid(unit))) == "cube-acme"
    assert acme.show(unit, "Slice") == "cubejs.slice"
    assert acme.show(unit, "Restart") == "always"
    assert acme.show(unit, "StartLimitIntervalUSec") == "0"
    assert acme.show(unit, "LogRateLimitBurst") == "1500"
    assert int(acme.show(unit, "MemoryMax")) < 2**31


def test_restarts_are_apart_from_each_other(acme: Any) -> None:
    assert len({acme.show(unit, "RestartUSec") for unit in UNITS}) == len(UNITS)


def test_systemd_reads_the_environment_that_was_written(acme: Any) -> None:
    for unit, instance in zip(UNITS, INSTANCES):
        written = from_file(acme.host.check_output("cat %s/current/environment/%s.env", TENANT, instance))
        started_with = acme.environ(unit)
        assert {name: started_with.get(name) for name in written} == written


def test_one_process_refreshes_and_all_agree_on_the_rest(acme: Any) -> None:
    worker, *rest = (acme.environ(unit) for unit in UNITS)
    assert worker["CUBEJS_REFRESH_WORKER"] == "true"
    assert {api["CUBEJS_REFRESH_WORKER"] for api in rest} == {"false"}
    own = {"PORT", "CUBEJS_REFRESH_WORKER", "CUBEOPS_RELEASE", "CUBEOPS_UNIT", "CUBEOPS_UNIT_TEMPLATE", "NODE_OPTIONS"}
    # systemd's own: another one for each start.
    own |= {"INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID"}
    shared = [{name: value for name, value in each.items() if name not in own} for each in (worker, *rest)]
    assert shared[0] == shared[1] == shared[2]


@pytest.mark.parametrize("path", ["current/environment/acme-1.env", "current/project/schema/Orders.js"])
def test_nobody_else_reads_a_tenants_files(acme: Any, path: str) -> None:
    assert acme.host.run("runuser -u daemon -- cat %s/%s", TENANT, path).rc != 0


def test_even_the_tenant_reads_no_environment_file_and_writes_nothing(acme: Any) -> None:
    assert acme.host.run("runuser -u cube-acme -- cat %s/current/environment/acme.env", TENANT).rc != 0
    assert acme.host.run("runuser -u cube-acme -- cat %s/current/project/schema/Orders.js", TENANT).rc == 0
    writable = "find /opt/cubejs -writable -not -type l"
    assert acme.host.check_output("runuser -u cube-acme -- sh -c %s", f"{writable} 2>/dev/null || true") == ""


def test_no_secret_is_on_a_command_line_or_readable(acme: Any) -> None:
    planted = "planted[A-Z]"
    assert not re.search(planted, acme.host.check_output("ps -eo args --no-headers"))
    readable = f"grep -rlIE '{planted}' /etc /opt/cubejs /run /var/lib /var/log 2>/dev/null || true"
    assert acme.host.check_output("runuser -u nobody -- sh -c %s", readable) == ""
    assert acme.host.run(f"journalctl --no-pager | grep -E '{planted}'").rc != 0


def test_production_mode_holds_though_the_project_has_an_env_file(acme: Any) -> None:
    assert not acme.host.file(f"{TENANT}/current/project/.env").exists
    assert "running in production mode" in acme.ask("acme-1", "/")[1]
    assert acme.ask("acme-1", "/playground/context")[0] == 404
    assert acme.ask("acme-1", "/cubejs-api/v1/meta")[0] == 403
    assert acme.ask("acme-1", "/cubejs-api/v1/meta", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpYXQiOjF9.")[0] == 403
    assert acme.ask("acme-1", "/cubejs-api/v1/meta", token(API_SECRET, {}))[0] == 200


def test_a_query_is_answered(acme: Any) -> None:
    question = {"measures": ["Orders.count", "Orders.amount"], "dimensions": ["Orders.status"]}
    answer = acme.load("acme-2", question)()
    truth = acme.host.check_output(
        "mariadb -BN -e 'SELECT status, COUNT(*), SUM(amount) FROM shop.orders GROUP BY 1 ORDER BY 1'"
    )
    rows = sorted((row["Orders.status"], int(row["Orders.count"]), int(row["Orders.amount"])) for row in answer["data"])
    assert "\n".join("\t".join(map(str, row)) for row in rows) == truth


def test_the_units_come_back_after_a_reboot(acme: Any) -> None:
    for unit in UNITS:
        assert acme.show(unit, "UnitFileState") == "enabled"
    assert "cubejs-redis@acme.service" in acme.show(FIRST, "After")
    assert "network-online.target" in acme.show(WORKER, "After")
