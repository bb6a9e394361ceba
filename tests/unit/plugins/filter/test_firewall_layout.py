"""The filter, as a playbook calls it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.filter import firewall_layout
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing

FILTER = firewall_layout.FilterModule().filters()["firewall_layout"]
SERVICE = {"service": "mysql", "name": "mysql", "ports": [3306], "clients": ["192.0.2.1"]}


def test_further_clients_are_let_in() -> None:
    for given, clients in ((["192.0.2.1"], {}), (["192.0.2.0/24"], {"mysql": ["192.0.2.0/24"]})):
        (found,) = packing.unpack(FILTER([SERVICE], clients=clients)["services"])
        assert found["ipv4"] == given


def test_what_is_to_go_has_its_pattern_unless_former_clients_are_kept() -> None:
    kept = {**SERVICE, "former_clients_kept": True}
    assert FILTER(packing.pack([SERVICE]))["former"] == ["mysql.*.nft"]
    assert FILTER([kept])["former"] == FILTER([])["former"] == FILTER([])["services"] == []


def test_a_problem_is_ansible_s() -> None:
    with pytest.raises(AnsibleFilterError, match=r"refused:\nfirewall_clients.mysql\[0\]: 'db' is no IP address"):
        FILTER([SERVICE], clients={"mysql": ["db"]})
