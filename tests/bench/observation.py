"""What reading a host costs, without probes, on generated hosts: milliseconds of processor time for each instance.

usage: observation.py [INSTANCES ...]     (0 50 200 without any)

The exit status is 2 when an instance of 50 or more takes longer than it may.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils import plain_data
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.host_reading import Places, read_host
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor

PACKAGES = 17
VARIABLES = 28
DESCRIPTORS = 25
SCHEMA_FILES = 5
OTHER_PROCESSES = 200
ROUNDS = 5
# Of each instance, where there are enough of them to tell it from what is read once.
MILLISECONDS, ENOUGH = 5.0, 50


def generate(folder: Path, instances: int) -> Places:
    """Write a host: each instance with a project of its own, packages shared, and other processes around them."""
    root, proc = folder / "root", folder / "proc"
    modules = root / "opt/runtime/node_modules/@cubejs-backend"
    for number in range(PACKAGES):
        package = modules / ("server" if number == 0 else f"package-{number}")
        package.mkdir(parents=True)
        (package / "package.json").write_text('{"version": "0.29.57"}')
    (proc / "net").mkdir(parents=True)
    for number in range(OTHER_PROCESSES):
        (proc / str(100 + number)).mkdir()
        (proc / str(100 + number) / "cmdline").write_text("/bin/other\0")
    for number in range(instances):
        _instance(root / f"srv/{number}", proc / str(1000 + number), number)
    return Places(str(root), str(proc), systemd=None, booted=0.0)


def _instance(home: Path, process: Path, number: int) -> None:
    (home / "schema").mkdir(parents=True)
    for file in range(SCHEMA_FILES):
        (home / f"schema/Cube{file}.js").write_text("cube(`A`, {preAggregations: {m: {type: `rollup`}}});\n" * 5)
    (home / "node_modules").symlink_to("/opt/runtime/node_modules")
    (process / "fd").mkdir(parents=True)
    environ = "".join(f"CUBEJS_VARIABLE_{at}=value\0" for at in range(VARIABLES))
    (process / "environ").write_text(f"{environ}CUBEJS_API_SECRET={number:040}\0")
    (process / "cmdline").write_text("node\0node_modules/@cubejs-backend/server/bin/server\0")
    (process / "stat").write_text(f"1 (node) S 1 {'0 ' * 17}100 0\n")
    (process / "status").write_text("Uid:\t0\t0\t0\t0\n")
    (process / "cwd").symlink_to(f"/srv/{number}")
    for at in range(DESCRIPTORS):
        (process / f"fd/{at}").symlink_to(f"socket:[{at}]")


def measure(instances: int) -> float:
    """Return the seconds of processor time that reading takes, the result's plain data included: the best of some."""
    with tempfile.TemporaryDirectory() as folder:
        places = generate(Path(folder), instances)
        best = float("inf")
        for _unused in range(ROUNDS):
            began = time.process_time()
            found = read_host(places, Redactor(b"a key for this run")).found
            json.dumps(plain_data.encode(tuple(each.instance for each in found)))
            best = min(best, time.process_time() - began)
            if len(found) != instances:
                raise SystemExit(f"{len(found)} of {instances} instances were found")
        return best


def main() -> int:
    """Measure hosts of several sizes."""
    slow = False
    for instances in map(int, sys.argv[1:] or (0, 50, 200)):
        milliseconds = 1000 * measure(instances)
        each = milliseconds / max(instances, 1)
        slow = slow or (instances >= ENOUGH and each > MILLISECONDS)
        told = f", {each:.2f} ms each" if instances else ""
        print(f"{instances} instances read in {milliseconds:.1f} ms{told}", flush=True)
    print(f"an instance takes more than {MILLISECONDS:.0f} ms" if slow else "bounds hold")
    return 2 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
