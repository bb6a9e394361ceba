"""The cluster: two hosts with Cube.js, Redis and Nginx, one with refresh workers and MySQL, a Sentinel on each."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
sys.path[1:1] = [str(ROOT / "examples" / "quickstart"), str(ROOT / ".cache" / "collections")]

from ansible_collections.cubeops.cubejs.plugins.module_utils import names, secrets  # noqa: E402
from cube import Cube, sign  # noqa: E402

HOSTS = ("cube1", "cube2", "cube3")
DATA = ("cube1", "cube2")
NUMBERS = {"acme": 1, "bazaar": 2}


@dataclass(frozen=True)
class Cluster:
    """The hosts of the scenario, as their administrator sees them."""

    lab: Any
    addresses: dict[str, str]
    master: str

    def secret(self, tenant: str, purpose: str) -> str:
        """Return a secret as the deployment derives it."""
        return secrets.derive(self.master, purpose, tenant, 0)

    def cube(self, tenant: str, host: str) -> tuple[Cube, str]:
        """Return a tenant's API behind the Nginx of a host, and a token for it."""
        ca = self.lab.folder / "ca" / "ca.crt"
        token = sign(self.secret(tenant, secrets.FOR_API), 3600)
        return Cube(f"cube.{tenant}.example", self.addresses[host], ca), token

    def redis(self, host: str, tenant: str, *words: str) -> str:
        """Return what a tenant's Redis on a host replies; a reason when it does not."""
        socket = f"/run/cubejs-redis/{tenant}/redis.sock"
        login = f"REDISCLI_AUTH={self.secret(tenant, secrets.FOR_REDIS)} "
        done = self.lab.host(host).run(login + shlex.join(["redis-cli", "-s", socket, *words]))
        return str(done.stdout or done.stderr).strip()

    def replication(self, host: str, tenant: str) -> dict[str, str]:
        """Return what INFO says of it, role first of all."""
        lines = self.redis(host, tenant, "INFO", "replication").splitlines()
        return dict(line.strip().split(":", 1) for line in lines if ":" in line)

    def sentinel(self, host: str, *words: str) -> str:
        """Return what the Sentinel of a host replies."""
        command = ["redis-cli", "-p", str(names.SENTINEL_PORT), "SENTINEL", *words]
        return str(self.lab.host(host).check_output(shlex.join(command))).strip()

    def primary(self, host: str, tenant: str) -> str:
        """Return the host that the Sentinel of a host takes for a tenant's primary."""
        address = self.sentinel(host, "get-master-addr-by-name", tenant).splitlines()[0]
        return {where: name for name, where in self.addresses.items()}[address]

    def processes(self) -> dict[str, str]:
        """Return process ids of all that must not be touched: unit on host -> MainPID."""
        found = {}
        for host in HOSTS:
            shown = self.lab.host(host).check_output(
                "systemctl show --property=Id,MainPID 'cubejs-*' mariadb.service nginx.service"
            )
            for block in shown.split("\n\n"):
                fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
                if fields.get("MainPID", "0") != "0":
                    found[f"{host} {fields['Id']}"] = fields["MainPID"]
        return found


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
