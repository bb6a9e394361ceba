"""Rules on who reaches what."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Listener
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Reach, RedisSeen, Unknown

EVERYWHERE = Listener("tcp", "0.0.0.0", 4000)
LOOPBACK = Listener("tcp", "127.0.0.1", 4000)
SQL = Listener("tcp", "::", 5432)
DENIED = (Unknown("listeners", "denied", "become"),)


def fleet(seeing: Any, *listeners: Listener, two: tuple[Reach, ...] = (), **of: Any) -> Any:
    """Return an instance that listens there on host "one", and host "two", which tried these."""
    addresses = of.pop("addresses", ("192.0.2.1",))
    web_servers = of.pop("web_servers", ())
    return seeing.live(
        seeing.instance(listeners=listeners, **of),
        hosts=(seeing.host("one", addresses=addresses), seeing.host("two", reach=two, web_servers=web_servers)),
    )


def tried(port: int, state: str, host: str = "192.0.2.1") -> tuple[Reach, ...]:
    return (Reach(host, port, state),)


@pytest.mark.parametrize(
    ("listeners", "changes", "status", "severity"),
    [
        pytest.param([LOOPBACK], {}, "pass", "error", id="loopback"),
        pytest.param([EVERYWHERE], {"two": tried(4000, "open")}, "fail", "error", id="open to another host"),
        pytest.param([EVERYWHERE], {"two": tried(4000, "filtered")}, "pass", "error", id="closed by a firewall"),
        pytest.param([EVERYWHERE], {"two": tried(4000, "refused")}, "pass", "error", id="refused by a firewall"),
        pytest.param([EVERYWHERE], {"two": tried(4000, "unknown")}, "unknown", "error", id="tried without a result"),
        pytest.param([EVERYWHERE], {"two": tried(4001, "open")}, "unknown", "error", id="another port"),
        pytest.param([EVERYWHERE], {}, "unknown", "error", id="not tried"),
        pytest.param([EVERYWHERE], {"addresses": ("8.8.8.8",)}, "fail", "warning", id="on the Internet, not tried"),
        pytest.param(
            [EVERYWHERE], {"addresses": ("8.8.8.8",), "two": tried(4000, "filtered", "8.8.8.8")}, "pass", "error",
            id="on the Internet, closed",
        ),
        pytest.param([LOOPBACK, SQL], {"two": tried(5432, "open")}, "fail", "error", id="the SQL API"),
        pytest.param([EVERYWHERE, SQL], {"two": tried(4000, "refused")}, "unknown", "error", id="one of two was tried"),
        pytest.param([], {}, "unknown", "error", id="no listener"),
        pytest.param([], {"unknown": DENIED}, "unknown", "error", id="listeners that were not read"),
        pytest.param([], {"running": False}, "not_applicable", "error", id="not running"),
    ],
)  # fmt: skip
def test_ports(listeners: list[Listener], changes: dict[str, Any], status: str, severity: str, seeing: Any) -> None:
    found = fleet(seeing, *listeners, **{"environment": {"CUBEJS_PG_SQL_PORT": "5432"}, **changes})
    (finding,) = seeing.judge("cube-port-exposed", found)
    assert (finding.status, finding.severity, finding.host) == (status, severity, "one")
    assert ("SQL API" in finding.message) == (SQL in listeners and status == "fail")


@pytest.mark.parametrize(
    ("mode", "status"), [("0770", "pass"), ("0755", "pass"), ("0777", "fail"), ("0772", "fail"), ("", "unknown")]
)
def test_sockets(mode: str, status: str, seeing: Any) -> None:
    listener = Listener("unix", path="/run/c.sock", mode=mode, owner="cube-acme", group="www-data")
    assert [each.status for each in seeing.judge("cube-port-exposed", fleet(seeing, listener))] == [status]


def test_its_proxy_may_reach_it(seeing: Any) -> None:
    site = seeing.web_server(seeing.passing(upstreams=("192.0.2.1:4000",)))
    found = fleet(seeing, EVERYWHERE, two=tried(4000, "open"), web_servers=(site,))
    (finding,) = seeing.judge("cube-port-exposed", found)
    # Nobody else tried.
    assert finding.status == "unknown"


def test_its_planned_proxy_may_reach_it(seeing: Any, make_fleet: Any) -> None:
    plan = make_fleet(groups={"cubejs_api": ["one"], "cubejs_redis": ["one"], "cubejs_nginx": ["two"]})
    (finding,) = seeing.judge("cube-port-exposed", fleet(seeing, EVERYWHERE, two=tried(4000, "open")), plan)
    assert finding.status == "unknown"


def server(seeing: Any, product: str, address: str = "127.0.0.1", **changes: Any) -> Any:
    """Return an instance on host "one", whose server is at an address, on a host that listens and tries so."""
    listening, two = changes.pop("listening", ()), changes.pop("two", ())
    addresses = changes.pop("addresses", ("192.0.2.1",))
    redis = {"r": RedisSeen("", "node_redis", address, changes.pop("port", 6401), 0, tls=False)}
    mysql = {"s": seeing.mysql(host=address, **changes)}
    keys = {"redis": "r"} if product == "redis" else {"storage": "s"}
    return seeing.live(
        seeing.instance(**keys),
        hosts=(
            seeing.host("one", addresses=addresses, redis=redis, mysql=mysql, listening=listening),
            seeing.host("two", reach=two),
        ),
    )


@pytest.mark.parametrize(("product", "port"), [("redis", 6401), ("mysql", 3306)])
@pytest.mark.parametrize(
    ("listens", "tries", "changes", "status", "severity"),
    [
        pytest.param(["127.0.0.1", "::1"], None, {}, "pass", "error", id="loopback"),
        pytest.param(["0.0.0.0"], "open", {}, "fail", "error", id="open to a stranger"),
        pytest.param(["0.0.0.0"], "refused", {}, "pass", "error", id="closed"),
        pytest.param(["192.0.2.1"], None, {}, "unknown", "error", id="not tried"),
        pytest.param(["8.8.8.8"], None, {}, "fail", "warning", id="on the Internet"),
        pytest.param(
            ["0.0.0.0"], None, {"addresses": ("8.8.8.8",)}, "fail", "warning", id="everywhere, on the Internet"
        ),
        pytest.param([], None, {}, "unknown", "error", id="no listener was seen"),
        pytest.param(["0.0.0.0"], None, {"address": "192.0.2.9"}, "unknown", "error", id="a host that was not seen"),
        pytest.param([], "open", {"address": "192.0.2.9"}, "fail", "error", id="elsewhere, open to a stranger"),
    ],
)
def test_servers(
    product: str,
    port: int,
    listens: list[str],
    tries: str | None,
    changes: dict[str, Any],
    status: str,
    severity: str,
    seeing: Any,
) -> None:
    at = changes.get("address", "192.0.2.1")
    found = server(
        seeing,
        product,
        **{
            "listening": tuple(Listener("tcp", each, port) for each in listens),
            "two": tried(port, tries, at) if tries else (),
            **changes,
        },
    )
    (finding,) = seeing.judge(f"{product}-port-exposed", found)
    if product == "redis" and severity == "warning":
        # What Redis listens on is another rule's.
        status, severity = "unknown", "error"
    assert (finding.status, finding.severity, finding.tenant) == (status, severity, "acme")


def test_clients_may_reach_a_server(seeing: Any) -> None:
    listening = (Listener("tcp", "0.0.0.0", 3306),)
    found = seeing.live(
        seeing.instance(storage="s"),
        seeing.instance("other", host="two", storage="s"),
        hosts=(
            seeing.host("one", addresses=("192.0.2.1",), mysql={"s": seeing.mysql()}, listening=listening),
            seeing.host("two", mysql={"s": seeing.mysql(host="192.0.2.1")}, reach=tried(3306, "open")),
        ),
    )
    (finding,) = seeing.judge("mysql-port-exposed", found)
    assert (finding.status, finding.subject) == ("unknown", "MySQL on one:3306")


def test_a_server_that_listens_on_a_socket_only(seeing: Any) -> None:
    found = server(seeing, "mysql", socket="/run/mysqld.sock")
    assert [each.status for each in seeing.judge("mysql-port-exposed", found)] == ["pass"]


def test_servers_that_nobody_uses_are_not_looked_for(seeing: Any) -> None:
    for rule in ("redis-port-exposed", "mysql-port-exposed"):
        assert seeing.judge(rule, seeing.live()) == []


@pytest.mark.parametrize(
    ("state", "status"), [("open", "fail"), ("refused", "pass"), ("filtered", "pass"), ("unknown", "unknown")]
)
def test_a_port_of_a_host_that_was_not_looked_at(state: str, status: str, seeing: Any) -> None:
    (finding,) = seeing.judge("tried-port-closed", fleet(seeing, two=tried(4000, state, "198.51.100.7")))
    assert (finding.status, finding.subject, finding.host) == (status, "198.51.100.7:4000", "two")


def test_a_port_of_a_host_that_was_looked_at_is_judged_by_what_listens_there(seeing: Any) -> None:
    assert not seeing.judge("tried-port-closed", fleet(seeing, EVERYWHERE, two=tried(4000, "open")))
