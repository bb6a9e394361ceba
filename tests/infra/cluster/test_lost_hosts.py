"""What is lost besides Redis: a host with its proxy and its API instances, the refresh workers, MySQL for a moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import CLIENTS, DATA, LIMIT_SECONDS, TENANTS, Machine, audit, awaited, is_whole, loading


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
            awaited(lambda: load.succeeds(20, lost), "queries are answered without the host")
            found = audit(lab, tmp_path)
        back = time.monotonic()
        awaited(lambda: load.succeeds(20, back), "queries are answered after its return")
    figures = load.figures(lost, back)
    note("api_host_lost", {"away_seconds": round(back - lost, 1), **figures})
    assert figures["failed"] <= CLIENTS, figures  # what was on its way to the host
    assert not [why for when, why, _took in load.answers if why and when > lost + 5], load.answers
    assert found.status != 0
    assert ("host-looked-at", "", gone) in found.of("unknown"), found.output
    assert [each for each in found.of("pass") if each[2] == gone] == []
    # What ioredis writes while it looks for the primary is no crash: the processes lived through the failover before.
    assert "journal-crashes" not in {rule for rule, _tenant, _host in found.of("fail")}, found.output
    for tenant in TENANTS:
        awaited(lambda name=tenant: is_whole(cluster, name), f"{tenant} is replicated again")
    run = lab.converge()
    assert run.status == 0, run.output
    assert not run.changed, run.output


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
    assert found.status != 0, found.output
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
