"""Measure what docs/performance.md says, in ratios within one run: these machines are shared and noisy.

usage: bench.py [first] [again] [serve] [--pairs N]
  first  a first deployment against a shell script that installs the same and waits at the same gate
  again  a run without changes against a play with one module that does nothing
  serve  requests through Nginx with TLS against Cube's own, with one API instance and with two

What is compared is measured in turn, the order swapped each time; the table shows medians. It is kept in
.cache/bench/report.md. The exit status is 1 when a measurement fails, and 2 when a bound is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from figures import Row, markdown
from lab_hosts import BENCH, ROOT, BenchError, Hosts
from load import Load, prove

PAIRS = 5
SITE = "playbooks/site.yml"
RUNTIME = ROOT / "roles" / "cubejs" / "files" / "runtimes" / "0.29.57"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
STARTED = time.monotonic()


def say(text: str) -> None:
    """Print a line with the time since the start, at once."""
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    print(f"[{minutes:02d}:{seconds:02d}] {text}", flush=True)


def pairs(
    count: int, unit: str, mine: tuple[str, Callable[[], float]], other: tuple[str, Callable[[], float]]
) -> tuple[float, float]:
    """Measure two things in turn, the order swapped each time; return their medians."""
    seen: dict[str, list[float]] = {mine[0]: [], other[0]: []}
    for number in range(count):
        for title, measure in (mine, other) if number % 2 == 0 else (other, mine):
            seen[title].append(measure())
            say(f"  {number + 1}/{count} {title}: {seen[title][-1]:.1f} {unit}")
    return statistics.median(seen[mine[0]]), statistics.median(seen[other[0]])


def first(hosts: Hosts, count: int) -> list[Row]:
    """Deploy to an empty host, by the collection and by a shell script; each stack must answer a query."""

    def ours() -> float:
        hosts.fresh("cube1")
        seconds = hosts.play(SITE)
        prove(hosts, hosts.state / "ca" / "ca.crt", hosts.api_secret)
        return seconds

    def floor() -> float:
        hosts.fresh("cube1")
        environment = hosts.state / "floor.env"
        environment.write_text(f"SOURCE={hosts.address('source1')}\nSECRET={hosts.secret}\nNODE=\n")
        bundle = [CA_BUNDLE] if CA_BUNDLE.exists() else []
        files = [BENCH / "floor.sh", environment, *RUNTIME.iterdir(), ROOT / ".cache" / "tools" / "npm.tgz", *bundle]
        hosts.copy("cube1", *files, ROOT / "examples" / "shop" / "cube")
        seconds = hosts.timed(["ssh", "-F", str(hosts.folder / "ssh_config"), "cube1", "sh /root/floor.sh"])
        authority = hosts.state / "floor.crt"
        authority.write_text(hosts.ssh("cube1", "cat /etc/nginx/cube.crt"))
        prove(hosts, authority, hosts.secret)
        return seconds

    mine, least = pairs(count, "s", ("collection", ours), ("shell script", floor))
    return [Row("first deployment, against the shell script", mine, least, "s", "<= 1.25")]


def again(hosts: Hosts, count: int) -> list[Row]:
    """Deploy to a host that has it all, and do nothing."""
    deploy(hosts)
    mine, nothing = pairs(
        count,
        "s",
        ("run without changes", lambda: hosts.play(SITE)),
        ("one no-op module", lambda: hosts.play("tests/bench/noop.yml")),
    )
    record = json.loads(sorted((hosts.folder / "changes").glob("*-site-run.json"))[-1].read_text())
    if record["changes"]:
        raise BenchError(f"a run without changes changed something: {record['changes']}")
    say(f"  {record['tasks']} tasks, skipped ones and those on the controller included")
    return [
        Row("run without changes, against a play with one no-op module", mine, nothing, "s", "<= 8"),
        Row("module calls on the host in a run without changes", record["remote_calls"]["cube1"], None, "", "<= 25"),
    ]


def serve(hosts: Hosts, count: int) -> list[Row]:
    """Load Cube itself and Nginx before it, with one API instance and with two."""
    deploy(hosts, listen="tcp")
    load = Load(hosts)
    rows: list[Row] = []
    for instances in (1, 2):
        if instances > 1:
            deploy(hosts, instances, "tcp")
        paths = {"/readyz": "/readyz", "a cached /load": load.cached_query(instances)}
        for name, path in paths.items():
            say(f"  {name}, API instances: {instances}")
            through, itself = pairs(
                count,
                "requests/s",
                ("Nginx with TLS", partial(load.per_second, load.through_nginx(path))),
                ("one Cube process itself", partial(load.per_second, load.itself(path))),
            )
            what = f"{name} through Nginx with TLS, API instances: {instances}, against one Cube process itself"
            # More instances serve more than one does.
            bound = ">= 0.9" if instances == 1 else f">= {rows[len(rows) - len(paths)].value:.2f}"
            rows.append(Row(what, through, itself, "requests/s", bound))
    return rows


def deploy(hosts: Hosts, instances: int = 1, listen: str = "socket") -> None:
    """Bring the host up to date; one that another measurement left in another state is made anew.

    listen: `tcp` for wrk, which speaks no Unix sockets.
    """
    if instances == 1:
        hosts.fresh("cube1")
    say(f"  deploying, API instances: {instances}")
    hosts.play(SITE, "-e", f"bench_api_instances={instances}", "-e", f"bench_listen={listen}")


BENCHES: dict[str, Callable[[Hosts, int], list[Row]]] = {"first": first, "again": again, "serve": serve}


def measure(hosts: Hosts, names: Sequence[str], count: int) -> list[Row]:
    """Run the benchmarks; return all of their rows."""
    say("bench: booting two hosts, and loading the example's source database on one of them")
    hosts.fresh("cube1", "source1")
    hosts.play("examples/shop/source.yml", "-e", "shop_hosts=bench_source")
    rows: list[Row] = []
    for name in names:
        say(f"bench: {name}, pairs: {count}")
        rows += BENCHES[name](hosts, count)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that were asked for, all when none was; print and keep their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)}; all by default")
    parser.add_argument(
        "--pairs", type=int, default=PAIRS, metavar="N", help="how often each is measured (%(default)s)"
    )
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in BENCHES]
    if unknown or chosen.pairs < 1:
        parser.error(f"no such benchmark: {', '.join(unknown)}" if unknown else "--pairs: give 1 or more")
    hosts = Hosts.prepare()
    try:
        rows = measure(hosts, chosen.names or list(BENCHES), chosen.pairs)
    except BenchError as exc:
        say(f"bench: failed: {exc}")
        return 1
    (hosts.state / "report.md").write_text(markdown(rows))
    say(f"bench: medians, pairs: {chosen.pairs}; kept in {(hosts.state / 'report.md').relative_to(ROOT)}\n")
    print(markdown(rows), flush=True)
    return 0 if all(row.holds for row in rows) else 2


if __name__ == "__main__":
    sys.exit(main())
