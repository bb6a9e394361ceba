"""Rules on tenants: pass and fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("rule", "keys", "subject"),
    [
        pytest.param("tenant-name", {"name": "Ac-me"}, "cubejs_tenants[Ac-me].name", id="name off the pattern"),
        pytest.param("tenant-number", {"number": 1000}, "cubejs_tenants[acme].number", id="number too high"),
        pytest.param("tenant-number", {"number": 0}, "cubejs_tenants[acme].number", id="number too low"),
        pytest.param("server-name", {"server_name": None}, "cubejs_tenants[acme].server_name", id="no server name"),
        pytest.param("server-name", {"server_name": "https://a.b"}, "cubejs_tenants[acme].server_name", id="a URL"),
        pytest.param("server-name", {"server_name": "a_b.c"}, "cubejs_tenants[acme].server_name", id="an underscore"),
        pytest.param("server-name", {"server_name": "a.b\n"}, "cubejs_tenants[acme].server_name", id="a line break"),
        pytest.param("tenant-hosts", {"hosts": ["stranger"]}, "cubejs_tenants[acme].hosts", id="unknown host"),
    ],
)
def test_fails(rule: str, keys: dict[str, Any], subject: str, subjects: Subjects, make_tenant: MakeTenant) -> None:
    assert subjects(rule, [make_tenant(**keys)]) == [(subject, "error")]
    assert subjects(rule) == []


@pytest.mark.parametrize("server_name", ["cube", "cube.acme.example", "1.a-b.example", "a" * 63 + ".b"])
def test_server_names_that_are_right(server_name: str, subjects: Subjects, make_tenant: MakeTenant) -> None:
    assert subjects("server-name", [make_tenant(server_name=server_name)]) == []


def test_no_server_name_is_needed_without_nginx(subjects: Subjects, make_tenant: MakeTenant) -> None:
    groups = {"cubejs_api": ["one"], "cubejs_redis": ["one"]}
    assert subjects("server-name", [make_tenant(server_name=None)], groups=groups) == []


@pytest.mark.parametrize(
    ("keys", "subject"),
    [
        pytest.param({"name": "acme", "server_name": "b"}, "cubejs_tenants[acme].name", id="name"),
        pytest.param({"name": "beta", "number": 1}, "cubejs_tenants[beta].number", id="number"),
        pytest.param(
            {"name": "beta", "server_name": "Cube.ACME.example"}, "cubejs_tenants[beta].server_name", id="server name"
        ),
    ],
)
def test_what_two_tenants_share(
    keys: dict[str, Any], subject: str, subjects: Subjects, make_tenant: MakeTenant
) -> None:
    tenants = [make_tenant(), make_tenant(**{"number": 2, **keys})]
    assert (subject, "error") in subjects("tenant-unique", tenants)
    assert subjects("tenant-unique", [make_tenant(), make_tenant("beta", 2)]) == []


def test_the_next_free_number_is_named(make_plan: Callable[..., Any], make_tenant: MakeTenant) -> None:
    tenants = [make_tenant("a", 1), make_tenant("b", 1), make_tenant("c", 2)]
    remedies = [finding.remedy for finding in make_plan(tenants).findings if finding.rule == "tenant-unique"]
    assert remedies == ["Give the newest another one; 3 is free"]


@pytest.mark.parametrize(
    ("groups", "keys", "count"),
    [
        pytest.param({"cubejs_api": ["one"]}, {}, 1, id="no host for the worker"),
        pytest.param({"cubejs_api": ["one"]}, {"refresh_worker": False}, 0, id="no worker wanted"),
        pytest.param({"cubejs_refresh_worker": ["one"]}, {}, 1, id="no host for the API"),
        pytest.param({"cubejs_redis": ["one"]}, {}, 2, id="neither"),
        pytest.param(
            {"cubejs_api": ["one"], "cubejs_refresh_worker": ["two"]}, {"hosts": ["one"]}, 1, id="bound away from it"
        ),
    ],
)
def test_hosts(
    groups: dict[str, list[str]], keys: dict[str, Any], count: int, subjects: Subjects, make_tenant: MakeTenant
) -> None:
    assert len(subjects("tenant-hosts", [make_tenant(**keys)], groups=groups)) == count
