"""Measure the action `certificates` against the same with community.crypto, for docs/decisions/0010.

usage: certificates.py [--pairs N]   (with ANSIBLE_COLLECTIONS_PATH as the Makefile sets it)
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WAYS = ("ours", "community_crypto")


def seconds(way: str, directory: str, count: int, again: bool) -> float:
    """Return how long one run takes, the start of ansible-playbook included."""
    names = [f"tenant{number}.example" for number in range(count)]
    variables = json.dumps({"directory": directory, "names": names, "again": again})
    playbook = ROOT / "tests/bench/certificates" / f"{way}.yml"
    started = time.monotonic()
    subprocess.run(
        [ROOT / ".venv/bin/ansible-playbook", playbook, "-e", variables],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections")},
    )
    return time.monotonic() - started


def main() -> None:
    """Print the medians of a first run and of one without changes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    for count in (1, 10):
        seen: dict[tuple[str, bool], list[float]] = {(way, again): [] for way in WAYS for again in (False, True)}
        for number in range(pairs):
            with tempfile.TemporaryDirectory() as directory:
                for again in (False, True):
                    for way in WAYS if number % 2 else WAYS[::-1]:
                        seen[way, again].append(seconds(way, directory, count, again))
        for (way, again), times in sorted(seen.items(), key=str):
            print(
                f"{count:4} {'unchanged' if again else 'first':9} {way:17} {statistics.median(times):6.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
