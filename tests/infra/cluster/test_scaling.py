"""A host set up anew; then a host more, and one less again, without a request that fails."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cluster import DATA, ROOT, SPARE, TENANTS, Machine, awaited, is_whole, loading, names

PLAYBOOK = "cubeops.cubejs.host_remove"
DROPPED = ("cube3", "Drop the accounts that log in from there")
# What ansible-playbook ends with when a host cannot be reached.
UNREACHABLE = 4
SPARE_HOSTS = f"cubejs_api: {{hosts: {{{SPARE}: {{}}}}}}\n"


@pytest.fixture(scope="module")
def with_spare(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Return the arguments with which the inventory has one more API host."""
    path = tmp_path_factory.mktemp("spare") / "spare.yml"
    path.write_text(SPARE_HOSTS)
    return ("-i", str(path))


def others(processes: Mapping[str, str]) -> dict[str, str]:
    """Return the processes of all hosts but the spare one."""
    return {name: pid for name, pid in processes.items() if not name.startswith(SPARE)}


def accounts(lab: Any) -> set[str]:
    """Return the accounts of MySQL, as user@host."""
    sql = "SELECT CONCAT(User, '@', Host) FROM mysql.user"
    return set(lab.host("cube3").check_output(f'mariadb -NBe "{sql}"').split())


def upstreams(lab: Any, address: str) -> int:
    """Return how many of the proxies' upstreams are on a host."""
    return sum(int(lab.host(host).run(f"nginx -T 2>/dev/null | grep -c 'server {address}:'").stdout) for host in DATA)


def test_a_host_that_is_lost_for_good_is_set_up_anew(cluster: Any, lab: Any, note: Any) -> None:
    """Its successor has its name and address and nothing else: a run makes it what it was, but for the primary."""
    gone = awaited(lambda: is_whole(cluster, "acme"), "acme is replicated")
    [kept] = set(DATA) - {gone}
    before = cluster.processes()
    with loading(cluster, "acme", [kept]) as load:
        lost = time.monotonic()
        Machine(gone).destroy()
        for tenant in TENANTS:
            awaited(lambda name=tenant: cluster.primary(kept, name) == kept, f"{tenant} has its primary on {kept}")
        awaited(lambda: load.succeeds(20, lost), "queries are answered without the host")
        without = lab.converge()
        assert without.status == UNREACHABLE, without.output
        assert not without.changed, without.output
        created = lab.playbook(ROOT / "molecule/shared/create.yml")
        assert created.status == 0, created.output
        began = time.monotonic()
        run = lab.converge()
        assert run.status == 0, run.output
        ready = time.monotonic()
        for tenant in TENANTS:
            awaited(lambda name=tenant: is_whole(cluster, name) == kept, f"{tenant} is replicated again")
        awaited(lambda: load.succeeds(20, ready), "queries are answered")
    figures = load.figures(began)
    note("host_set_up_anew", {"run_seconds": round(ready - began, 1), **figures})
    assert figures["failed"] == 0, figures
    assert {host for host, _task in run.changed} == {gone}, run.changed
    assert all(cluster.answers(tenant, gone) for tenant in TENANTS)
    after = cluster.processes()
    assert set(after) == set(before)
    assert {name for name in before if before[name] != after[name]} <= {name for name in before if gone in name}
    assert lab.host(gone).run("ls /opt/cubejs/npm").stdout == "", "its packages came from another host"
    # Sentinel would put it right after 10 s. Until then it would be an empty primary.
    for tenant in TENANTS:
        log = lab.host(gone).check_output(f"journalctl --unit=cubejs-redis@{tenant}.service --output=cat --no-pager")
        assert "MASTER <-> REPLICA sync" in log, tenant
        assert "Before turning into a replica" not in log, f"{tenant} began as a primary"
    assert "OK 3 usable" in cluster.sentinel(gone, "ckquorum", "acme")
    again = lab.converge()
    assert again.status == 0, again.output
    assert not again.changed, again.output


def test_a_host_more(cluster: Any, lab: Any, note: Any, with_spare: tuple[str, ...]) -> None:
    awaited(lambda: is_whole(cluster, "acme"), "acme is replicated")
    before = cluster.processes()
    with loading(cluster, "acme") as load:
        began = time.monotonic()
        run = lab.converge(*with_spare)
        assert run.status == 0, run.output
        awaited(lambda: load.succeeds(20, time.monotonic() - 10), "queries are answered")
    figures = load.figures(began)
    note("host_added", figures)
    assert figures["failed"] == 0, figures
    assert upstreams(lab, cluster.addresses[SPARE]) == len(DATA) * len(TENANTS)
    assert others(cluster.processes()) == before
    awaited(lambda: all(cluster.answers(tenant, host) for tenant in TENANTS for host in DATA), "all answer")
    again = lab.converge(*with_spare)
    assert again.status == 0, again.output
    assert not again.changed, again.output


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        pytest.param({}, "'' is none of the hosts", id="nothing"),
        pytest.param({"host": "cube9", "confirm": "cube9"}, "'cube9' is none of the hosts", id="no such host"),
        pytest.param({"host": SPARE}, f"Confirm by the name: -e confirm={SPARE}", id="not confirmed"),
        pytest.param({"host": "cube1", "confirm": "cube1"}, "cube1 has Redis, or a replica of it", id="data"),
        pytest.param({"host": "cube3", "confirm": "cube3"}, "only host of the refresh worker of acme", id="worker"),
    ],
)
def test_what_must_not_go_is_refused(
    lab: Any, with_spare: tuple[str, ...], variables: Mapping[str, str], message: str
) -> None:
    run = lab.playbook(PLAYBOOK, *with_spare, "--extra-vars", json.dumps(variables))
    assert run.status != 0
    assert message in run.output, run.output
    assert not run.remote_calls


def test_a_limited_run_is_refused(lab: Any, with_spare: tuple[str, ...]) -> None:
    asked = json.dumps({"host": SPARE, "confirm": SPARE})
    run = lab.playbook(PLAYBOOK, *with_spare, "--extra-vars", asked, "--limit", SPARE)
    assert run.status != 0
    assert "a host leaves all proxies or none" in run.output, run.output


@pytest.fixture
def holding(cluster: Any, lab: Any) -> Iterator[str]:
    """Keep a connection to an instance of the spare host open, beside Nginx; return where it comes from.

    From the host of a proxy, since the firewall lets in no other. For as long as can be: Node.js closes a connection
    that asks nothing after 60 s.
    """
    port = names.api_port(1, 1)
    code = f"import socket, time; s = socket.create_connection(({cluster.addresses[SPARE]!r}, {port})); time.sleep(58)"
    host = lab.host("cube1")
    host.run_expect([0], f"systemd-run --unit=held --quiet python3 -c {shlex.quote(code)}")
    yield cluster.addresses["cube1"]
    host.run("systemctl stop held.service")


def test_a_host_that_somebody_still_asks_is_not_stopped(
    cluster: Any, lab: Any, with_spare: tuple[str, ...], holding: str
) -> None:
    before = cluster.processes()
    asked = {"host": SPARE, "confirm": SPARE, "nginx_worker_shutdown_timeout_seconds": 2}
    run = lab.playbook(PLAYBOOK, *with_spare, "--extra-vars", json.dumps(asked))
    assert run.status != 0
    assert f"1 from {holding}" in run.output, run.output
    assert "Nothing was stopped" in run.output, run.output
    assert "active" in lab.host(SPARE).check_output("systemctl is-active cubejs-api@acme-1.service")
    assert cluster.processes() == before
    again = lab.converge(*with_spare)
    assert again.status == 0, again.output
    assert upstreams(lab, cluster.addresses[SPARE]) == len(DATA) * len(TENANTS)


def test_a_host_less(cluster: Any, lab: Any, note: Any, with_spare: tuple[str, ...]) -> None:
    """Drained, stopped, and taken out of the inventory."""
    asked = ("--extra-vars", json.dumps({"host": SPARE, "confirm": SPARE}))
    before = cluster.processes()
    known = accounts(lab)
    foretold = lab.playbook(PLAYBOOK, *with_spare, "--check", *asked)
    assert foretold.status == 0, foretold.output
    assert (cluster.processes(), accounts(lab)) == (before, known)
    with loading(cluster, "acme") as load:
        began = time.monotonic()
        run = lab.playbook(PLAYBOOK, *with_spare, *asked)
        assert run.status == 0, run.output
        assert DROPPED in run.changed & foretold.changed
        assert known - accounts(lab) == {f"cube_{tenant}@{cluster.addresses[SPARE]}" for tenant in TENANTS}
        drained = round(time.monotonic() - began, 1)
        # Now, and not after the next run: who was not told tries the other instances, so no request would fail.
        assert upstreams(lab, cluster.addresses[SPARE]) == 0
        rest = lab.converge()
        assert rest.status == 0, rest.output
        awaited(lambda: load.succeeds(20, time.monotonic() - 10), "queries are answered")
    figures = load.figures(began)
    note("host_removed", {"drained_after_seconds": drained, **figures})
    assert figures["failed"] == 0, figures
    assert "Take it out of cubejs_api and run site" in run.output, run.output
    assert "/opt/cubejs" in run.output
    states = lab.host(SPARE).run(
        "systemctl list-units --all --plain --no-legend 'cubejs-api@*'; systemctl is-enabled 'cubejs-api@acme-1'"
    )
    assert " active " not in states.stdout, states.stdout
    assert "enabled" not in states.stdout.replace("disabled", ""), states.stdout
    assert others(cluster.processes()) == others(before)
    # What only follows from one client less: whom MySQL lets in, how many connections it and Redis allow.
    assert {task.partition(" : ")[0].rpartition(".")[2] for _host, task in rest.changed} <= {
        "mysql",
        "redis",
        "firewall",
    }, rest.changed
    assert not [account for account in accounts(lab) if account.endswith(f"@{cluster.addresses[SPARE]}")]
    assert not lab.converge().changed
