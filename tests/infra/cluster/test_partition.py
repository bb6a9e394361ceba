"""One API host is cut off from the tenants' Redis: what clients see, what the audit says, and how it heals."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import cluster as clusters
import pytest

CUT, OTHER = "cube1", "cube2"
LIMIT_SECONDS = 90.0
awaited = partial(clusters.awaited, seconds=LIMIT_SECONDS)
# Of Cube, which waits 10 s for a connection to Redis; and of the proxy, for who waits for a connection that is cut.
TOLD = ("ResourceRequest timed out", "Cube.js did not answer in time")


def place_of(cluster: Any, tenant: str, wanted: str) -> None:
    """Let Sentinel promote the replica where the primary is on another host than wanted."""
    if cluster.primary("cube3", tenant) != wanted:
        awaited(lambda: cluster.sentinel("cube3", "failover", tenant) == "OK", "a failover can begin")
    awaited(lambda: {cluster.primary(host, tenant) for host in ("cube1", "cube2", "cube3")} == {wanted}, "it moved")
    awaited(lambda: cluster.replication(CUT, tenant).get("master_link_status") == "up", "the replica follows")


@pytest.fixture
def partition(cluster: Any) -> Iterator[Callable[[], None]]:
    """Return how to cut the host off from the Redis instances of the other one; it is mended afterwards.

    Only what its own processes send is cut, and silently: a wire that is broken answers nothing.
    """
    host, place = cluster.lab.host(CUT), cluster.addresses[OTHER]
    rules = (
        "add table inet cut\n"
        "add chain inet cut output { type filter hook output priority filter; policy accept; }\n"
        f"add rule inet cut output ip daddr {place} tcp dport 20001-20002 drop\n"
    )

    def cut() -> None:
        host.run_expect([0], f"nft -f - <<'END'\n{rules}END")

    yield cut
    host.run("nft delete table inet cut")


class Asking:
    """Asks a tenant by one Nginx twice a second, whether or not earlier questions were answered."""

    def __init__(self, cluster: Any, host: str) -> None:
        self._cube, self._token = cluster.cube("acme", host)
        self._number = int(time.time())
        self._pool = ThreadPoolExecutor(200)
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)
        self.answers: list[tuple[float, float, str]] = []  # (when it was asked, seconds, what is wrong)
        self._clock.start()

    def _tick(self) -> None:
        while not self._ended.wait(0.5):
            self._number += 1
            self._pool.submit(self._ask, self._number)

    def _ask(self, number: int) -> None:
        condition = {"member": "Orders.count", "operator": "gt", "values": [str(number % 100000)]}
        query = {"measures": ["Orders.count"], "filters": [condition]}
        asked, why = time.monotonic(), ""
        try:
            if "data" not in self._cube.load(query, self._token, 60):
                why = "no data"
        except (OSError, RuntimeError) as exc:
            why = str(exc) or type(exc).__name__
        self.answers.append((asked, time.monotonic() - asked, why))

    def during(self, begin: float, end: float) -> dict[str, Any]:
        """Return figures of what was asked in a span of time."""
        asked = [each for each in self.answers if begin < each[0] < end]
        failed = [each for each in asked if each[2]]
        return {
            "asked": len(asked),
            "failed": len(failed),
            "slowest_seconds": round(max((seconds for _when, seconds, _why in asked), default=0.0), 1),
            "reasons": sorted({why[:300] for _when, _seconds, why in failed}),
        }

    def end(self) -> None:
        """Stop, and wait for the last answer."""
        self._ended.set()
        self._clock.join()
        self._pool.shutdown()


@pytest.fixture
def patience(cluster: Any) -> Iterator[float]:
    """Return how many seconds the proxies wait for an answer: fewer than usual, or the test took minutes."""
    seconds = 15
    run = cluster.lab.converge("--tags", "nginx", "-e", f"nginx_proxy_read_timeout_seconds={seconds}")
    assert run.status == 0, run.output
    yield seconds
    run = cluster.lab.converge("--tags", "nginx")
    assert run.status == 0, run.output


def audited(cluster: Any) -> list[dict[str, Any]]:
    """Return what fails in an audit."""
    folder = cluster.lab.folder / "reports"
    given = {"cubejs_report_formats": ["json"], "cubejs_report_directory": str(folder)}
    run = cluster.lab.playbook("cubeops.cubejs.audit", "-e", json.dumps(given))
    report = folder / "cubejs-audit.json"
    assert report.exists(), run.output
    found = json.loads(report.read_text())["findings"]
    report.unlink()
    return [each for each in found if each["status"] == "fail"]


def test_an_api_host_without_its_redis(cluster: Any, patience: float, partition: Callable[[], None], note: Any) -> None:
    """What goes to that host fails with a reason within the proxy's patience; the rest is answered as before."""
    place_of(cluster, "acme", OTHER)
    instance = f"{CUT} cubejs-api@acme-1.service"
    ways = {host: Asking(cluster, host) for host in (CUT, OTHER)}
    awaited(lambda: all(len(way.answers) > 10 for way in ways.values()), "both proxies answer")
    assert not [why for way in ways.values() for _when, _seconds, why in way.answers if why]
    cut = time.monotonic()
    partition()
    awaited(lambda: any(why for _when, _seconds, why in ways[OTHER].answers), "a client is told")
    process = cluster.processes().get(instance)
    failures = audited(cluster)
    assert cluster.processes().get(instance) == process, "an audit ends no process"
    mended = time.monotonic()
    cluster.lab.host(CUT).run_expect([0], "nft delete table inet cut")

    def heals() -> bool:
        since = time.monotonic() - 10
        recent = [
            [why for when, _seconds, why in list(way.answers) if when > max(since, mended)] for way in ways.values()
        ]
        return all(len(reasons) >= 15 and not any(reasons) for reasons in recent)

    awaited(heals, "all is answered again")
    healed = time.monotonic() - mended
    for way in ways.values():
        way.end()
    figures = {host: way.during(cut, mended) for host, way in ways.items()}
    named = sorted({f"{each['rule']} {each['host']}: {each['message'][:160]}" for each in failures})
    note("partition", {
        **figures, "lasted_seconds": round(mended - cut, 1), "healed_after_seconds": round(healed, 1), "audit": named,
    })  # fmt: skip
    for figure in figures.values():
        assert 0 < figure["failed"] < figure["asked"], figures
        assert all(any(told in why for told in TOLD) for why in figure["reasons"]), figures
        assert figure["slowest_seconds"] < patience + 10, figures
    unreachable = {each["host"] for each in failures if each["rule"] == "redis-reachable"}
    assert unreachable == {CUT}, named
