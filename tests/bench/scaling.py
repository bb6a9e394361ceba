"""Measure what tenants and hosts cost, in ratios within one run: docs/performance.md has the figures.

usage: scaling.py [tenants] [hosts] [--pairs N]
  tenants  runs without changes with 1, 10, 100 and 300 tenants on one host; one more tenant beside 1 and beside 300;
           the controller's memory
  hosts    runs without changes with four tenants on 1, 2 and 4 hosts

Each run is measured in turn with a play that calls one module that does nothing on each of the hosts. The exit status
is 1 when a measurement fails, and 2 when a bound is missed. Suspended tenants stand in for running ones (fleet.py).
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bench import SITE, pairs, say
from figures import Row, markdown
from fleet import HOSTS, Fleet
from lab_hosts import BenchError, Hosts, lab

SCENARIO = "scaling"
TENANTS = (1, 10, 100, 300)
SIZES = (1, 2, 4)
NOOP = "tests/bench/noop_each.yml"
# docs/performance.md says of what.
SECONDS_A_TENANT = 0.01
NOOPS_AT_300 = 12
SECONDS_TO_ADD = 0.05
CONTROLLER_MB = 400
NOOPS_A_HOST = 8
# Seconds by which a task has to take longer to be told.
SHORTEST_PART = 0.03


def last_record(hosts: Hosts) -> Any:
    """Return what the lab's callback has kept of the last run of site."""
    found = (hosts.folder / "changes").glob("*-site-run.json")
    return json.loads(max(found, key=lambda path: path.stat().st_mtime_ns).read_text())


def unchanged(hosts: Hosts, count: int) -> tuple[float, float]:
    """Return the medians of a run without changes and of the play with one no-op module on the same hosts."""
    hosts.play(SITE)
    medians = pairs(
        count,
        "s",
        ("run without changes", partial(hosts.play, SITE)),
        ("one no-op module", partial(hosts.play, NOOP)),
    )
    record = last_record(hosts)
    if record["changes"]:
        raise BenchError(f"a run without changes changed something: {record['changes']}")
    say(f"  module calls: {record['remote_calls']}")
    return medians


def adding(hosts: Hosts, fleet: Fleet, tenants: int, count: int) -> float:
    """Return the seconds by which a run that adds one tenant to some takes longer than one that changes nothing."""
    more = []
    parts: dict[str, list[float]] = {}
    for number in range(count):
        fleet.write(tenants + number + 1)
        added = hosts.play(SITE)
        of_adding = last_record(hosts)["seconds"]
        more.append(added - hosts.play(SITE))
        of_nothing = last_record(hosts)["seconds"]
        say(f"  {number + 1}/{count} one tenant more beside {tenants}: {more[-1]:.2f} s longer")
        for task, seconds in of_adding.items():
            parts.setdefault(task, []).append(seconds - of_nothing.get(task, 0.0))
    medians = {task: statistics.median(seconds) for task, seconds in parts.items()}
    for task, seconds in sorted(medians.items(), key=lambda part: -part[1]):
        if seconds >= SHORTEST_PART:
            say(f"    {seconds:.2f} s of it: {task}")
    return statistics.median(more)


def tenants(hosts: Hosts, fleet: Fleet, count: int) -> list[Row]:
    """Measure one host with more and more tenants."""
    hosts.fresh("cube1")
    rows, seconds, to_add = [], {}, {}
    for number in TENANTS:
        say(f"  deploying, tenants: {number}")
        fleet.write(number)
        hosts.play(SITE)
        seconds[number], nothing = unchanged(hosts, count)
        bound = {TENANTS[0]: f"<= {NOOPS_A_HOST}", TENANTS[-1]: f"<= {NOOPS_AT_300}"}.get(number, "")
        rows.append(Row(f"one host, tenants: {number}, against one no-op module", seconds[number], nothing, "s", bound))
        if number in (TENANTS[0], TENANTS[-1]):
            to_add[number] = adding(hosts, fleet, number, count)
    few, many = TENANTS[0], TENANTS[-1]
    slope = (seconds[many] - seconds[few]) / (many - few)
    rows.append(Row("a run without changes, for each tenant more", slope, None, "s", f"<= {SECONDS_A_TENANT}"))
    what = f"adding one tenant to {many}, beyond what adding one to {few} takes"
    rows.append(Row(what, to_add[many] - to_add[few], None, "s", f"<= {SECONDS_TO_ADD}"))
    # The largest process of all plays that were run, and the one that forked it.
    peak = 2 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return [*rows, Row(f"memory of the controller, tenants: {many}", peak, None, "MB", f"<= {CONTROLLER_MB}")]


def hosts_of(hosts: Hosts, fleet: Fleet, count: int) -> list[Row]:
    """Measure more and more hosts with the same tenants."""
    rows = []
    for number in SIZES:
        hosts.fresh(*HOSTS)
        say(f"  deploying, hosts: {number}")
        fleet.write(4, number)
        took = hosts.play(SITE)
        say(f"  first deployment on {number}: {took:.1f} s")
        mine, nothing = unchanged(hosts, count)
        rows.append(Row(f"four tenants, hosts: {number}, against one no-op module on each", mine, nothing, "s", ""))
    return rows


BENCHES: dict[str, Callable[[Hosts, Fleet, int], list[Row]]] = {"tenants": tenants, "hosts": hosts_of}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that were asked for; print and keep their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHES], default=[], metavar="NAME")
    parser.add_argument("--pairs", type=int, default=3, metavar="N", help="how often each is measured (%(default)s)")
    chosen = parser.parse_args(arguments)
    fleet = Fleet(lab.CACHE / SCENARIO / "fleet")
    hosts = Hosts.prepare(SCENARIO, fleet.inventory)
    fleet.write(1)
    rows: list[Row] = []
    try:
        hosts.play("molecule/shared/create.yml")
        for name in chosen.names or list(BENCHES):
            say(f"scaling: {name}, pairs: {chosen.pairs}")
            rows += BENCHES[name](hosts, fleet, chosen.pairs)
    except BenchError as exc:
        say(f"scaling: failed: {exc}")
        return 1
    (hosts.state / "report.md").write_text(markdown(rows))
    print(markdown(rows), flush=True)
    return 0 if all(row.holds for row in rows) else 2


if __name__ == "__main__":
    sys.exit(main())
