"""The benchmark's hosts: made anew for each measurement of a first deployment, kept for the others."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))
sys.path.insert(1, str(ROOT / ".cache" / "collections"))

import lab  # noqa: E402  the checkout's own tools are not installed anywhere
from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets as tenant_secrets  # noqa: E402  as above

SCENARIO = "bench"
BENCH = ROOT / "tests" / "bench"


class BenchError(RuntimeError):
    """A command that is measured failed; the message carries the end of its output."""


@dataclass(frozen=True)
class Hosts:
    """The hosts of an inventory.

    Of bench.py's: cube1, which is deployed to, and source1, which holds the example's database.
    """

    folder: Path
    state: Path
    scenario: str = SCENARIO
    inventory: Path = BENCH / "inventory.yml"

    @classmethod
    def prepare(cls, scenario: str = SCENARIO, inventory: Path = BENCH / "inventory.yml") -> Hosts:
        """Make the folders, the secret and the image."""
        lab.image("bookworm")
        folder = lab.scenario(scenario)
        shutil.rmtree(folder / "changes", ignore_errors=True)
        state = lab.CACHE / scenario
        state.mkdir(mode=0o700, exist_ok=True)
        variables = state / "variables.yml"
        if not variables.exists():
            with open(os.open(variables, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
                stream.write(f"---\nbench_secret: {secrets.token_hex(24)}\nbench_state: {state}\n")
        return cls(folder, state, scenario, inventory)

    @property
    def secret(self) -> str:
        """Return the secret from which all others of the deployment are derived."""
        return (self.state / "variables.yml").read_text().split("bench_secret: ")[1].split()[0]

    @property
    def api_secret(self) -> str:
        """Return the secret with which the tenant's tokens are signed."""
        return tenant_secrets.derive(self.secret, tenant_secrets.FOR_API, "acme", 0)

    def address(self, host: str) -> str:
        """Return a host's address."""
        return self.ssh(host, "hostname -I").split()[0]

    def play(self, path: str, *arguments: str) -> float:
        """Run a playbook; return its wall time in seconds."""
        inventories = ["-i", str(self.inventory), "-i", str(self.folder / "hosts.yml")]
        return self.timed(
            ["ansible-playbook", *inventories, "-e", f"@{self.state / 'variables.yml'}", *arguments, path]
        )

    def timed(self, command: list[str]) -> float:
        """Run a command; return its wall time in seconds; raise BenchError when it fails."""
        started = time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=lab.ansible_environment(self.scenario),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BenchError(f"{' '.join(command)}\n{done.stdout[-4000:]}")
        return time.monotonic() - started

    def fresh(self, *names: str) -> None:
        """Throw hosts away and boot them anew."""
        for name in names:
            lab.podman("rm", "--force", "--time", "0", f"{self.scenario}-{name}", check=False)
        self.play("molecule/shared/create.yml")

    def ssh(self, host: str, script: str) -> str:
        """Run a shell script on a host; return what it printed."""
        done = subprocess.run(
            ["ssh", "-F", str(self.folder / "ssh_config"), host, "sh", "-s"],
            input=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BenchError(f"on {host}: {done.stdout[-4000:]}")
        return done.stdout

    def copy(self, host: str, *files: Path) -> None:
        """Copy files into /root of a host."""
        subprocess.run(
            ["scp", "-q", "-r", "-F", str(self.folder / "ssh_config"), *map(str, files), f"{host}:/root/"],
            check=True,
        )
