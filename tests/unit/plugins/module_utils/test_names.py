"""Names, ports and paths of a tenant."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import names

EPHEMERAL = range(32768, 61000)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        pytest.param("a", True, id="one letter"),
        pytest.param("acme2", True, id="digits"),
        pytest.param("a" * 20, True, id="twenty"),
        pytest.param("a" * 21, False, id="too long"),
        pytest.param("2acme", False, id="digit first"),
        pytest.param("Acme", False, id="upper case"),
        pytest.param("ac-me", False, id="hyphen"),
        pytest.param("ac_me", False, id="underscore"),
        pytest.param("acme\n", False, id="line break at the end"),
        pytest.param("", False, id="empty"),
    ],
)
def test_tenant_names(name: str, fits: bool) -> None:
    assert names.is_tenant_name(name) is fits


def test_names_of_a_tenant() -> None:
    assert [
        names.system_user("acme"),
        names.api_instance("acme", 2),
        names.refresh_worker_instance("acme"),
        names.api_unit("acme-2"),
        names.refresh_worker_unit("acme"),
        names.redis_unit("acme"),
        names.mysql_schema("acme"),
        names.mysql_user("acme"),
        names.socket_path("acme-2"),
        names.current_release("acme"),
        names.ca_bundle("acme"),
    ] == [
        "cube-acme",
        "acme-2",
        "acme",
        "cubejs-api@acme-2.service",
        "cubejs-refresh-worker@acme.service",
        "cubejs-redis@acme.service",
        "cube_acme",
        "cube_acme",
        "/run/cubejs/acme-2/cube.sock",
        "/opt/cubejs/tenants/acme/current",
        "/opt/cubejs/tenants/acme/current/ca.crt",
    ]


def test_the_longest_names_fit_linux_mysql_and_a_socket_address() -> None:
    longest = "a" * 20
    assert len(names.system_user(longest)) <= 32
    assert len(names.mysql_user(longest)) <= 32
    assert len(names.socket_path(names.api_instance(longest, 10))) < 108


def test_no_instance_name_is_another_tenants() -> None:
    assert all(not names.is_tenant_name(names.api_instance("acme", index)) for index in names.API_INSTANCES)


def test_ports_differ_and_stay_out_of_the_ephemeral_range() -> None:
    ports = [
        port
        for number in names.NUMBERS
        for port in (
            *(names.api_port(number, index) for index in names.API_INSTANCES),
            names.redis_port(number),
        )
    ]
    assert len(set(ports)) == len(ports)
    assert not set(ports) & set(EPHEMERAL)
    assert min(ports) > 1024


def test_the_pattern_is_the_documented_one() -> None:
    assert re.fullmatch(names.TENANT_PATTERN, "acme")
    assert names.TENANT_PATTERN.pattern == "[a-z][a-z0-9]{0,19}"


@pytest.mark.parametrize(
    ("used", "following"),
    [
        pytest.param([], 1, id="nobody yet"),
        pytest.param([1, 7], 8, id="one above the highest, no gap"),
        pytest.param([0, 1000], 1, id="numbers out of range do not count"),
        pytest.param([1, 2, 999], 3, id="the lowest gap, where the highest is taken"),
        pytest.param(range(1, 1000), None, id="all used up"),
    ],
)
def test_the_next_number(used: Iterable[int], following: int | None) -> None:
    assert names.next_number(used) == following
