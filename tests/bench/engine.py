"""What judging a fleet costs on the controller, and all reports of it: seconds and peak memory, by the fleet's size.

usage: engine.py [INSTANCES ...]     (10 1000 10000 without any)

Each size is measured in a process of its own, so that its peak is its own. The exit status is 2 when 10,000 instances
take longer, or more memory, than they may, or when ten times the instances take much more than ten times as long.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils import auditing
from ansible_collections.cubeops.cubejs.plugins.module_utils.linking import link
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.registry import FORMATS
from ansible_collections.cubeops.cubejs.plugins.plugin_utils import report_files
from fleets import NOW, Generated, generate

ROUNDS = 3
SIZES = (10, 1_000, 10_000)
# At 10,000 instances over 500 tenants.
SECONDS, MEGABYTES = 10.0, 1024
# From 1,000 to 10,000 instances; what must be done once would make it less, what grows faster more.
GROWTH = 15.0
STEPS = ("read", "link", "judge", "report")


def measure(size: int) -> dict[str, float]:
    """Return the seconds of each step in this process, the best of some rounds, its peak of memory, and how much it is.

    Seconds are the processor's, so that what else the machine does counts as little as can be.
    """
    made = generate(size)
    # As it comes from hosts: no text is an object that another shares.
    returned = {
        host: json.loads(json.dumps({"observation": seen.to_dict()})) for host, seen in made.observations.items()
    }
    generated = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    # As the action does while it judges.
    gc.collect()
    gc.disable()
    rounds = [_round(made, returned) for _unused in range(ROUNDS)]
    best = {step: min(each[step] for each in rounds) for step in STEPS}
    return {
        **rounds[-1],
        **best,
        "seconds": sum(best[step] for step in STEPS[1:]),
        "generated": generated,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "instances": made.instances,
    }


def _round(made: Generated, returned: dict[str, dict[str, object]]) -> dict[str, float]:
    """Judge once; return the seconds of each step, and how much came of it."""
    marks = [time.process_time()]
    observations, missing = auditing.read_results(returned, list(returned), list(returned))
    marks.append(time.process_time())
    fleet = link(made.planned.fleet, observations, missing)
    marks.append(time.process_time())
    criteria = auditing.Criteria()
    judged = auditing.judge(fleet, made.planned.findings, criteria)
    marks.append(time.process_time())
    now = datetime.fromtimestamp(NOW, timezone.utc)
    report = auditing.report(judged, fleet, criteria, now=now, collection_version="0")
    with tempfile.TemporaryDirectory() as folder:
        report_files.write(report, FORMATS, folder, "bench", 0o600)
        written = sum(path.stat().st_size for path in Path(folder).iterdir())
    marks.append(time.process_time())
    return {
        **{step: end - begin for step, begin, end in zip(STEPS, marks, marks[1:])},
        "tenants": len(report.tenants),
        "findings": len(report.findings) + report.counted_only,
        "told": len(report.findings),
        "written": written // 2**20,
    }


def measure_alone(size: int) -> dict[str, float]:
    """Measure in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", str(size)], env=os.environ, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def missed(by_size: dict[int, dict[str, float]]) -> list[str]:
    """Return the bounds that do not hold."""
    found = []
    largest = by_size.get(10_000)
    if largest and largest["seconds"] > SECONDS:
        found.append(f"10,000 instances take {largest['seconds']:.1f} s, not {SECONDS:.0f}")
    if largest and largest["megabytes"] > MEGABYTES:
        found.append(f"10,000 instances take {largest['megabytes']:.0f} MB, not {MEGABYTES}")
    smaller = by_size.get(1_000)
    if largest and smaller and largest["seconds"] > GROWTH * smaller["seconds"]:
        times = largest["seconds"] / smaller["seconds"]
        found.append(f"10,000 instances take {times:.1f} times as long as 1,000, not {GROWTH:.0f}")
    return found


def main() -> int:
    """Measure fleets of several sizes."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]))))
        return 0
    by_size = {}
    for size in map(int, sys.argv[1:] or SIZES):
        found = by_size[size] = measure_alone(size)
        steps = ", ".join(f"{step} {found[step]:.2f}" for step in STEPS)
        print(
            f"{found['instances']:.0f} instances of {found['tenants']:.0f} tenants, {found['findings']:.0f} findings "
            f"({found['told']:.0f} of them told), "
            f"{found['written']:.0f} MB of reports: {found['seconds']:.2f} s and {found['megabytes']:.0f} MB "
            f"({found['generated']:.0f} MB of it the fleet); {steps}",
            flush=True,
        )
    problems = missed(by_size)
    print("\n".join(problems) if problems else "bounds hold")
    return 2 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
