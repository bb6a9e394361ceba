"""Three hosts, each with a Redis that would answer everybody, of which each admits one other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

HOSTS = ("bookworm", "bullseye", "trixie")
PORT = 6379


@dataclass(frozen=True)
class Guarded:
    """The hosts of the scenario. admitted: host -> the one that it lets in; strangers: host -> the other one."""

    lab: Any
    addresses: dict[str, str]
    admitted: dict[str, str]

    @property
    def strangers(self) -> dict[str, str]:
        """Return host -> the host that it turns away."""
        return {host: next(iter(set(HOSTS) - {host, client})) for host, client in self.admitted.items()}

    def ask(self, client: str, server: str, words: str = "PING") -> str:
        """Return what the Redis of a host replies to another; a reason when it does not."""
        command = f"timeout 5 redis-cli -h {self.addresses[server]} -p {PORT} {words} 2>&1"
        return str(self.lab.host(client).run(command).stdout).strip()

    def rules(self, host: str) -> str:
        """Return our table; "" where there is none."""
        return str(self.lab.host(host).run("nft list table inet cubeops 2>/dev/null").stdout)

    def deploy(self, *arguments: str) -> Any:
        """Run the scenario's playbook, which must succeed."""
        done = self.lab.converge(*arguments)
        assert done.status == 0, done.output
        return done


@pytest.fixture(scope="session")
def guarded(lab: Any) -> Guarded:
    """Return the hosts."""
    hosts = yaml.safe_load((lab.folder / "hosts.yml").read_text())["all"]["hosts"]
    given = yaml.safe_load((lab.scenario / "inventory.yml").read_text())["guarded"]["hosts"]
    return Guarded(
        lab,
        {host: values["ansible_host"] for host, values in hosts.items()},
        {host: values["admitted"] for host, values in given.items()},
    )


@pytest.fixture
def again(guarded: Guarded) -> Iterator[Callable[..., Any]]:
    """Return the deployment, which the test may change: it is put in order afterwards."""
    yield guarded.deploy
    guarded.deploy()
