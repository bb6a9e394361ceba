"""The firewall of a cluster: clients get through, a host without business there does not, and the audit says which."""

from __future__ import annotations

import json
from typing import Any

import pytest

HOSTS = ("cube1", "cube2", "cube3")
STRANGER = "stranger"
# What listens for other hosts, and who is among its clients.
PORTS = {
    "Redis": ("cube1", 20001),
    "another tenant's Redis": ("cube2", 20002),
    "Sentinel": ("cube3", 26379),
    "MySQL": ("cube3", 3306),
    "Cube.js": ("cube1", 10010),
}
CONNECT = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"
EXPOSED = {"redis-sentinel-open", "redis-port-exposed", "mysql-port-exposed", "cube-port-exposed"}


def reaches(cluster: Any, client: str, server: str, port: int) -> bool:
    """Say whether one host can connect to a port of another; what is neither is an error."""
    done = cluster.lab.host(client).run(f"python3 -c '{CONNECT}' {cluster.addresses[server]} {port}")
    assert done.rc == 0 or "ConnectionRefusedError" in done.stderr, done.stderr
    return bool(done.rc == 0)


def audited(cluster: Any) -> dict[str, list[tuple[str, str, str]]]:
    """Return rule -> status, severity and message of what an audit says of who reaches what."""
    folder = cluster.lab.folder / "reports"
    run = cluster.lab.playbook(
        "cubeops.cubejs.audit",
        "-e", json.dumps({"cubejs_report_formats": ["json"], "cubejs_report_directory": str(folder),
                          "cubejs_rules_only": sorted(EXPOSED), "cubejs_audit_hosts": "all"}),
    )  # fmt: skip
    report = folder / "cubejs-audit.json"
    assert report.exists(), run.output
    found: dict[str, list[tuple[str, str, str]]] = {}
    findings = json.loads(report.read_text())["findings"]
    for each in (each for each in findings if each["subject"] != "cubejs_redis_sentinels"):  # what the plan says
        found.setdefault(each["rule"], []).append((each["status"], each["severity"], each["message"]))
    report.unlink()
    return found


@pytest.mark.parametrize("what", PORTS)
def test_a_stranger_is_refused(cluster: Any, what: str) -> None:
    """And it is by the firewall: without the table the same connection is made."""
    server, port = PORTS[what]
    assert not reaches(cluster, STRANGER, server, port)
    host = cluster.lab.host(server)
    host.run_expect([0], "nft delete table inet cubeops")
    try:
        assert reaches(cluster, STRANGER, server, port)
    finally:
        host.run_expect([0], "systemctl reload cubejs-firewall.service")
    assert not reaches(cluster, STRANGER, server, port)


@pytest.mark.parametrize("client", HOSTS)
def test_every_client_is_answered(cluster: Any, client: str) -> None:
    """Every host of this cluster has a Sentinel and instances of both tenants; two have the proxies."""
    for server, port in PORTS.values():
        is_client = port != 10010 or client in ("cube1", "cube2")
        assert reaches(cluster, client, server, port) is is_client, f"{server}:{port}"


def test_what_is_for_everybody_stays_so(cluster: Any) -> None:
    for server in ("cube1", "cube2"):
        assert [reaches(cluster, STRANGER, server, port) for port in (22, 80, 443)] == [True] * 3


def test_the_audit_says_that_the_firewall_protects(cluster: Any) -> None:
    found = audited(cluster)
    assert set(found) == EXPOSED
    assert {(rule, status) for rule, each in found.items() for status, _severity, _message in each} == {
        (rule, "pass") for rule in EXPOSED
    }, found
    assert all(
        "tried, and did not get through" in message for _status, _severity, message in found["redis-sentinel-open"]
    )


def test_the_audit_is_red_without_it(cluster: Any) -> None:
    for host in HOSTS:
        cluster.lab.host(host).run_expect([0], "nft delete table inet cubeops")
    try:
        found = audited(cluster)
    finally:
        run = cluster.lab.playbook("cubeops.cubejs.firewall")
    assert run.status == 0, run.output
    assert {host for host, _task in run.changed} == set(HOSTS), "a run puts back what somebody took away"
    for rule in EXPOSED:
        failed = [(severity, message) for status, severity, message in found[rule] if status == "fail"]
        assert failed, rule
        assert all(severity == "error" and "can reach" in message for severity, message in failed), failed
    assert not any(reaches(cluster, STRANGER, *place) for place in PORTS.values())
