"""One API host is cut off from the tenants' Redis: what clients see, what the audit says, and how it heals."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

CUT, OTHER = "cube1", "cube2"
LIMIT_SECONDS = 90.0
QUERY = {"measures": ["Orders.count"]}


def awaited(condition: Callable[[], Any], what: str, seconds: float = LIMIT_SECONDS) -> Any:
    """Return what a condition gives once it holds."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.5)


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


class Asking(threading.Thread):
    """Asks a tenant by the Nginx of one host, again and again, and keeps how long each answer took and what it was."""

    def __init__(self, cluster: Any, host: str) -> None:
        super().__init__(daemon=True)
        self._cube, self._token = cluster.cube("acme", host)
        self._ended = threading.Event()
        self.answers: list[tuple[float, float, str]] = []  # (when it was asked, seconds, what is wrong)

    def run(self) -> None:
        """Ask."""
        number = int(time.time())
        while not self._ended.wait(0.2):
            number += 1
            condition = {"member": "Orders.count", "operator": "gt", "values": [str(number % 100000)]}
            asked, why = time.monotonic(), ""
            try:
                if "data" not in self._cube.load({**QUERY, "filters": [condition]}, self._token, 60):
                    why = "no data"
            except (OSError, RuntimeError) as exc:
                why = str(exc) or type(exc).__name__
            self.answers.append((asked, time.monotonic() - asked, why))

    def end(self) -> None:
        """Stop, and wait for the last answer."""
        self._ended.set()
        self.join(120)


def audited(cluster: Any) -> list[dict[str, Any]]:
    """Return what fails in an audit."""
    folder = cluster.lab.folder / "reports"
    given = {"cubejs_report_formats": ["json"], "cubejs_report_directory": str(folder)}
    run = cluster.lab.playbook("cubeops.cubejs.audit", "-e", json.dumps(given))
    report = folder / "cubejs-audit.json"
    assert report.exists(), run.output
    found = json.loads(report.read_text())["findings"]
    report.unlink()
    return [each for each in found if each["status"] in ("fail", "unknown")]


def test_an_api_host_without_its_redis(cluster: Any, partition: Callable[[], None], note: Any) -> None:
    place_of(cluster, "acme", OTHER)
    ways = {host: Asking(cluster, host) for host in (CUT, OTHER)}
    for way in ways.values():
        way.start()
    awaited(lambda: all(len(way.answers) > 10 for way in ways.values()), "both proxies answer")
    assert not [why for way in ways.values() for _when, _seconds, why in way.answers if why]
    cut = time.monotonic()
    partition()
    time.sleep(30)  # for so long it is looked at what clients see
    failures = audited(cluster)
    mended = time.monotonic()
    cluster.lab.host(CUT).run_expect([0], "nft delete table inet cut")
    awaited(
        lambda: all(
            len(way.answers) > 20 and not any(why for when, _seconds, why in way.answers[-20:]) for way in ways.values()
        ),
        "all is answered again",
    )
    healed = time.monotonic() - mended
    for way in ways.values():
        way.end()
    figures = {
        host: {
            "answered": sum(1 for when, _seconds, why in way.answers if cut < when < mended and not why),
            "failed": sum(1 for when, _seconds, why in way.answers if cut < when < mended and why),
            "slowest_seconds": round(max(seconds for when, seconds, _why in way.answers if when > cut), 1),
            "reasons": sorted({why[:200] for _when, _seconds, why in way.answers if why}),
        }
        for host, way in ways.items()
    }
    named = sorted({f"{each['status']} {each['rule']} {each['host']}: {each['message'][:160]}" for each in failures})
    note("partition", {**figures, "healed_after_seconds": round(healed, 1), "audit": named})
    reachable = [each for each in failures if each["rule"] == "redis-reachable"]
    assert {each["host"] for each in reachable} == {CUT}, named
