"""Hosts that the roles have never touched: they are seen whole, and left as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.foreign.conftest import HOSTS, PLANTED, PROCESSES

PASSES = {  # what a decent deployment by hand gets right, each read from the live process
    "node-env-production",
    "root-page-production",
    "development-mode-off",
    "playground-closed",
    "token-required",
    "bad-token-refused",
    "unsigned-token-refused",
    "api-secret-set",
    "redis-reachable",
    "redis-same-for-tenant",
    "redis-password",
    "storage-reachable",
    "storage-foreign-tables",
    "one-refresh-worker",
    "api-does-not-refresh",
    "process-outlives-questions",
    "health-endpoints",
}

# What is said of a host whose servers are frozen: they serve nobody, and what only they could tell is not known.
SILENT = {
    "redis-reachable": "fail",
    "storage-reachable": "fail",
    "health-endpoints": "unknown",
    "https-redirect": "unknown",
}


def of_host(audited: dict[str, Any], host: str) -> list[dict[str, Any]]:
    """Return the findings of a host's deployment: each host has one of its own."""
    findings = audited["report"]["findings"]
    tenants = {each["tenant"] for each in findings if each["host"] == host and each["tenant"]}
    return [each for each in findings if each["host"] == host or (each["tenant"] in tenants and not each["host"])]


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_was_changed(audited: dict[str, Any], host: str) -> None:
    assert audited["after"][host][0] == audited["before"][host][0]


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_was_disturbed(audited: dict[str, Any], host: str) -> None:
    assert audited["after"][host][1] == audited["before"][host][1]
    assert audited["before"][host][1].count("cubejs-server") >= 2, audited["before"][host][1]


@pytest.mark.parametrize("host", HOSTS)
def test_the_deployment_is_seen_whole(audited: dict[str, Any], host: str) -> None:
    found = of_host(audited, host)
    assert len({each["tenant"] for each in found if each["tenant"]}) == 1, "API and worker are one deployment"
    passed = {each["rule"] for each in found if each["status"] == "pass"}
    others = {
        each["rule"]: (each["status"], each["message"]) for each in found if each["status"] in ("fail", "unknown")
    }
    assert passed >= PASSES, {rule: others.get(rule) for rule in PASSES - passed}


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_wrong_is_found(audited: dict[str, Any], host: str) -> None:
    """The script gives a process of 2 GiB a heap of more, and Nginx less than a query may have."""
    failed = {each["rule"] for each in of_host(audited, host) if each["status"] == "fail"}
    assert failed >= {"heap-size", "proxy-body-size"}


def test_one_secret_on_all_hosts_is_found(audited: dict[str, Any]) -> None:
    shared = [each for each in audited["report"]["findings"] if each["rule"] == "secret-shared-by-tenants"]
    assert {each["status"] for each in shared} == {"fail"}
    assert len(shared) >= len(HOSTS)


def test_the_planted_secret_is_nowhere(audited: dict[str, Any]) -> None:
    assert PLANTED not in json.dumps(audited["report"])
    assert PLANTED not in audited["output"]


def test_the_audit_ends_with_findings(audited: dict[str, Any]) -> None:
    assert (audited["status"], audited["report"]["outcome"]["name"]) == (2, "findings")


def test_a_process_whose_redis_is_away_is_not_killed(lab: Any, audit: Any) -> None:
    """/readyz would end it. It has not been asked for anything since it was started, and so holds no connection yet."""
    host = lab.host("unit12")
    host.check_output("systemctl stop cube@refresh-worker && systemctl restart cube@api")
    host.check_output("timeout 90 bash -c 'until (: </dev/tcp/127.0.0.1/10010); do sleep 0.3; done' 2>/dev/null")
    host.check_output("systemctl stop redis-server")
    try:
        pid = host.check_output("systemctl show --property=MainPID --value cube@api")
        _run, report = audit("--limit", "unit12")
        assert host.check_output("systemctl show --property=MainPID --value cube@api") == pid
        found = {each["rule"]: each["status"] for each in report["findings"] if each["host"] == "unit12"}
        assert found["redis-reachable"] == "fail"
        assert found["health-endpoints"] == "unknown"
    finally:
        host.check_output("systemctl start redis-server && systemctl start cube@refresh-worker")


def test_what_never_answers_is_unknown_and_holds_nothing_up(lab: Any, audit: Any) -> None:
    """Servers that are stopped in the middle take connections and say nothing; the deadline ends the wait."""
    host = lab.host("unit12")
    processes = host.check_output(PROCESSES)
    host.check_output("systemctl kill --signal=STOP redis-server mariadb nginx")
    try:
        _run, report = audit("--limit", "unit12", cubejs_audit_deadline_seconds=6)
    finally:
        host.check_output("systemctl kill --signal=CONT redis-server mariadb nginx")
    found = {each["rule"]: each for each in of_host({"report": report}, "unit12")}
    assert {rule: found[rule]["status"] for rule in SILENT} == SILENT, [found[rule]["message"] for rule in SILENT]
    assert "in time" in found["redis-reachable"]["message"]
    assert "timed out" in found["storage-reachable"]["message"]
    told = {rule: found[rule]["status"] for rule in ("node-env-production", "root-page-production", "token-required")}
    assert set(told.values()) == {"pass"}, told
    assert host.check_output(PROCESSES) == processes, "asking did not end the process"


def test_a_host_that_limit_leaves_out_is_named(audit: Any) -> None:
    _run, report = audit("--limit", "unit12")
    assert sorted(report["looked_at"]["missing_hosts"]) == ["pm2", "unit11", "unit13"]
    assert report["outcome"]["name"] in ("findings", "could-not-look")
