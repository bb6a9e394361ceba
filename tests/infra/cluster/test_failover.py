"""Redis' primary goes away under load: Sentinel promotes the replica, Cube finds it, and no run undoes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

DATA = ("cube1", "cube2")
HOSTS = (*DATA, "cube3")
TENANTS = ("acme", "bazaar")
LIMIT_SECONDS = 60.0


def awaited(condition: Callable[[], Any], what: str, seconds: float = LIMIT_SECONDS) -> Any:
    """Return what a condition gives once it holds."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


def is_whole(cluster: Any, tenant: str) -> str:
    """Return a tenant's primary when all Sentinels agree on it and its replica follows it; "" otherwise."""
    said = {cluster.primary(host, tenant) for host in HOSTS}
    if len(said) != 1:
        return ""
    [primary] = said
    [replica] = set(DATA) - said
    follows = cluster.replication(replica, tenant)
    leads = cluster.replication(primary, tenant)
    linked = follows.get("role") == "slave" and follows.get("master_link_status") == "up"
    return primary if linked and leads.get("role") == "master" and leads.get("connected_slaves") == "1" else ""


class Load(threading.Thread):
    """Asks a tenant's API by one Nginx after the other until it is stopped; every query is a new one to the cache."""

    def __init__(self, cluster: Any, tenant: str) -> None:
        super().__init__(daemon=True)
        self._ways = [cluster.cube(tenant, host) for host in DATA]
        self._ended = threading.Event()
        self.answers: list[tuple[float, str]] = []  # (when it was asked, why it failed)

    def run(self) -> None:
        """Ask."""
        number = int(time.time())
        while not self._ended.wait(0.1):
            number += 1
            cube, token = self._ways[number % len(self._ways)]
            condition = {"member": "Orders.count", "operator": "gt", "values": [str(number % 100000)]}
            query = {"measures": ["Orders.count"], "filters": [condition]}
            asked, why = time.monotonic(), ""
            try:
                if "data" not in cube.load(query, token, 30):
                    why = "no data"
            except (OSError, RuntimeError) as exc:
                why = str(exc)
            self.answers.append((asked, why))

    def end(self) -> None:
        """Stop, and wait for the last answer."""
        self._ended.set()
        self.join(120)


@pytest.fixture
def load(cluster: Any) -> Iterator[Load]:
    """Return a load that runs."""
    made = Load(cluster, "acme")
    made.start()
    yield made
    made.end()


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


def test_a_primary_that_goes_away_under_load(cluster: Any, load: Load, note: Any) -> None:
    """Sentinel promotes the replica; the instances recover by themselves; a run then changes nothing."""
    old = awaited(lambda: is_whole(cluster, "acme"), "acme is replicated")
    [new] = set(DATA) - {old}
    before = cluster.processes()
    awaited(lambda: sum(not why for _when, why in load.answers) >= 20, "the load is answered")
    assert not [why for _when, why in load.answers if why]

    lost = time.monotonic()
    unit = "cubejs-redis@acme.service"
    cluster.lab.host(old).run_expect([0], f"systemctl kill --signal=KILL {unit}; systemctl stop {unit}")
    awaited(lambda: {cluster.primary(host, "acme") for host in HOSTS} == {new}, "Sentinel promotes the replica")
    promoted = time.monotonic() - lost
    awaited(
        lambda: len([1 for when, why in load.answers[-20:] if not why and when > lost]) == 20, "queries are answered"
    )
    load.end()
    failed = [(when, why) for when, why in load.answers if why]
    worst = max((when - lost for when, _why in failed), default=0.0)
    note("redis_primary_lost", {
        "promoted_after_seconds": round(promoted, 1), "last_failure_after_seconds": round(worst, 1),
        "requests": len(load.answers), "failed": len(failed), "reasons": sorted({why[:160] for _when, why in failed}),
    })  # fmt: skip
    assert worst < LIMIT_SECONDS

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
