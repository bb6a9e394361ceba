"""The action, in an inventory of its own and without a host."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.cubeops.cubejs.plugins.action import audit_looks
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import EVERYTHING, TENANT


def run(tmp_path: Path, groups: Any = EVERYTHING, arguments: Any = None, **variables: Any) -> dict[str, Any]:
    """Return the task's result in a play of the hosts "one" and "two"."""
    hosts = {"one": {"ansible_host": "192.0.2.1"}, "two": {"ansible_host": "{{ elsewhere }}"}}
    shared = {"cubejs_tenants": [TENANT], "nginx_ca_directory": str(tmp_path), **variables}
    source = tmp_path / "inventory.yml"
    tree: dict[str, Any] = {name: {"hosts": {"one": None}} for name in groups}
    source.write_text(json.dumps({"all": {"hosts": hosts, "vars": shared}, **tree}))
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(source)])
    manager = VariableManager(loader=loader, inventory=inventory)
    task_vars = {
        **manager.get_vars(host=inventory.get_host("one")),
        "hostvars": HostVars(inventory=inventory, variable_manager=manager, loader=loader),
        "groups": inventory.get_groups_dict(),
        "ansible_play_hosts_all": list(hosts),
    }
    task = SimpleNamespace(
        args=arguments or {}, check_mode=False, async_val=0, action="x", diff=False, environment=None
    )
    templar = Templar(loader=loader, variables=task_vars)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    action = audit_looks.ActionModule(task, connection, SimpleNamespace(), loader, templar, None)
    result: dict[str, Any] = action.run(task_vars=task_vars)
    return result


def test_the_key_is_new_and_never_shown(tmp_path: Path) -> None:
    first, second = run(tmp_path), run(tmp_path)
    assert len(first["fingerprint_key"]) == 64
    assert first["fingerprint_key"] != second["fingerprint_key"]
    assert first["_ansible_no_log"] is True


@pytest.mark.parametrize("authority", ["-----BEGIN CERTIFICATE-----", None])
def test_proxies_come_with_their_authority_where_it_is_here(authority: str | None, tmp_path: Path) -> None:
    if authority:
        (tmp_path / "ca.crt").write_text(authority)
    (asked,) = run(tmp_path)["looks"]["two"]["proxies"]
    assert asked["address"] == "192.0.2.1"
    assert asked.get("ca_certificates") == authority
    assert "ca" not in asked


def test_a_plan_that_would_be_refused_stops_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, cubejs_tenants=[{"sever_name": "x"}])
    assert set(result["looks"]) == {"one", "two"}
    assert not result.get("failed")


def test_without_groups_hosts_try_each_other(tmp_path: Path) -> None:
    looks = run(tmp_path, groups=())["looks"]
    assert looks["two"]["reach"] == [{"host": "192.0.2.1", "port": 4000}]
    assert looks["one"]["reach"] == [{"host": "two", "port": 4000}], "what must be templated is left to the name"


def test_further_proxies(tmp_path: Path) -> None:
    looks = run(tmp_path, groups=(), arguments={"proxies": [{"server_name": "cube.example"}]})["looks"]
    assert [asked for look in looks.values() for asked in look["proxies"]] == [{"server_name": "cube.example"}]
