"""The action, in an inventory of its own and without a host."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.cubeops.cubejs.plugins.action import plan
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import EVERYTHING, MASTER, TENANT


class Display:
    """Remembers what a person would see."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def warning(self, text: str) -> None:
        """Remember a warning."""
        self.shown.append(text)

    def display(self, text: str, **_style: Any) -> None:
        """Remember a line."""
        self.shown.append(text)


def run(
    tmp_path: Path,
    tenant: Any = None,
    groups: Any = EVERYTHING,
    arguments: Any = None,
    hosts: Any = None,
    **variables: Any,
) -> tuple[dict[str, Any], list[str]]:
    """Return the task's result on host "one", and what it showed."""
    hosts = hosts or {"one": {"ansible_host": "192.0.2.1"}}
    shared = {"cubejs_tenants": [{**TENANT, **(tenant or {})}], "cubejs_master_secret": MASTER, **variables}
    source = tmp_path / "inventory.yml"
    tree: dict[str, Any] = {name: {"hosts": dict.fromkeys(hosts)} for name in groups}
    source.write_text(json.dumps({"all": {"hosts": hosts, "vars": shared}, **tree}))
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(source)])
    manager = VariableManager(loader=loader, inventory=inventory)
    hostvars = HostVars(inventory=inventory, variable_manager=manager, loader=loader)
    task_vars = {
        **manager.get_vars(host=inventory.get_host("one")),
        "hostvars": hostvars,
        "groups": inventory.get_groups_dict(),
        "ansible_play_hosts_all": list(hosts),
    }
    task = SimpleNamespace(
        args=arguments or {}, check_mode=False, async_val=0, action="cubeops.cubejs.plan", diff=False, environment=None
    )
    templar = Templar(loader=loader, variables=task_vars)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    action = plan.ActionModule(task, connection, SimpleNamespace(), loader, templar, None)
    action._display = Display()
    return action.run(task_vars=task_vars), action._display.shown


def deployments(result: dict[str, Any]) -> Any:
    """Return what runs on host one."""
    return packing.unpack(result["hosts"]["one"]["cubejs"]["cubejs_deployments"])


def test_the_plan_is_the_result(tmp_path: Path) -> None:
    result, shown = run(tmp_path)
    assert result["changed"] is False
    assert result["findings"] == shown == []
    assert packing.unpack(result["hosts"]["one"]["redis"]["redis_instances"])[0]["port"] == 20001
    assert deployments(result)[0]["project"]["path"] == str(tmp_path)
    assert "MARKED" not in json.dumps(result)


def test_a_plan_with_errors_is_refused_with_all_of_them(tmp_path: Path) -> None:
    result, shown = run(tmp_path, {"sever_name": "x", "redis": {"pool_max": 1}}, cubejs_version=0.29)
    assert result["failed"]
    assert "hosts" not in result
    for word in ("Did you mean server_name?", "redis.pool_max: 1 is neither", "'0.29 (a float)'", "3 problems"):
        assert word in result["msg"]
    assert result["outcome"] == "findings"
    assert shown == ([] if plan.SHOWS_LINES else [result["msg"]])


def test_warnings_are_shown_and_kept(tmp_path: Path) -> None:
    result, shown = run(tmp_path, {"redis": {"pool_max": 12}})
    assert [finding["severity"] for finding in result["findings"]] == ["warning"]
    assert len(shown) == 1
    assert "redis.pool_max: 12 is fewer than" in shown[0]


def test_what_is_undefined_is_a_finding_among_others(tmp_path: Path) -> None:
    result, _shown = run(tmp_path, {"api_secret": "{{ vault_none }}", "redis": {"pool_max": 1}})
    assert "cubejs_tenants[acme].api_secret: " in result["msg"]
    assert "vault_none" in result["msg"]
    assert "2 problems" in result["msg"]


def test_a_missing_project_is_found_on_the_controller(tmp_path: Path) -> None:
    result, _shown = run(tmp_path, {"project": {"path": "nowhere"}})
    assert f"there is no {tmp_path}/nowhere on the controller" in result["msg"]


def test_without_groups_it_is_the_hosts_own_plan(tmp_path: Path) -> None:
    tenant = {"redis": {"host": "redis.example"}, "pre_aggregations": {"enabled": False}}
    result, _shown = run(tmp_path, tenant, groups=())
    assert list(result["hosts"]) == ["one"]
    instances = deployments(result)[0]["instances"]
    assert [instance["name"] for instance in instances] == ["acme-1", "acme"]


def test_without_groups_endpoints_have_to_be_given(tmp_path: Path) -> None:
    result, _shown = run(tmp_path, groups=())
    assert "redis: {host: redis.example" in result["msg"]
    assert "pre_aggregations: {host: mysql.example" in result["msg"]


def test_without_groups_a_second_host_would_start_a_second_worker(tmp_path: Path) -> None:
    tenant = {"redis": {"host": "redis.example"}, "pre_aggregations": {"enabled": False}}
    result, _shown = run(tmp_path, tenant, groups=(), hosts={"one": {}, "two": {}})
    assert "one-refresh-worker" in result["msg"]


def test_groups_can_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(AnsibleActionFail, match="No host is in any of the groups cubejs_redis"):
        run(tmp_path, groups=(), arguments={"placement": "groups"})


def test_the_figures_are_shown_and_written_also_of_a_plan_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    result, shown = run(tmp_path, {"redis": {"pool_max": 1}}, arguments={"show": "table", "file": str(path)})
    assert result["failed"]
    assert shown[0].startswith("Tenants (1)\n")
    assert "Findings (1)" in shown[0]
    written = json.loads(path.read_text())
    assert [each["name"] for each in written["tenants"]] == ["acme"]
    assert "MARKED" not in path.read_text()
    _result, as_json = run(tmp_path, arguments={"show": "json"})
    assert json.loads(as_json[0])["tenants"][0]["number"] == 1


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnsibleActionFail, match=r"cannot be written to /nowhere/plan\.json: No such file"):
        run(tmp_path, arguments={"file": "/nowhere/plan.json"})


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what `-e` gives on the command line."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(plan, "load_extra_vars", lambda _loader: found)
    return found


def test_a_run_for_one_tenant_gets_its_part(tmp_path: Path, given: dict[str, Any]) -> None:
    tenants = [TENANT, {**TENANT, "name": "globex", "number": 2, "server_name": "cube.globex.example"}]
    given["tenant"] = "globex"
    for limited, chosen in ((True, ["globex"]), (False, ["acme", "globex"])):
        result, _shown = run(tmp_path, arguments={"limited": limited}, cubejs_tenants=tenants)
        cube = result["hosts"]["one"]["cubejs"]
        assert [each["tenant"] for each in deployments(result)] == chosen
        assert cube["cubejs_other_tenants"] == [name for name in ("acme", "globex") if name not in chosen]


def test_a_variable_of_the_inventory_limits_nothing(tmp_path: Path, given: dict[str, Any]) -> None:
    assert given == {}
    result, _shown = run(tmp_path, arguments={"limited": True}, tenant={"name": "nobody"})
    assert len(deployments(result)) == 1


def test_a_run_for_nobody_is_refused_with_all_else(tmp_path: Path, given: dict[str, Any]) -> None:
    given["tenant"] = "acem"
    result, _shown = run(tmp_path, {"redis": {"pool_max": 1}}, arguments={"limited": True})
    assert result["failed"]
    assert "tenant: 'acem' is no tenant of the inventory" in result["msg"]
    assert "redis.pool_max: 1" in result["msg"]


def test_a_removal_is_worked_out_for_each_host(tmp_path: Path, given: dict[str, Any]) -> None:
    given.update(tenant="acme", confirm="acme")
    result, _shown = run(tmp_path, arguments={"removal": True})
    assert result["hosts"]["one"]["schemas"] == ["cube_acme"]
    assert result["line"].startswith("1 acme 2")
    assert result["export"].startswith("/var/backups/cubejs/acme-2")
    assert result["retired_file"] == str(tmp_path / "cubejs_retired.txt")
    assert "MARKED" not in json.dumps(result)


def test_what_is_wrong_with_the_tenant_that_goes_goes_with_it(tmp_path: Path, given: dict[str, Any]) -> None:
    (tmp_path / "cubejs_retired.txt").write_text("1 acme 2026-11-28\n")
    given.update(tenant="acme", confirm="acme")
    assert run(tmp_path, arguments={"limited": True})[0]["failed"]
    assert not run(tmp_path, arguments={"removal": True})[0].get("failed")


def test_a_removal_that_was_not_confirmed_is_refused(tmp_path: Path, given: dict[str, Any]) -> None:
    given["tenant"] = "acme"
    result, _shown = run(tmp_path, arguments={"removal": True})
    assert result["failed"]
    assert "Confirm by the name: -e confirm=acme" in result["msg"]


def test_a_host_that_leaves_is_in_no_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "load_extra_vars", lambda _loader: {"host": "two", "confirm": "two"})
    hosts = {name: {"ansible_host": f"192.0.2.{number}"} for number, name in enumerate(("one", "two"), 1)}
    arguments = {"placement": "groups", "leaving": True}
    result, _shown = run(tmp_path, groups=("cubejs_api",), hosts=hosts, arguments=arguments)
    assert result["failed"], "the tenant has no Redis in that inventory"
    tenant = {"redis": {"host": "redis.example"}, "pre_aggregations": {"enabled": False}, "refresh_worker": False}
    result, _shown = run(tmp_path, tenant, groups=("cubejs_api",), hosts=hosts, arguments=arguments)
    assert list(result["hosts"]) == ["one"]
    assert result["leaving"]["host"] == "two"
    monkeypatch.setattr(plan, "load_extra_vars", lambda _loader: {"host": "two"})
    result, _shown = run(tmp_path, tenant, groups=("cubejs_api",), hosts=hosts, arguments=arguments)
    assert "Confirm by the name: -e confirm=two" in result["msg"]
