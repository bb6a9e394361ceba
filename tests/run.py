"""Run every layer of tests, one more at once than there are cores, and end with one summary.

usage: run.py [--jobs N] [NAME ...]      e.g. `run.py unit molecule:redis`
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / ".cache" / "logs"
LAB = [str(ROOT / ".venv" / "bin" / "python"), str(ROOT / "tests" / "lab" / "lab.py")]
# Started first, since the whole run takes as long as the last of them.
LONGEST_FIRST = (
    "cluster",
    "stack",
    "cubejs",
    "faults",
    "foreign",
    "tenants",
    "versions",
    "redis",
    "firewall",
    "mysql",
    "nginx",
    "stack_tls",
)
# Written, and run one by one while they are worked on, but not seen to pass from nothing yet: they are named in the
# summary, and leave this list when they do.
UNFINISHED: tuple[str, ...] = ()
HEARTBEAT_SECONDS = 60
TAIL_LINES = 120
# What names a failure in the logs of pytest and of ansible-playbook; the summary ends with as many, since whoever reads
# only the end of a run's output wants to know them. Of what pytest explains, the first lines say what was not so, and
# the rest is often a whole report.
REASONS = re.compile(r"^(FAILED|ERROR) \S+\.py|^fatal: \[")
EXPLAINED = re.compile(r"^E  +\S")
REASONS_SHOWN = 12
EXPLAINED_SHOWN = 2


@dataclass(frozen=True)
class Job:
    """One thing to run: its name and its command."""

    name: str
    command: tuple[str, ...]

    @property
    def log(self) -> Path:
        """Where all of its output goes."""
        return LOGS / f"{self.name.replace(':', '-')}.log"


def reasons(log: str) -> list[str]:
    """Return the lines of a log that name failures, the last ones where there are many: pytest sums up at its end."""
    found: list[str] = []
    explained = 0
    for line in log.splitlines():
        explained = explained + 1 if EXPLAINED.match(line) else 0
        if 0 < explained <= EXPLAINED_SHOWN or REASONS.match(line):
            found.append(line.rstrip()[:300])
    return found[-REASONS_SHOWN:]


@dataclass(frozen=True)
class Outcome:
    """How a job ended, and after how many seconds."""

    job: Job
    passed: bool
    seconds: float


def scenarios() -> list[str]:
    """Return the names of the Molecule scenarios, the longest first."""
    found = {path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml")} - set(UNFINISHED)
    known = [name for name in LONGEST_FIRST if name in found]
    return known + sorted(found - set(known))


def jobs() -> list[Job]:
    """Return all jobs, in the order in which they start."""
    hosts = [Job(f"molecule:{name}", (*LAB, "molecule", name, "test")) for name in scenarios()]
    without_hosts = [
        Job(name, ("make", "--no-print-directory", name)) for name in ("unit", "contract", "lint", "browser", "sanity")
    ]
    return without_hosts[:2] + hosts[:1] + without_hosts[2:] + hosts[1:]


class Progress:
    """Says what runs, what ended, and, while nothing ends, that work goes on."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.running: dict[str, tuple[Job, float]] = {}
        self.lock = threading.Lock()

    def say(self, text: str) -> None:
        """Print one line with the time since the start."""
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        print(f"[{minutes:02d}:{seconds:02d}] {text}", flush=True)

    def start(self, job: Job) -> None:
        """Say that a job starts."""
        with self.lock:
            self.running[job.name] = (job, time.monotonic())
            self.say(f"start  {job.name}")

    def end(self, outcome: Outcome) -> None:
        """Say how a job ended; of a failed one, show the end of its log."""
        with self.lock:
            del self.running[outcome.job.name]
            self.say(f"{'ok    ' if outcome.passed else 'FAILED'} {outcome.job.name}  {outcome.seconds:.0f} s")
            if not outcome.passed:
                lines = outcome.job.log.read_text(errors="replace").splitlines()
                print(f"----- last {TAIL_LINES} lines of {outcome.job.log}")
                print("\n".join(f"  {line[:400]}" for line in lines[-TAIL_LINES:]))
                print("-----", flush=True)

    def heartbeat(self) -> None:
        """Say what runs, and the last line that each wrote."""
        with self.lock:
            for job, since in self.running.values():
                lines = job.log.read_text(errors="replace").splitlines() if job.log.exists() else []
                last = next((line for line in reversed(lines) if line.strip()), "")
                self.say(f"running {job.name} for {time.monotonic() - since:.0f} s: {last.strip()[:100]}")


def run(job: Job, progress: Progress) -> Outcome:
    """Run one job to its end."""
    progress.start(job)
    started = time.monotonic()
    with job.log.open("w") as log:
        status = subprocess.run(
            job.command,
            cwd=ROOT,
            env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": "0"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    outcome = Outcome(job, status == 0, time.monotonic() - started)
    progress.end(outcome)
    return outcome


def run_all(chosen: Sequence[Job], workers: int, progress: Progress) -> list[Outcome]:
    """Run the jobs, `workers` at a time, in their order; return how they ended."""
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in chosen:
        waiting.put(job)
    outcomes: list[Outcome] = []

    def work() -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            outcomes.append(run(job, progress))

    threads = [threading.Thread(target=work, daemon=True) for _worker in range(workers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        deadline = time.monotonic() + HEARTBEAT_SECONDS
        while time.monotonic() < deadline and any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(timeout=0.5)
        progress.heartbeat()
    return outcomes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for, all when nothing was; return 1 when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    # One more than there are cores: a scenario waits for a quarter of its time, for health gates, restarts and npm.
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 2) + 1, help="how many at once")
    parser.add_argument("names", nargs="*", help="which: unit, contract, lint, browser, sanity, molecule:SCENARIO")
    chosen = parser.parse_args(arguments)
    everything = jobs()
    unknown = set(chosen.names) - {job.name for job in everything}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(job.name for job in everything)}")
    wanted = [job for job in everything if not chosen.names or job.name in chosen.names]
    LOGS.mkdir(parents=True, exist_ok=True)
    progress = Progress()
    if any(job.name.startswith("molecule:") for job in wanted):
        progress.say("images of the test hosts")
        subprocess.run([*LAB, "image", "bookworm", "bullseye", "trixie"], cwd=ROOT, check=True)
    outcomes = run_all(wanted, max(1, chosen.jobs), progress)
    print("\nsummary")
    for outcome in sorted(outcomes, key=lambda one: (not one.passed, one.job.name)):
        print(f"  {'ok    ' if outcome.passed else 'FAILED'}  {outcome.job.name:24}  {outcome.seconds:6.0f} s")
        if not outcome.passed:
            for reason in reasons(outcome.job.log.read_text(errors="replace")):
                print(f"            {reason}")
    failed = sum(not outcome.passed for outcome in outcomes)
    if UNFINISHED and not chosen.names:
        print(f"  not run, since unfinished: {', '.join(UNFINISHED)}")
    progress.say("done")
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
