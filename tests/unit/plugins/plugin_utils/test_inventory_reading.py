"""Variables read through Ansible's own inventory, as a task sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook import Playbook
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.inventory_reading import HostReader, plain

NAMES = frozenset({"cubejs_tenants", "cubejs_listen", "ansible_host", "number"})


def reader(tmp_path: Path, hosts: dict[str, dict[str, Any]], shared: Any = None, play: Any = None) -> HostReader:
    """Return a reader in the task of host "one", in a play with variables of its own."""
    source = tmp_path / "inventory.yml"
    source.write_text(json.dumps({"all": {"hosts": hosts, "vars": shared or {}}}))
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(source)])
    manager = VariableManager(loader=loader, inventory=inventory)
    HostVars(inventory=inventory, variable_manager=manager, loader=loader)
    book = tmp_path / "play.yml"
    book.write_text(json.dumps([{"hosts": "all", "vars": play or {}}]))
    playbook = Playbook.load(str(book), variable_manager=manager, loader=loader)
    loaded = playbook.get_plays()[0]
    task_vars = manager.get_vars(play=loaded, host=inventory.get_host("one"))
    task_vars["hostvars"] = HostVars(inventory=inventory, variable_manager=manager, loader=loader)
    task_vars["ansible_play_hosts_all"] = list(hosts)
    return HostReader(loader, task_vars)


def test_each_host_has_its_own_values_templated(tmp_path: Path) -> None:
    hosts = {"one": {"ansible_host": "192.0.2.1"}, "two": {"ansible_host": "{{ own }}", "own": "192.0.2.2"}}
    values, problems = reader(tmp_path, hosts).read(hosts, NAMES, "cubejs_")
    assert problems == []
    assert values == {"one": {"ansible_host": "192.0.2.1"}, "two": {"ansible_host": "192.0.2.2"}}


def test_nothing_else_is_read_but_names_with_the_prefix(tmp_path: Path) -> None:
    shared = {"cubejs_lissten": "{{ undefined }}", "other": "{{ undefined }}"}
    values, problems = reader(tmp_path, {"one": {}}, shared).read(["one"], NAMES, "cubejs_")
    assert (values, problems) == ({"one": {"cubejs_lissten": None}}, [])


def test_what_is_undefined_is_named_where_it_stands_and_the_rest_is_read(tmp_path: Path) -> None:
    tenants = [{"name": "acme", "database": {"user": "u", "password": "{{ vault_none }}"}, "zones": ["{{ none_too }}"]}]
    values, problems = reader(tmp_path, {"one": {}}, {"cubejs_tenants": tenants}).read(["one"], NAMES, "cubejs_")
    assert [problem.subject for problem in problems] == [
        "cubejs_tenants[acme].database.password",
        "cubejs_tenants[acme].zones[0]",
    ]
    assert "vault_none" in problems[0].message
    assert values["one"]["cubejs_tenants"] == [
        {"name": "acme", "database": {"user": "u", "password": None}, "zones": [None]}
    ]


def test_what_the_play_says_holds_for_all_its_hosts(tmp_path: Path) -> None:
    hosts: dict[str, dict[str, Any]] = {"one": {}, "two": {"number": 2}}
    found = reader(tmp_path, hosts, play={"cubejs_listen": "t{{ 'cp' }}"})
    values, _problems = found.read(hosts, NAMES, "cubejs_")
    assert values == {"one": {"cubejs_listen": "tcp"}, "two": {"number": 2, "cubejs_listen": "tcp"}}
    assert found.other_hosts() == ["two"]


def test_what_is_omitted_is_not_there(tmp_path: Path) -> None:
    tenant = {"name": "acme", "memory": "{{ none_given | default(omit) }}", "zones": ["{{ omit }}", "UTC"]}
    values, problems = reader(tmp_path, {"one": {}}, {"cubejs_tenants": [tenant]}).read(["one"], NAMES, "cubejs_")
    assert (values["one"]["cubejs_tenants"], problems) == ([{"name": "acme", "zones": ["UTC"]}], [])


def test_values_are_plain(tmp_path: Path) -> None:
    """Neither tags nor lazy containers get into the plan."""
    tenants = [{"name": "{{ 'acme' }}", "number": "{{ 7 }}", "flag": True, "ratio": 0.29}]
    values, _problems = reader(tmp_path, {"one": {}}, {"cubejs_tenants": tenants}).read(["one"], NAMES, "cubejs_")
    tenant = values["one"]["cubejs_tenants"][0]
    assert [type(value) for value in (values["one"]["cubejs_tenants"], tenant, *tenant)] == [list, dict] + [str] * 4
    assert {type(value) for value in tenant.values()} <= {str, int, bool, float}


class Vaulted:
    """A vault-encrypted text of ansible-core before 2.19: a sequence of its ciphertext."""

    _ciphertext = b"..."

    def __str__(self) -> str:
        return "decrypted"


def test_vaulted_texts_are_decrypted() -> None:
    assert plain({"password": Vaulted()}) == {"password": "decrypted"}


def test_a_value_within_itself_ends_in_an_error() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(AnsibleError, match="contains itself"):
        plain(endless)


def test_tenants_of_files_are_added_to_those_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants/beta.yml").write_text("{number: '{{ number }}', api_secret: '{{ vault_none }}'}")
    shared = {"cubejs_tenants": [{"name": "acme"}], "cubejs_tenants_dir": "tenants"}
    found = reader(tmp_path, {"one": {"number": 1}, "two": {"number": 2}}, shared)
    values, problems = found.read(["one", "two"], NAMES | {"cubejs_tenants_dir", "inventory_dir"}, "cubejs_")
    assert [values[host]["cubejs_tenants"][1] for host in ("one", "two")] == [
        {"name": "beta", "number": number, "api_secret": None} for number in (1, 2)
    ]
    assert [problem.subject for problem in problems] == ["cubejs_tenants[beta].api_secret"] * 2


@pytest.mark.parametrize("tenants", [None, "no list"])
def test_what_is_wrong_with_files_is_told_once(tenants: Any, tmp_path: Path) -> None:
    shared = {"cubejs_tenants": tenants, "cubejs_tenants_dir": "nowhere"}
    values, problems = reader(tmp_path, {"one": {}, "two": {}}, shared).read(["one", "two"], {*shared}, "cubejs_")
    assert [problem.subject for problem in problems] == ["cubejs_tenants_dir"]
    assert values["one"]["cubejs_tenants"] == ([] if tenants is None else ["no list"])
