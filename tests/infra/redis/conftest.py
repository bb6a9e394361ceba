"""What the tests of the role redis share: its instances on the hosts, and clients of them."""

from __future__ import annotations

import base64
import contextlib
import json
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import testinfra

HOSTS = ("bookworm", "bullseye", "trixie", "valkey", "shared")
PASSWORDS = {"acme": "plantedAcme8fQ2xR7mLpTz", "globex": "plantedGlobex5hVb9KdWn3Yc"}
PORTS = {"acme": 20001, "globex": 20002}
HELD_CLIENT = Path(__file__).with_name("held_client.py")


@dataclass
class Redis:
    """One instance on one host, looked at by its administrator."""

    host: testinfra.host.Host
    name: str
    host_name: str
    ssh_config: Path

    @property
    def unit(self) -> str:
        """Return its systemd unit."""
        return f"cubejs-redis@{self.name}.service"

    @property
    def password(self) -> str:
        """Return the password that the inventory gives it."""
        return PASSWORDS[self.name]

    @property
    def port(self) -> int:
        """Return its port."""
        return PORTS[self.name]

    @property
    def pid(self) -> int:
        """Return its process, 0 when there is none."""
        return int(self.show("MainPID"))

    def show(self, name: str) -> str:
        """Return a property of its unit."""
        return self.host.check_output("systemctl show --property=%s --value %s", name, self.unit)

    def cli(self, *words: str, password: str | None = None) -> str:
        """Return what redis-cli prints for a command, sent by the instance's Unix socket."""
        command = "valkey-cli" if self.host_name == "valkey" else "redis-cli"
        arguments = ["-s", f"/run/cubejs-redis/{self.name}/redis.sock", *words]
        secret = self.password if password is None else password
        environment = f"REDISCLI_AUTH={shlex.quote(secret)} " if secret else ""
        done = self.host.run(environment + shlex.join([command, *arguments]))
        return str(done.stdout or done.stderr).strip()

    def setting(self, name: str, password: str | None = None) -> str:
        """Return a setting's value."""
        lines = self.cli("CONFIG", "GET", name, password=password).splitlines()
        return lines[1] if len(lines) > 1 else ""

    def journal(self) -> str:
        """Return its log."""
        return self.host.check_output("journalctl --no-pager --output=cat --unit=%s", self.unit)

    def file(self, suffix: str) -> testinfra.modules.file.File:
        """Return one of its files."""
        return self.host.file(f"/etc/cubejs/redis/{self.name}.{suffix}")

    @contextlib.contextmanager
    def held_client(self, ca: str | None = None, password: str | None = None) -> Iterator[dict[str, Any]]:
        """Keep one logged-in connection busy; the result is filled in when it ends."""
        program = base64.b64encode(HELD_CLIENT.read_bytes()).decode()
        self.host.run_expect([0], f"echo {program} | base64 -d > /root/held_client.py")
        command = f"python3 /root/held_client.py {self.port} {ca or ''}"
        client = subprocess.Popen(
            ["ssh", "-F", str(self.ssh_config), self.host_name, command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(f"{password or self.password}\n")
        client.stdin.flush()
        assert client.stdout.readline().strip() == "connected"
        result: dict[str, Any] = {}
        try:
            yield result
        finally:
            output, _unused = client.communicate("end\n", timeout=20)
            result.update(json.loads(output))


@dataclass(frozen=True)
class Fleet:
    """The instances of the scenario."""

    lab: Any

    def __call__(self, host: str, name: str) -> Redis:
        """Return one instance."""
        return Redis(self.lab.host(host), name, host, self.lab.folder / "ssh_config")

    def converge(self, host: str, *arguments: str, **variables: Any) -> Any:
        """Run the role on one host, with some of the scenario's variables set."""
        extra = ["--extra-vars", json.dumps(variables)] if variables else []
        return self.lab.converge("--limit", host, *extra, *arguments)


@pytest.fixture(scope="session")
def fleet(lab: Any) -> Fleet:
    """Return the instances of the scenario."""
    return Fleet(lab)


@pytest.fixture(params=HOSTS)
def host_name(request: pytest.FixtureRequest) -> str:
    """Return each host's name in turn."""
    return request.param


@pytest.fixture(params=["acme", "globex"])
def redis(request: pytest.FixtureRequest, fleet: Fleet, host_name: str) -> Redis:
    """Return each instance of each host in turn."""
    return fleet(host_name, request.param)


@pytest.fixture
def mended(fleet: Fleet) -> Iterator[Any]:
    """Return how to change a host; afterwards it is as the inventory says again."""
    touched: set[str] = set()

    def change(host: str, *arguments: str, **variables: Any) -> Any:
        touched.add(host)
        return fleet.converge(host, *arguments, **variables)

    yield change
    for host in touched:
        run = fleet.converge(host)
        assert run.status == 0, run.output
