"""The proxies and their clients."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import testinfra
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from web_clients import LAB, TLS_HOSTS, Client


@pytest.fixture(scope="session")
def addresses() -> dict[str, str]:
    """Return where the hosts are."""
    hosts = yaml.safe_load((LAB / "hosts.yml").read_text())["all"]["hosts"]
    return {name: host["ansible_host"] for name, host in hosts.items()}


@pytest.fixture(scope="session", params=TLS_HOSTS)
def client(request: pytest.FixtureRequest, addresses: dict[str, str]) -> Client:
    """Return a client of each proxy that terminates TLS."""
    return Client(request.param, addresses[request.param])


@pytest.fixture(scope="session")
def proxy(client: Client, lab: Any) -> testinfra.host.Host:
    """Return the host that the client connects to."""
    return lab.host(client.host)


@pytest.fixture(scope="session")
def bookworm(addresses: dict[str, str]) -> Client:
    """Return a client of the one proxy with which the slow and the rough things are done."""
    return Client("bookworm", addresses["bookworm"])


@pytest.fixture(scope="session")
def bookworm_host(lab: Any) -> testinfra.host.Host:
    """Return that proxy's host."""
    return lab.host("bookworm")
