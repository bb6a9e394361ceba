"""Tables of nftables beside planned ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.drift_firewall import TABLE, drifted
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import FirewallSeen, Unknown

GROUPS = {
    "cubejs_redis": ["one"],
    "cubejs_mysql": ["one"],
    "cubejs_api": ["two"],
    "cubejs_refresh_worker": ["two"],
    "cubejs_nginx": ["two"],
}
PLANNED = {"20001": ("192.0.2.2",), "3306": ("192.0.2.2",)}
Judge = Callable[..., dict[str, Finding]]


@pytest.fixture
def judge(make_plan: Callable[..., Any], make_tenant: Callable[..., Any]) -> Judge:
    """Return how to judge host one, with Redis and MySQL for host two: subject -> finding."""

    def judged(table: FirewallSeen | None, unknown: Any = (), **variables: Any) -> dict[str, Finding]:
        made = make_plan([make_tenant()], groups=GROUPS, hosts={"one": variables})
        host = seen.Observation(
            seen.FORMAT, "one", "m", 0.0, privileged=True, firewall=table, unknown=tuple(unknown)
        )  # fmt: skip
        return {each.subject: each for each in drifted(made.fleet, Live(observations={"one": host}), made.data)}

    return judged


def loaded(changes: Mapping[str, Any] | None = None, *strange: str) -> FirewallSeen:
    """Return the planned table with other ports; None takes one out."""
    ports = {**PLANNED, **(changes or {})}
    return FirewallSeen(True, {port: networks for port, networks in ports.items() if networks is not None}, strange)


def test_a_table_as_planned(judge: Judge) -> None:
    found = judge(loaded())
    assert set(found) == {TABLE, "redis-acme", "mysql"}
    assert {each.status for each in found.values()} == {"pass"}
    assert (found["redis-acme"].tenant, found["mysql"].tenant) == ("acme", "")
    assert {each.host for each in found.values()} == {"one"}


@pytest.mark.parametrize(
    ("table", "subject", "words"),
    [
        pytest.param(FirewallSeen(False), TABLE, "not loaded: everybody reaches mysql, redis-acme", id="flushed"),
        pytest.param(loaded({}, "chain input is not as"), TABLE, "chain input is not as", id="strange"),
        pytest.param(
            loaded({"20001": ("192.0.2.2", "192.0.2.9")}), "redis-acme",
            "192.0.2.9 gets through to port 20001, and the plan does not say so", id="one more",
        ),
        pytest.param(
            loaded({"3306": ()}), "mysql", "192.0.2.2 does not get through to port 3306, and the plan", id="one less"
        ),
        pytest.param(loaded({"3306": None}), "mysql", "everybody reaches port 3306", id="not guarded"),
    ],
)  # fmt: skip
def test_what_is_not_as_planned(table: FirewallSeen, subject: str, words: str, judge: Judge) -> None:
    wrong = {name: each for name, each in judge(table).items() if each.status == "fail"}
    assert set(wrong) == {subject}
    assert (words in wrong[subject].message, wrong[subject].severity) == (True, "error")
    assert wrong[subject].remedy.startswith("Run the site playbook")


def test_further_clients_are_planned(judge: Judge) -> None:
    clients = {"redis": ["192.0.2.9"]}
    found = judge(loaded({"20001": ("192.0.2.2", "192.0.2.9")}), firewall_clients=clients)
    assert {each.status for each in found.values()} == {"pass"}
    assert judge(loaded(), firewall_clients=clients)["redis-acme"].status == "fail"


def test_what_nobody_planned_is_a_warning(judge: Judge) -> None:
    found = judge(loaded({"20002": ("192.0.2.2",)}))
    wrong = [each for each in found.values() if each.status == "fail"]
    assert [(each.severity, "port 20002" in each.message) for each in wrong] == [("warning", True)]


@pytest.mark.parametrize(
    ("table", "statuses"),
    [pytest.param(FirewallSeen(False), [], id="gone"), pytest.param(loaded(), ["fail"], id="still there")],
)
def test_where_it_is_turned_off(table: FirewallSeen, statuses: list[str], judge: Judge) -> None:
    assert [each.status for each in judge(table, firewall_enabled=False).values()] == statuses


def test_what_could_not_be_read_is_unknown(judge: Judge) -> None:
    found = judge(None, [Unknown("firewall", "Operation not permitted", "Run it with become")])
    (finding,) = found.values()
    assert (finding.status, finding.remedy) == ("unknown", "Run it with become")
    assert "Operation not permitted" in finding.message
    assert judge(None)[TABLE].status == "unknown"


def test_a_host_on_which_nothing_is_planned(make_plan: Callable[..., Any]) -> None:
    made = make_plan()
    for table, told in ((FirewallSeen(False), 0), (None, 0), (loaded(), 1)):
        host = seen.Observation(seen.FORMAT, "one", "m", 0.0, privileged=True, firewall=table)
        found = list(drifted(made.fleet, Live(observations={"one": host}), made.data))
        assert len([each for each in found if each.status != "pass"]) == told
