"""The filter, as a playbook calls it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.filter import firewall_layout

FILTER = firewall_layout.FilterModule().filters()["firewall_layout"]
SERVICE = {"service": "mysql", "name": "mysql", "ports": [3306], "clients": ["192.0.2.1"]}


def test_further_clients_are_let_in() -> None:
    assert FILTER([SERVICE])[0]["ipv4"] == ["192.0.2.1"]
    assert FILTER([SERVICE], clients={"mysql": ["192.0.2.0/24"]})[0]["ipv4"] == ["192.0.2.0/24"]


def test_a_problem_is_ansible_s() -> None:
    with pytest.raises(AnsibleFilterError, match=r"refused:\nfirewall_clients.mysql\[0\]: 'db' is no IP address"):
        FILTER([SERVICE], clients={"mysql": ["db"]})
