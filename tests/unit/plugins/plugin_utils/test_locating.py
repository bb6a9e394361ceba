"""Where variables stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.manager import VariableManager
from ansible_collections.cubeops.cubejs.plugins.plugin_utils import locating
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.locating import Locator

TENANTS = """\
---
# Tenants
cubejs_tenants:
  - name: acme
    number: 1
    redis:
      pool_max: 12
    hosts:
      - one
  - name: beta
    number: 2
templated: "{{ elsewhere }}"
"""


@pytest.fixture
def variables(tmp_path: Path) -> Mapping[str, Any]:
    """Return the variables of a host as Ansible reads them."""
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(TENANTS)
    (tmp_path / "hosts.ini").write_text("[web]\none cubejs_version=0.29.57\n")
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(tmp_path / "hosts.ini")])
    found: Mapping[str, Any] = VariableManager(loader=loader, inventory=inventory).get_vars(
        host=inventory.get_host("one")
    )
    return found


@pytest.mark.parametrize(
    ("subject", "line"),
    [
        pytest.param("cubejs_tenants", 3, id="variable"),
        pytest.param("cubejs_tenants[acme].redis.pool_max", 7, id="key of an element"),
        pytest.param("cubejs_tenants[beta].number", 11, id="another element"),
        pytest.param("cubejs_tenants[1].number", 11, id="an element by its place"),
        pytest.param("cubejs_tenants[acme].hosts[0]", 9, id="element of a list in it"),
        pytest.param("cubejs_tenants[acme].redis.host", 6, id="what is missing stands in what should have it"),
        pytest.param("cubejs_tenants[gamma].number", 3, id="an element that is missing"),
        pytest.param("templated.key", 12, id="in a template"),
    ],
)
def test_ansible_remembers(subject: str, line: int, variables: Mapping[str, Any], tmp_path: Path) -> None:
    place = Locator([variables], base=str(tmp_path)).locate(subject)
    assert place
    if locating.Origin is None and line not in (3, 6, 9):
        pytest.skip("this ansible-core remembers places of texts and collections only")
    assert place.file == "group_vars/all.yml"
    assert abs(place.line - line) <= 1, "a collection stands where its first element does, or above"


@pytest.mark.parametrize("subject", ["cubejs-api@acme-1.service", "one", "", "[]", "cubejs_other.key"])
def test_what_is_no_variable_is_nowhere(subject: str, variables: Mapping[str, Any]) -> None:
    assert Locator([variables]).locate(subject) is None


class Position(str):
    """A text as ansible-core before 2.19 has it."""

    ansible_pos = ("/inventory/group_vars/all.yml", 42, 3)


def test_older_ansible_remembers_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locating, "Origin", None)
    place = Locator([{"cubejs_tenants": [{"name": "acme", "server_name": Position("x")}]}], base="/inventory").locate(
        "cubejs_tenants[acme].server_name"
    )
    assert str(place) == "group_vars/all.yml:42"


@pytest.mark.parametrize(
    ("sources", "base", "place"),
    [
        pytest.param(["hosts.ini"], ".", "group_vars/all.yml:3", id="beside a file"),
        pytest.param(["."], ".", "group_vars/all.yml:3", id="in a folder"),
        pytest.param(["nowhere/hosts.ini", "hosts.ini"], "/elsewhere", "{}/group_vars/all.yml:3", id="base elsewhere"),
    ],
)
def test_what_is_not_remembered_is_searched(
    sources: list[str], base: str, place: str, tmp_path: Path, variables: Mapping[str, Any]
) -> None:
    assert variables
    found = Locator([{"cubejs_tenants": 1}], [str(tmp_path / each) for each in sources], str(tmp_path / base))
    assert str(found.locate("cubejs_tenants[acme]")) == place.format(tmp_path)


def test_a_variable_that_no_file_has_is_nowhere(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_bytes(b"\xff\xfe: 1\n")
    assert Locator([{"cubejs_tenants": 1}], [str(tmp_path), None]).locate("cubejs_tenants") is None


def test_the_first_host_that_has_it_tells() -> None:
    def hosts() -> Iterator[Mapping[str, Any]]:
        yield {"other": 1}
        yield {"x": Position("1")}

    assert str(Locator(hosts()).locate("x")) == "/inventory/group_vars/all.yml:42"
