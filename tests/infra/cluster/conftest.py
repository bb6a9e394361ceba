"""The cluster: two hosts with Cube.js, Redis and Nginx, one with refresh workers and MySQL, a Sentinel on each."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(1, str(Path(__file__).parent))

from cluster import Cluster


@pytest.fixture(scope="session")
def cluster(lab: Any) -> Cluster:
    """Return the cluster."""
    hosts = yaml.safe_load((lab.folder / "hosts.yml").read_text())["all"]["hosts"]
    given = yaml.safe_load((lab.scenario / "lab.yml").read_text())["all"]["vars"]
    addresses = {host: values["ansible_host"] for host, values in hosts.items()}
    return Cluster(lab, addresses, given["vault_cubejs_master_secret"])


@pytest.fixture(scope="session")
def note(lab: Any) -> Any:
    """Return how to write a figure down, beside the records of the runs."""

    def write(name: str, figures: dict[str, Any]) -> None:
        (lab.folder / "figures").mkdir(exist_ok=True)
        (lab.folder / "figures" / f"{name}.json").write_text(json.dumps(figures, indent=1))
        print(f"{name}: {figures}")

    return write
