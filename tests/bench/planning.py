"""Measure what the plan of 10,000 instances costs: from an inventory's data to fleet, findings and role variables.

Its own part alone: what Ansible takes to read and template an inventory is in scaling.py's figures. Exit status 2 when
the bound is missed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import inventory as inventories
from ansible_collections.cubeops.cubejs.plugins.module_utils import plan

ROLES = Path(__file__).resolve().parents[2] / "roles"
TENANTS = 500
HOSTS = 19
INSTANCES = 1  # on each host, and a refresh worker
SECONDS = 2.0
TRIES = 3


def specifications() -> dict[str, Any]:
    """Return role -> the options of its argument_specs."""
    paths = sorted(ROLES.glob("*/meta/argument_specs.yml"))
    return {
        path.parents[1].name: yaml.safe_load(path.read_text())["argument_specs"]["main"]["options"] for path in paths
    }


def inventory() -> inventories.Inventory:
    """Return an inventory with 500 tenants on 19 hosts."""
    hosts = [f"web{number}" for number in range(1, HOSTS + 1)]
    tenants = [
        {
            "name": f"t{number}",
            "number": number,
            "server_name": f"t{number}.example",
            "project": {"path": "project"},
            "api_instances": INSTANCES,
            "database": {"type": "mysql", "host": "db.example", "name": "shop", "user": "cube", "password": "p" * 20},
        }
        for number in range(1, TENANTS + 1)
    ]
    shared = {"cubejs_tenants": tenants, "cubejs_master_secret": "kD93hfLw02mXoQz71RbVtYc5NgUe8sAi"}
    return inventories.Inventory(
        dict.fromkeys(inventories.GROUPS, hosts), {host: {**shared, "ansible_host": host} for host in hosts}
    )


def main() -> int:
    """Plan several times; print the least."""
    given, specs = inventory(), specifications()
    seconds = []
    for _each in range(TRIES):
        started = time.process_time()
        made = plan.build(given, specs, fingerprint_key=b"k" * 32, ca_directory="/ca", exists=lambda _path: True)
        seconds.append(time.process_time() - started)
    print(f"a plan of {len(made.fleet.instances)} instances: {min(seconds):.2f} s, bound {SECONDS} s")
    return 0 if min(seconds) <= SECONDS and len(made.fleet.instances) >= 10_000 else 2


if __name__ == "__main__":
    sys.exit(main())
