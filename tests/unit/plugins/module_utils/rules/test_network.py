"""Rules on ports and addresses: pass and fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
SPREAD = {
    "cubejs_redis": ["one"],
    "cubejs_mysql": ["one"],
    "cubejs_api": ["one", "two"],
    "cubejs_refresh_worker": ["one"],
    "cubejs_nginx": ["one"],
}


@pytest.mark.parametrize(
    ("variables", "port"),
    [
        pytest.param({}, None, id="nothing set"),
        pytest.param({"mysql_port": 20001}, 20001, id="MySQL on Redis' port"),
        pytest.param({"nginx_https_port": 10010}, 10010, id="Nginx on Cube's port"),
        pytest.param({"nginx_http_port": 3306}, 3306, id="Nginx on MySQL's port"),
        pytest.param({"mysql_port": 443}, 443, id="MySQL on Nginx' port"),
        pytest.param({"mysql_port": 80}, 80, id="MySQL on Nginx' other port"),
        pytest.param({"mysql_port": 10011}, None, id="a port that only another instance would have"),
    ],
)
def test_ports(variables: dict[str, int], port: int | None, subjects: Subjects, make_tenant: MakeTenant) -> None:
    expected = [(f"port {port}", "error")] if port else []
    assert subjects("ports-differ", [make_tenant(listen="tcp")], **variables) == expected


@pytest.mark.parametrize(
    ("port", "owner"),
    [
        pytest.param(20007, "MySQL (mysql_port) and a Redis instance (number 7)", id="Redis"),
        pytest.param(10070, "MySQL (mysql_port) and an API instance (number 7)", id="API"),
    ],
)
def test_who_wants_a_port_is_named(
    port: int, owner: str, make_plan: Callable[..., Any], make_tenant: MakeTenant
) -> None:
    findings = make_plan([make_tenant(number=7, listen="tcp")], mysql_port=port).findings
    assert [finding.message for finding in findings if finding.rule == "ports-differ"] == [f"{owner} want it on one"]


def test_ports_of_one_number_are_told_by_the_number(subjects: Subjects, make_tenant: MakeTenant) -> None:
    assert subjects("ports-differ", [make_tenant(), make_tenant("beta", 1)]) == []


@pytest.mark.parametrize(
    ("groups", "hosts", "found"),
    [
        pytest.param(None, {"one": {"ansible_host": "one.example"}}, [], id="one host needs none"),
        pytest.param(SPREAD, {}, [], id="addresses"),
        pytest.param(SPREAD, {"one": {"ansible_host": "one.example"}}, ["one"], id="a server's name"),
        pytest.param(SPREAD, {"two": {"ansible_host": "two.example"}}, ["two"], id="a client's name: no grant to it"),
        pytest.param(SPREAD, {"one": {"ansible_host": "127.0.0.1"}}, ["one"], id="loopback"),
        pytest.param(
            SPREAD, {"one": {"ansible_host": "one.example", "cubejs_address": "10.0.0.1"}}, [], id="a private address"
        ),
    ],
)
def test_addresses(groups: Any, hosts: Any, found: list[str], make_plan: Callable[..., Any]) -> None:
    findings = make_plan(groups=groups, hosts=hosts).findings
    assert [finding.host for finding in findings if finding.rule == "address-known"] == found


@pytest.mark.parametrize(
    ("groups", "listen", "fails"),
    [
        pytest.param(None, "socket", False, id="the proxy beside it"),
        pytest.param(SPREAD, None, False, id="derived"),
        pytest.param(SPREAD, "tcp", False, id="tcp"),
        pytest.param(SPREAD, "socket", True, id="a proxy elsewhere"),
    ],
)
def test_sockets(groups: Any, listen: str | None, fails: bool, subjects: Subjects, make_tenant: MakeTenant) -> None:
    expected = [("cubejs_listen", "error")] if fails else []
    assert subjects("socket-reached", [make_tenant(listen=listen)], groups=groups) == expected


def test_sentinels_have_a_port_and_need_an_address(make_plan: Callable[..., Any], make_tenant: MakeTenant) -> None:
    groups = {**SPREAD, "cubejs_redis": ["one", "two"], "cubejs_redis_sentinels": ["one", "two", "three"]}
    tenant = make_tenant(redis={"sentinel": True})
    made = make_plan([tenant], groups=groups, hosts={"three": {"ansible_host": "three.example"}}, mysql_port=26379)
    told = {finding.rule: finding for finding in made.findings}
    assert told["ports-differ"].message == "MySQL (mysql_port) and Sentinel want it on one"
    assert told["address-known"].host == "three"
