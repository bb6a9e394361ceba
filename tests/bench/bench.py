"""Measure what docs/performance.md says, in ratios within one run: these machines are shared and noisy.

usage: bench.py [first] [again] [serve] [--pairs N]
  first  a first deployment against a shell script that installs the same and waits at the same gate
  again  a run without changes against a play with one module that does nothing
  serve  requests through Nginx with TLS against Cube's own, and more API instances against one
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lab_hosts import BENCH, ROOT, BenchError, Hosts
from load import Load

PAIRS = 5


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def pairs(title: str, count: int, one: Callable[[], float], other: Callable[[], float]) -> tuple[float, float]:
    """Measure two things in turn, the order swapped each time; return their medians in seconds."""
    seen: tuple[list[float], list[float]] = ([], [])
    for number in range(count):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            seen[which].append((one, other)[which]())
        say(f"  {title} {number + 1}/{count}: {seen[0][-1]:.2f} s against {seen[1][-1]:.2f} s")
    return statistics.median(seen[0]), statistics.median(seen[1])


def first(hosts: Hosts, count: int) -> dict[str, float]:
    """Deploy to an empty host, by the collection and by a shell script."""

    def ours() -> float:
        hosts.fresh("cube1")
        return hosts.play("playbooks/site.yml")

    def floor() -> float:
        hosts.fresh("cube1")
        runtime = ROOT / "roles/cubejs/files/runtimes/0.29.57"
        address = hosts.ssh("source1", "hostname -I").split()[0]
        secret = (hosts.state / "variables.yml").read_text().split("bench_secret: ")[1].split()[0]
        environment = hosts.state / "floor.env"
        environment.write_text(f"SOURCE={address}\nSECRET={secret}\n")
        bundle = Path("/etc/ssl/certs/ca-certificates.crt")
        files = [BENCH / "floor.sh", environment, *runtime.iterdir(), ROOT / ".cache/tools/npm.tgz", bundle]
        hosts.copy("cube1", *files, ROOT / "examples/shop/cube")
        return hosts.timed(["ssh", "-F", str(hosts.folder / "ssh_config"), "cube1", "sh /root/floor.sh"])

    mine, least = pairs("first deployment", count, ours, floor)
    return {"collection_seconds": mine, "shell_seconds": least, "ratio": mine / least}


def again(hosts: Hosts, count: int) -> dict[str, float]:
    """Deploy to a host that has it all, and do nothing."""
    hosts.play("playbooks/site.yml")
    mine, nothing = pairs(
        "run without changes",
        count,
        lambda: hosts.play("playbooks/site.yml"),
        lambda: hosts.play("tests/bench/noop.yml"),
    )
    record = json.loads(sorted((hosts.folder / "changes").glob("*-site-run.json"))[-1].read_text())
    return {
        "collection_seconds": mine,
        "noop_seconds": nothing,
        "ratio": mine / nothing,
        "tasks": record["tasks"],
        "remote_calls": record["remote_calls"]["cube1"],
        "changes": len(record["changes"]),
    }


def serve(hosts: Hosts, count: int) -> dict[str, float]:
    """Load Cube itself and Nginx before it, with one API instance and with two."""
    found: dict[str, float] = {}
    for instances in (1, 2):
        hosts.play("playbooks/site.yml", "-e", f"bench_api_instances={instances}")
        load = Load(hosts)
        for name, path in (("readyz", "/readyz"), ("load", load.cached_query())):
            proxied, direct = load.pairs(path, count)
            say(f"  {name}, {instances} instance(s): {proxied:.0f}/s through Nginx, {direct:.0f}/s of one Cube process")
            found[f"{name}_{instances}_nginx_per_second"] = proxied
            found[f"{name}_{instances}_cube_per_second"] = direct
    for name in ("readyz", "load"):
        found[f"{name}_nginx_of_cube"] = found[f"{name}_1_nginx_per_second"] / found[f"{name}_1_cube_per_second"]
        found[f"{name}_two_of_one"] = found[f"{name}_2_nginx_per_second"] / found[f"{name}_1_nginx_per_second"]
    return found


BENCHES: dict[str, Callable[[Hosts, int], dict[str, float]]] = {"first": first, "again": again, "serve": serve}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that were asked for, all when none was; print and keep their figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="which; all by default")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="how often each is measured")
    chosen = parser.parse_args(arguments)
    hosts = Hosts.prepare()
    try:
        say("bench: two hosts, one of them with the example's source database")
        hosts.fresh("cube1", "source1")
        hosts.play("examples/shop/source.yml")
        for name in chosen.names or BENCHES:
            say(f"bench: {name}")
            found = BENCHES[name](hosts, chosen.pairs)
            (hosts.state / f"{name}.json").write_text(json.dumps(found, indent=1))
            for key, value in found.items():
                say(f"  {key:32} {value:10.2f}")
    except BenchError as exc:
        say(f"bench: failed: {exc}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
