"""Definitions read from inventories that are right and wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import definitions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import WARNING
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import Inventory

TWO = {"cubejs_redis": ["one"], "cubejs_api": ["two"], "cubejs_refresh_worker": ["two"]}
WEAK = "changeme"


@pytest.fixture
def read(spec: dict[str, Any], make_inventory: Callable[..., Inventory]) -> Callable[..., definitions.Definitions]:
    redis = {"redis_version": {"type": "raw"}, "redis_instances": {"type": "list"}}
    return lambda *arguments, **keys: definitions.read(
        make_inventory(*arguments, **keys), {"cubejs": spec, "redis": redis}, lambda _path: True
    )


def found(read: definitions.Definitions) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.subject, finding.host) for finding in read.findings]


def test_what_is_right_has_no_findings(read: Callable[..., definitions.Definitions]) -> None:
    definition = read()
    assert found(definition) == []
    assert [entry.subject for entry in definition.entries] == ["cubejs_tenants[acme]"]
    assert definition.by_name["acme"]["project"]["path"] == "/inventory/projects/acme"
    assert definition.master


@pytest.mark.parametrize(
    ("variables", "finding"),
    [
        pytest.param({"redis_version": 7.0}, ("version-series", "redis_version", ""), id="everywhere wrong: told once"),
        pytest.param({"cubejs_listen": "pipe"}, ("value-choice", "cubejs_listen", ""), id="choice"),
        pytest.param({"cubejs_node": {"sorce": "given"}}, ("unknown-key", "cubejs_node.sorce", ""), id="key below"),
        pytest.param({"cubejs_relases_kept": 3}, ("unknown-key", "cubejs_relases_kept", ""), id="misspelt variable"),
        pytest.param(
            {"cubejs_waiver_file": "w"}, ("unknown-key", "cubejs_waiver_file", ""), id="misspelt, of the audit"
        ),
        pytest.param({"cubejs_master_secret": WEAK}, ("secret-strength", "cubejs_master_secret", ""), id="weak master"),
        pytest.param({"cubejs_master_secret": 5}, ("value-type", "cubejs_master_secret", ""), id="master no text"),
        pytest.param({"cubejs_tenants": None}, ("value-required", "cubejs_tenants", ""), id="no tenants"),
        pytest.param({"cubejs_tenants": {"acme": {}}}, ("value-type", "cubejs_tenants", ""), id="tenants no list"),
        pytest.param({"cubejs_tenants": ["acme"]}, ("value-type", "cubejs_tenants[0]", ""), id="tenant no dictionary"),
    ],
)
def test_findings(
    variables: dict[str, Any], finding: tuple[str, str, str], read: Callable[..., definitions.Definitions]
) -> None:
    assert finding in found(read(groups=TWO, **variables))


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"cubejs_project_root": "x"}, id="a helper of the user's own"),
        pytest.param({"redis_instances": "the plan's"}, id="what the plan hands over"),
        pytest.param({"cubejs_tenants": []}, id="no tenant yet"),
        pytest.param({"cubejs_releases_kept": "3"}, id="number from the command line"),
        pytest.param({"redis_flavour": 1}, id="another collection's variable"),
    ],
)
def test_what_is_none_of_its_business(variables: dict[str, Any], read: Callable[..., definitions.Definitions]) -> None:
    assert found(read(groups=TWO, **variables)) == []


def test_a_variable_is_judged_where_its_role_runs(read: Callable[..., definitions.Definitions]) -> None:
    hosts = {"one": {"cubejs_releases_kept": "x"}, "two": {"redis_version": 7.0}}
    assert found(read(groups=TWO, hosts=hosts)) == []


def test_hosts_are_named_where_others_are_right(read: Callable[..., definitions.Definitions]) -> None:
    groups = {"cubejs_redis": ["one", "two", "three"]}
    hosts = {"one": {"redis_version": 7.0}, "three": {"redis_version": 7.0}}
    assert found(read(groups=groups, hosts=hosts)) == [("version-series", "redis_version", "one, three")]


def test_a_misspelt_variable_only_warns(read: Callable[..., definitions.Definitions]) -> None:
    assert [finding.severity for finding in read(cubejs_relases_kept=3).findings] == [WARNING]


def test_hosts_that_see_different_definitions_are_named(
    read: Callable[..., definitions.Definitions], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    hosts = {"two": {"cubejs_tenants": [make_tenant(), make_tenant("beta", 2, max_in_flight=7)]}}
    definition = read([make_tenant(), make_tenant("beta", 2)], groups=TWO, hosts=hosts)
    assert found(definition) == [("tenant-differs-between-hosts", "cubejs_tenants[beta]", "")]
    assert "two and one" in definition.findings[0].message


@pytest.mark.parametrize("name", ["cubejs_tenants", "cubejs_master_secret"])
def test_hosts_that_see_none_are_named(name: str, read: Callable[..., definitions.Definitions]) -> None:
    definition = read(groups=TWO, hosts={"two": {name: None}})
    assert [finding for finding in found(definition) if finding[1] == name] == [
        ("tenant-differs-between-hosts", name, "")
    ]


def test_a_master_secret_that_differs_is_not_printed(read: Callable[..., definitions.Definitions]) -> None:
    definition = read(groups=TWO, hosts={"two": {"cubejs_master_secret": "MARKEDkD93hfLw02mXoQz71RbVtYc5NgUe8sAi"}})
    assert [finding.rule for finding in definition.findings] == ["tenant-differs-between-hosts"]
    assert "MARKED" not in str(definition.findings)


@pytest.mark.parametrize(
    ("keys", "rules"),
    [
        pytest.param({}, ["one-refresh-worker"], id="each would start its worker"),
        pytest.param({"refresh_worker": False}, [], id="no worker"),
        pytest.param({"hosts": ["one"]}, [], id="bound to this host"),
    ],
)
def test_the_role_alone_on_several_hosts(
    keys: dict[str, Any], rules: list[str], spec: dict[str, Any], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    variables = {"one": {"cubejs_tenants": [make_tenant(**keys)]}}
    alone = Inventory.of_one_role("one", {"all": ["one", "two"]}, variables, frozenset({"acme"}))
    read = definitions.read(alone, {"cubejs": spec}, lambda _path: True)
    assert [finding.rule for finding in read.findings] == rules


def test_the_role_alone_leaves_out_tenants_of_other_hosts(
    spec: dict[str, Any], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    variables = {"one": {"cubejs_tenants": [make_tenant(hosts=["two"]), make_tenant("beta", 2, hosts=["stranger"])]}}
    alone = Inventory.of_one_role("one", {"all": ["one", "two"]}, variables)
    assert list(definitions.read(alone, {"cubejs": spec}, lambda _path: True).by_name) == ["beta"]


def test_names_of_tenants_survive_whatever_is_wrong() -> None:
    assert definitions.tenant_names([{"name": "a"}, {}, "b"], None, "c", [{"name": 5}]) == {"a", "5"}


def test_variables_that_are_read_leave_out_what_the_plan_makes(spec: dict[str, Any]) -> None:
    names = definitions.variables({"cubejs": spec})
    assert {"cubejs_tenants", "cubejs_address", "ansible_host"} <= names
    assert "cubejs_deployments" not in names


def test_the_shared_redis_is_judged_where_redis_lives(read: Callable[..., definitions.Definitions]) -> None:
    hosts = {"one": {"cubejs_shared_redis": {"rotations": 1}}}
    assert found(read(groups=TWO, hosts=hosts)) == [("unknown-key", "cubejs_shared_redis.rotations", "")]
