"""Redis' primary goes away under load: Sentinel promotes the replica, Cube finds it, and no run undoes it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from cluster import DATA, HOSTS, LIMIT_SECONDS, TENANTS, awaited, is_whole, loading


@pytest.mark.parametrize("tenant", TENANTS)
def test_every_tenant_has_one_primary_that_all_sentinels_know(cluster: Any, tenant: str) -> None:
    awaited(lambda: is_whole(cluster, tenant), f"{tenant} is replicated")
    for host in HOSTS:
        assert cluster.sentinel(host, "ckquorum", tenant).startswith("OK 3 usable Sentinels")


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("host", DATA)
def test_clients_use_either_proxy(cluster: Any, tenant: str, host: str) -> None:
    cube, token = cluster.cube(tenant, host)
    assert int(cube.load({"measures": ["Orders.count"]}, token)["data"][0]["Orders.count"]) > 0


def test_a_primary_that_goes_away_under_load(cluster: Any, note: Any) -> None:
    """Sentinel promotes the replica; the instances recover by themselves; a run then changes nothing."""
    old = awaited(lambda: is_whole(cluster, "acme"), "acme is replicated")
    [new] = set(DATA) - {old}
    before = cluster.processes()
    unit = "cubejs-redis@acme.service"
    with loading(cluster, "acme") as load:
        assert not load.failed
        lost = time.monotonic()
        cluster.lab.host(old).run_expect([0], f"systemctl kill --signal=KILL {unit}; systemctl stop {unit}")
        awaited(lambda: {cluster.primary(host, "acme") for host in HOSTS} == {new}, "Sentinel promotes the replica")
        promoted = time.monotonic() - lost
        awaited(lambda: load.succeeds(20, lost), "queries are answered")
    figures = load.figures(lost)
    note("redis_primary_lost", {"promoted_after_seconds": round(promoted, 1), **figures})
    assert figures["last_failure_after_seconds"] < LIMIT_SECONDS

    cluster.lab.host(old).run_expect([0], f"systemctl start {unit}")
    assert awaited(lambda: is_whole(cluster, "acme") == new, "the old primary comes back as a replica")
    run = cluster.lab.converge()
    assert run.status == 0, run.output
    assert not run.changed, run.output
    assert is_whole(cluster, "acme") == new
    after = cluster.processes()
    touched = {name for name in before if before[name] != after.get(name)}
    assert not [name for name in touched if "bazaar" in name or "sentinel" in name or "mariadb" in name], touched


def test_a_replica_that_is_restarted_stays_one(cluster: Any) -> None:
    """What Redis keeps in its own file outlives a restart, whatever its configuration says."""
    primary = awaited(lambda: is_whole(cluster, "acme"), "acme is replicated")
    [replica] = set(DATA) - {primary}
    cluster.lab.host(replica).run_expect([0], "systemctl restart cubejs-redis@acme.service")
    assert awaited(lambda: is_whole(cluster, "acme") == primary, "the replica follows again")


def test_a_sentinel_that_forgot_learns_the_primary_of_the_others(cluster: Any) -> None:
    """One that was made anew after a failover is not told the first primary."""
    primary = awaited(lambda: is_whole(cluster, "acme"), "acme is replicated")
    cluster.sentinel("cube3", "remove", "acme")
    run = cluster.lab.converge("--limit", "cube3", "--tags", "redis")
    assert run.status == 0, run.output
    assert {task.rpartition(" : ")[2] for _host, task in run.changed} == {"Tell the Sentinel what to watch"}
    assert awaited(lambda: is_whole(cluster, "acme") == primary, "it watches again")


def test_one_tenant_more_or_less_in_sentinel_leaves_the_others(cluster: Any) -> None:
    """A tenant that a Sentinel does not watch yet is told to it alone: no process ends, nothing of others changes."""
    before = cluster.processes()
    watched = cluster.sentinel("cube1", "master", "bazaar").splitlines()
    cluster.sentinel("cube1", "remove", "acme")
    run = cluster.lab.converge("--tags", "redis")
    assert run.status == 0, run.output
    assert {host for host, _task in run.changed} == {"cube1"}
    assert cluster.processes() == before
    again = cluster.sentinel("cube1", "master", "bazaar").splitlines()
    for option in ("ip", "port", "runid", "quorum", "config-epoch"):
        assert again[again.index(option) + 1] == watched[watched.index(option) + 1]
