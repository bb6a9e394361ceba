"""What is lost besides Redis' primary: a host, also for the time of a boot; workers, MySQL, a replica, a Sentinel."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cluster import CLIENTS, DATA, LIMIT_SECONDS, TENANTS, Machine, audit, awaited, is_whole, loading

# Of Cube, which waits 20 s for a connection to MySQL; and of the client, whom Cube asks to wait and ask again.
TOLD_WITHOUT_MYSQL = ("ResourceRequest timed out", "Cube still asked to wait")


@pytest.fixture(autouse=True)
def _whole(cluster: Any) -> Iterator[None]:
    """Begin with a whole cluster, and end with one."""
    for tenant in TENANTS:
        awaited(lambda name=tenant: is_whole(cluster, name), f"{tenant} is replicated")
    yield
    for tenant in TENANTS:
        awaited(lambda name=tenant: is_whole(cluster, name), f"{tenant} is replicated again")
        for host in DATA:
            awaited(lambda name=tenant, at=host: cluster.answers(name, at), f"{tenant} answers by {host}")


def test_a_host_that_is_gone(cluster: Any, lab: Any, note: Any, tmp_path: Path) -> None:
    """The other proxy goes on with its own host's instances, the audit names the host, and its return needs nobody."""
    kept = is_whole(cluster, "acme")
    [gone] = set(DATA) - {kept}
    with loading(cluster, "acme", [kept]) as load:
        lost = time.monotonic()
        with Machine(gone).unplugged():
            # All three clients may have a request on its way there, which each of them gives up after a minute.
            awaited(lambda: load.succeeds(20, lost), "queries are answered without the host", 60 + LIMIT_SECONDS)
            found = audit(lab, tmp_path)
        back = time.monotonic()
        awaited(lambda: load.succeeds(20, back), "queries are answered after its return")
    figures = load.figures(lost, back)
    note("api_host_lost", {"away_seconds": round(back - lost, 1), **figures})
    assert figures["failed"] <= CLIENTS, figures  # what was on its way to the host
    assert not [why for when, why, _took in load.answers if why and when > lost + 5], load.answers
    assert found.status != 0
    assert ("host-looked-at", "", gone) in found.of("unknown"), found.grave
    assert [each for each in found.of("pass") if each[2] == gone] == []
    # What ioredis writes while it looks for the primary is no crash: the processes lived through the failover before.
    assert "journal-crashes" not in {rule for rule, _tenant, _host in found.of("fail")}, found.grave
    for tenant in TENANTS:
        awaited(lambda name=tenant: is_whole(cluster, name), f"{tenant} is replicated again")
    run = lab.converge()
    assert run.status == 0, run.output
    assert not run.changed, run.output


def test_an_instance_that_starts_while_a_host_is_gone(cluster: Any, lab: Any, note: Any) -> None:
    """It asks the Sentinel of its own host first. One whose host is gone took 10 s of each connection of the pool."""
    kept = is_whole(cluster, "acme")
    [gone] = set(DATA) - {kept}
    with Machine(gone).unplugged():
        started = time.monotonic()
        lab.host(kept).run_expect([0], "systemctl restart cubejs-api@acme-1.service")
        with loading(cluster, "acme", [kept]) as load:
            answered = time.monotonic()
    note("started_without_a_host", {"answered_after_seconds": round(answered - started, 1), **load.figures(started)})
    # Without an instance Nginx says so, 502. That an instance waits in vain for a connection is another thing.
    assert [why for why in load.failed if "ResourceRequest timed out" in why] == []


def test_an_instance_that_asks_another_host_first_is_named(cluster: Any, lab: Any, tmp_path: Path) -> None:
    """The audit says so, and that all is well with its own settings again."""
    rule, unit, there = "redis-sentinel-first", "cubejs-api@bazaar-1.service", DATA[1]
    host = lab.host(there)
    given = host.check_output("grep -h ^CUBEJS_REDIS_URL= /opt/cubejs/tenants/bazaar/current/environment/bazaar-1.env")
    own, others = (f"{cluster.addresses[each]}:26379" for each in (there, DATA[0]))
    assert f"//{own},{others}," in given, given
    turned = given.replace(f"{own},{others}", f"{others},{own}")
    drop_in, settings = f"/run/systemd/system/{unit}.d", "/run/fault.env"
    host.check_output(f"mkdir -p {drop_in} && echo '{turned}' >{settings}")
    host.check_output(f"printf '[Service]\\nEnvironmentFile={settings}\\n' >{drop_in}/zz-fault.conf")
    restart = f"systemctl daemon-reload && systemctl restart {unit}"
    try:
        host.check_output(restart)
        awaited(lambda: cluster.answers("bazaar", there), "it answers")
        red = audit(lab, tmp_path, cubejs_rules_only=[rule])
    finally:
        host.check_output(f"rm -r {drop_in} {settings} && {restart}")
    awaited(lambda: cluster.answers("bazaar", there), "it answers again")
    green = audit(lab, tmp_path, cubejs_rules_only=[rule])
    assert red.of("fail") == {(rule, "bazaar", there)}, red.output
    assert green.of("pass") > red.of("pass"), green.output
    assert green.of("fail", "unknown") == set(), green.output


def test_refresh_workers_that_are_gone(cluster: Any, lab: Any, note: Any, tmp_path: Path) -> None:
    """One that is killed comes back by itself; one that stays away is a finding, and its API goes on."""
    host = lab.host("cube3")
    unit = "cubejs-refresh-worker@acme.service"
    before = cluster.processes()
    killed = time.monotonic()
    host.run_expect([0], f"systemctl kill --signal=KILL {unit}")
    awaited(lambda: cluster.processes().get(f"cube3 {unit}") not in (None, before[f"cube3 {unit}"]), "it is restarted")
    note("refresh_worker_killed", {"restarted_after_seconds": round(time.monotonic() - killed, 1)})
    host.run_expect([0], f"systemctl stop {unit}")
    try:
        found = audit(lab, tmp_path)
        assert all(cluster.answers("acme", each) for each in DATA)
    finally:
        host.run_expect([0], f"systemctl start {unit}")
    missing = {(rule, tenant) for rule, tenant, _host in found.of("fail", "unknown")}
    assert found.status != 0, found.grave
    assert ("one-refresh-worker", "acme") in missing, missing
    assert ("one-refresh-worker", "bazaar") not in missing, missing


def test_mysql_is_restarted_under_load(cluster: Any, lab: Any, note: Any) -> None:
    """Source and pre-aggregations are away for a moment: no process ends, and queries are answered again."""
    before = cluster.processes()
    with loading(cluster, "acme") as load:
        restarted = time.monotonic()
        lab.host("cube3").run_expect([0], "systemctl restart mariadb.service")
        awaited(lambda: load.succeeds(20, restarted), "queries are answered")
    figures = load.figures(restarted)
    note("mysql_restarted", figures)
    assert figures["last_failure_after_seconds"] < LIMIT_SECONDS
    after = cluster.processes()
    ended = {name for name in before if before[name] != after.get(name)}
    assert ended == {"cube3 mariadb.service"}


def test_mysql_is_away_for_a_while(cluster: Any, lab: Any, note: Any, tmp_path: Path) -> None:
    """Clients are told so, no process ends, and all is answered once it is back; the audit names it."""
    before = cluster.processes()
    host = lab.host("cube3")
    with loading(cluster, "acme") as load:
        stopped = time.monotonic()
        host.run_expect([0], "systemctl stop mariadb.service")
        try:
            awaited(lambda: load.failed, "a client is told")
        finally:
            host.run_expect([0], "systemctl start mariadb.service")
        back = time.monotonic()
        awaited(lambda: load.succeeds(20, back), "queries are answered")
    figures = load.figures(stopped)
    note("mysql_away", {"away_seconds": round(back - stopped, 1), **figures})
    assert all(any(told in why for told in TOLD_WITHOUT_MYSQL) for why in figures["reasons"]), figures
    assert figures["last_failure_after_seconds"] < back - stopped + LIMIT_SECONDS, figures
    # Without the load: processes that wait for MySQL try to connect all the time, with all of the processors.
    host.run_expect([0], "systemctl stop mariadb.service")
    try:
        found = audit(lab, tmp_path)
    finally:
        host.run_expect([0], "systemctl start mariadb.service")
    assert found.status != 0, found.grave
    assert {tenant for rule, tenant, _host in found.of("fail") if rule == "storage-reachable"} == set(TENANTS)
    after = cluster.processes()
    assert {name for name in before if before[name] != after.get(name)} == {"cube3 mariadb.service"}


def test_a_replica_and_a_sentinel_are_lost(cluster: Any, lab: Any, note: Any, tmp_path: Path) -> None:
    """Clients see nothing of either, the audit names both, and both are back without anybody's hand."""
    primary = is_whole(cluster, "acme")
    [replica] = set(DATA) - {primary}
    lost = {replica: "cubejs-redis@acme.service", "cube3": "cubejs-redis-sentinel.service"}
    before = cluster.processes()
    with loading(cluster, "acme") as load:
        began = time.monotonic()
        try:
            for host, unit in lost.items():
                gone = time.monotonic()
                lab.host(host).run_expect([0], f"systemctl stop {unit}")
                awaited(lambda since=gone: load.succeeds(20, since), f"queries are answered without {unit}")
            found = audit(lab, tmp_path)
        finally:
            for host, unit in lost.items():
                lab.host(host).run_expect([0], f"systemctl start {unit}")
        started = time.monotonic()
        awaited(lambda: is_whole(cluster, "acme") == primary, "the replica follows again")
        awaited(
            lambda: "OK 3 usable" in cluster.sentinel(primary, "ckquorum", "acme"), "three Sentinels see each other"
        )
        whole = time.monotonic() - started
        awaited(lambda: load.succeeds(20, started), "queries are answered")
    figures = load.figures(began)
    note("replica_and_sentinel_lost", {"whole_after_seconds": round(whole, 1), **figures})
    assert figures["failed"] == 0, figures
    missed = {(each["tenant"], each["host"], each["severity"]) for each in found.findings
              if each["rule"] == "redis-failover-possible" and each["status"] == "fail"}  # fmt: skip
    assert missed == {("acme", "", "error"), ("", "cube3", "warning")}, found.grave
    assert found.status != 0, found.grave
    after = cluster.processes()
    assert {name for name in before if before[name] != after.get(name)} == {" ".join(each) for each in lost.items()}


KNOCK = """
import json, select, socket, sys
opened = {int(port): 0 for port in sys.argv[2:]}
while not select.select([sys.stdin], [], [], 0.02)[0]:
    for port in opened:
        try:
            socket.create_connection((sys.argv[1], port), 0.2).close()
            opened[port] += 1
        except OSError:
            pass
print(json.dumps(opened))
"""
GUARDED = (20001, 20002, 26379, 10010, 10020)
OPEN = 443


@contextmanager
def knocking(cluster: Any, host: str) -> Iterator[dict[str, int]]:
    """Let a host without business there try to connect all the time; port -> how often it could is filled in then."""
    words = shlex.join(["python3", "-c", KNOCK, cluster.addresses[host], *map(str, (*GUARDED, OPEN))])
    ssh = ["ssh", "-F", str(cluster.lab.folder / "ssh_config"), "stranger", words]
    opened: dict[str, int] = {}
    with subprocess.Popen(ssh, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield opened
        finally:
            told, _errors = process.communicate("")
            opened.update(json.loads(told))


def active_since(host: Any) -> dict[str, int]:
    """Return unit -> when it became active, in microseconds since the boot."""
    shown = host.check_output("systemctl show --property=Id,ActiveEnterTimestampMonotonic 'cubejs-*.service'")
    blocks = (dict(line.split("=", 1) for line in block.splitlines()) for block in shown.split("\n\n"))
    return {each["Id"]: int(each["ActiveEnterTimestampMonotonic"]) for each in blocks}


def test_a_host_that_is_booted_again(cluster: Any, lab: Any, note: Any) -> None:
    """The other proxy goes on; at no moment does a stranger get in; all is there again, and a run changes nothing."""
    kept = is_whole(cluster, "acme")
    [gone] = set(DATA) - {kept}
    ran = {name for name in cluster.processes() if name.startswith(gone)}
    with loading(cluster, "acme", [kept]) as load, knocking(cluster, gone) as opened:
        stopped = time.monotonic()
        Machine(gone).stop()
        down = time.monotonic()
        Machine(gone).boot()
        awaited(lambda: all(cluster.answers(tenant, gone) for tenant in TENANTS), "its own proxy answers")
        awaited(lambda: {name for name in cluster.processes() if name.startswith(gone)} == ran, "all of its units run")
        back = time.monotonic()
        for tenant in TENANTS:
            awaited(lambda name=tenant: is_whole(cluster, name), f"{tenant} is replicated again")
        awaited(lambda: load.succeeds(20, back), "queries are answered")
    figures = load.figures(stopped)
    note("host_booted", {
        "stopped_after_seconds": round(down - stopped, 1), "back_after_seconds": round(back - down, 1),
        "stranger": opened, **figures,
    })  # fmt: skip
    assert figures["failed"] == 0, figures
    assert opened.pop(str(OPEN)) > 0, "the stranger did reach the host"
    assert set(opened.values()) == {0}, opened
    since = active_since(lab.host(gone))
    firewall = since.pop("cubejs-firewall.service")
    assert 0 < firewall < min(since.values()), since
    run = lab.converge()
    assert run.status == 0, run.output
    assert not run.changed, run.output


def test_the_host_of_the_workers_and_of_mysql_is_gone_for_a_while(
    cluster: Any, lab: Any, note: Any, tmp_path: Path
) -> None:
    """The audit names it and what needs it; after its boot all runs and is answered, and a run changes nothing."""
    lost = "cube3"
    before = cluster.processes()
    Machine(lost).stop()
    try:
        # Without load: processes that wait for MySQL try to connect all the time, with all of the processors.
        found = audit(lab, tmp_path)
    finally:
        down = time.monotonic()
        Machine(lost).boot()
    awaited(lambda: all(cluster.answers(tenant, host) for tenant in TENANTS for host in DATA), "all tenants answer")
    awaited(lambda: set(cluster.processes()) == set(before), "all of its units run")
    note("worker_host_booted", {"back_after_seconds": round(time.monotonic() - down, 1)})
    after = cluster.processes()
    assert {name for name in before if before[name] == after[name]} >= {name for name in before if lost not in name}
    assert found.status != 0, found.grave
    assert ("host-looked-at", "", lost) in found.of("unknown"), found.grave
    failed = {(rule, tenant) for rule, tenant, _host in found.of("fail", "unknown")}
    for tenant in TENANTS:
        assert {("storage-reachable", tenant), ("one-refresh-worker", tenant)} <= failed, found.grave
    run = lab.converge()
    assert run.status == 0, run.output
    assert not run.changed, run.output
