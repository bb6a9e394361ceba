"""A plan's figures as people read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.memory import GIBIBYTE
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan_summary import summary
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan_table import table

MakeTenant = Callable[..., dict[str, Any]]


def rows(made: Plan, title: str) -> list[dict[str, str]]:
    """Return a table's rows, by the places of its columns, connections of MySQL numbered."""
    section = next(part for part in table(summary(made.fleet, made.findings)).split("\n\n") if part.startswith(title))
    _title, head, *lines = section.splitlines()
    starts = [at for at in range(len(head)) if head[at] != " " and (at == 0 or head[at - 2 : at] == "  ")]
    bounds = list(zip(starts, [*starts[1:], None]))
    names = [head[start:end].strip() for start, end in bounds]
    unique = [f"{name} {names[:at].count(name) + 1}" if name in names[:at] else name for at, name in enumerate(names)]
    return [dict(zip(unique, (line[start:end].strip() for start, end in bounds))) for line in lines]


def test_every_column_of_a_tenant(make_plan: Callable[..., Plan], make_tenant: MakeTenant) -> None:
    made = make_plan([make_tenant(api_instances=2, listen="tcp")], cubejs_host_memory_bytes=8 * GIBIBYTE)
    assert rows(made, "Tenants (1)") == [
        {
            "tenant": "acme",
            "number": "1",
            "wave": "1",
            "version": "0.29.57",
            "API instances": "one:2",
            "refresh worker": "one",
            "ports": "10010-10011",
            "Redis": "one:20001/0",
            "connections": "90/190",
            "MySQL": "one:3306/cube_acme",
            "connections 2": "30/151",
            "RAM limits": "5.5G",
        }
    ]


def test_hosts_and_servers(make_plan: Callable[..., Plan]) -> None:
    made = make_plan(cubejs_host_memory_bytes=8 * GIBIBYTE)
    assert rows(made, "Hosts (1)") == [
        {
            "host": "one",
            "address": "192.0.2.1",
            "processes": "2",
            "Cube.js RAM": "4.0G/4.0G",
            "Redis": "1",
            "Redis RAM": "256M/1.1G",
            "MySQL RAM": "2.2G",
            "RAM": "8.0G",
        }
    ]
    assert rows(made, "Redis (1)")[0]["connections"] == "60/160"
    assert rows(made, "MySQL (1)")[0]["name"] == "mariadb"


def test_what_is_not_known_is_a_question_mark(make_plan: Callable[..., Plan], make_tenant: MakeTenant) -> None:
    made = make_plan([make_tenant(redis={"host": "r.example"})])
    (host,) = rows(made, "Hosts (1)")
    assert (host["Cube.js RAM"], host["Redis RAM"], host["RAM"]) == ("?", "-", "?")
    (tenant,) = rows(made, "Tenants (1)")
    assert (tenant["Redis"], tenant["connections"]) == ("r.example:6379/0 (external)", "60/?")
    assert rows(made, "Servers that are not deployed (1)")[0]["connections"] == "160/?"


@pytest.mark.parametrize(
    ("count", "shown"), [(3, "h1:1 h2:1 h3:1"), pytest.param(4, "4 hosts:1", id="many hosts are counted")]
)
def test_api_instances_of_hosts(count: int, shown: str, make_plan: Callable[..., Plan]) -> None:
    hosts = [f"h{number}" for number in range(1, count + 1)]
    groups = {"cubejs_api": hosts, "cubejs_refresh_worker": hosts, "cubejs_redis": hosts, "cubejs_nginx": hosts}
    assert rows(make_plan(groups=groups), "Tenants (1)")[0]["API instances"] == shown


def test_findings_end_it_the_worst_first(make_plan: Callable[..., Plan], make_tenant: MakeTenant) -> None:
    assert table({**summary(make_plan().fleet, ())}).endswith("Nothing is wrong with this plan.")
    tenants = [make_tenant(redis={"pool_max": 12}), make_tenant("beta", 1000)]
    *_others, title, first, second = table(summary((made := make_plan(tenants)).fleet, made.findings)).splitlines()
    assert title == "Findings (2)"
    assert first.startswith("error: cubejs_tenants[beta].number: 1000 is not within")
    assert second.startswith("warning: cubejs_tenants[acme].redis.pool_max: ")


def test_it_is_no_place_for_control_characters(make_plan: Callable[..., Plan], make_tenant: MakeTenant) -> None:
    made = make_plan([make_tenant(redis={"host": "r\n\x1b[31m.example"})])
    text = table(summary(made.fleet, ()))
    assert "\x1b" not in text
    assert "r\\n\\x1b[31m.example" in text
