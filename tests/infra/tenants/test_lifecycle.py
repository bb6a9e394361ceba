"""A tenant is added, changed, suspended and resumed; nothing of the others is touched meanwhile."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from tenants import (
    HOST,
    MYSQL,
    NUMBERS,
    Audited,
    Tenant,
    differing,
    is_about,
    of_others,
    planted,
    state_of,
    tenant_of,
    with_changes,
)

# Links by which systemd starts at boot what is enabled.
WANTED = "/etc/systemd/system/multi-user.target.wants/"
Tenants = dict[str, Tenant]
Look = Callable[..., Audited]

# Of the same source as acme, so that it needs no database of its own.
UMBRELLA: dict[str, Any] = {
    "number": 4,
    "server_name": "cube.umbrella.example",
    "project": {"path": str(Path(__file__).resolve().parents[3] / "examples/tenants/cube")},
    "database": {
        "type": "mysql",
        "host": "127.0.0.1",
        "name": "acme",
        "user": "acme_reader",
        "password": "{{ vault_acme_password }}",
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for the tenants' files."""
    return tmp_path / "tenants"


@pytest.fixture(scope="module", autouse=True)
def as_before(lab: Any) -> Iterator[None]:
    """See that the host is as the example says when all of this is over."""
    yield
    run = lab.converge("--check")
    assert run.status == 0, run.output
    assert not run.changed, run.output


def raw(tenant: Tenant, path: str) -> tuple[int, dict[str, str], str]:
    """Return what the proxy answers to a tenant's client: status, headers and body."""
    context = ssl.create_default_context(cafile=str(tenant.cube.authority))
    with (
        socket.create_connection((tenant.cube.address, 443), 30) as plain,
        context.wrap_socket(plain, server_hostname=tenant.cube.server_name) as stream,
    ):
        lines = f"GET {path} HTTP/1.1\r\nHost: {tenant.cube.server_name}\r\nConnection: close\r\n\r\n"
        stream.sendall(lines.encode())
        response = HTTPResponse(stream)
        response.begin()
        with response:
            return response.status, dict(response.getheaders()), response.read().decode()


def test_a_tenant_is_added_and_the_others_are_not_touched(lab: Any, folder: Path) -> None:
    """Named first in the order of files, so that everything that follows from an order would move."""
    before = state_of(lab)
    run = lab.converge(*with_changes(folder, umbrella=UMBRELLA), "--extra-vars", "tenant=umbrella")
    assert run.status == 0, run.output
    after = state_of(lab)
    assert differing(before, after, is_about("umbrella")) == {}
    added = tenant_of(lab, "umbrella", 4)
    rows = added.ask({"measures": ["Orders.count"]})
    assert [str(row["Orders.count"]) for row in rows] == [added.storage.ask("SELECT COUNT(*) FROM acme.orders;")[0][0]]
    assert not [secret for secret in planted(lab, {**NUMBERS, "umbrella": 4}) if secret in run.output]


def test_in_another_order_a_run_of_all_changes_nothing(lab: Any, folder: Path) -> None:
    arguments = with_changes(folder, umbrella=UMBRELLA)
    variables = json.loads(arguments[1])
    variables["cubejs_tenants"].reverse()
    before = state_of(lab)
    run = lab.converge("--extra-vars", json.dumps(variables))
    assert run.status == 0, run.output
    assert not run.changed, run.output
    assert differing(before, state_of(lab), lambda _key: False) == {}


def test_a_run_for_one_tenant_leaves_what_is_due_for_another(lab: Any, folder: Path) -> None:
    """Both are changed in the inventory, one is asked for."""
    changes = {name: {"log_level": "info"} for name in ("acme", "globex")}
    before = state_of(lab)
    arguments = (*with_changes(folder, umbrella=UMBRELLA, **changes), "--extra-vars", "tenant=globex")
    run = lab.converge(*arguments)
    assert run.status == 0, run.output
    after = state_of(lab)
    assert differing(before, after, is_about("globex")) == {}
    assert any("unit cubejs-api@globex-1" in key for key in differing(before, after, lambda _key: False))
    again = lab.converge(*arguments)
    assert not again.changed, again.output
    assert max(again.remote_calls.values()) <= 25, again.remote_calls


def test_a_tenant_that_nobody_knows_is_refused(lab: Any) -> None:
    run = lab.converge("--extra-vars", "tenant=glbex")
    assert run.status != 0
    assert "tenant: 'glbex' is no tenant of the inventory" in run.output
    assert "Write one of acme, globex, initech" in run.output
    assert not run.remote_calls, run.remote_calls


def test_a_failing_canary_keeps_the_next_wave_from_beginning(lab: Any, folder: Path, tmp_path: Path) -> None:
    """The canary's release does not compile; the other's would."""
    broken = tmp_path / "broken"
    (broken / "schema").mkdir(parents=True)
    (broken / "schema/Orders.js").write_text("cube(`Orders`, { sql: `SELECT 1`, measures: { broken: ")
    before = state_of(lab)
    changes = {
        "acme": {"log_level": "error"},
        "globex": {"log_level": "info", "wave": 0, "project": {"path": str(broken)}},
    }
    run = lab.converge(*with_changes(folder, umbrella=UMBRELLA, **changes))
    assert run.status != 0
    assert "tenant globex was tried and is not switched to" in run.output, run.output
    after = state_of(lab)
    running = {key: state for key, state in after.items() if key.startswith("unit ")}
    assert differing({key: before[key] for key in running}, running, lambda _key: False) == {}
    assert before["/opt/cubejs/tenants/acme/current"] == after["/opt/cubejs/tenants/acme/current"]
    mended = {"acme": {"log_level": "error"}, "globex": {"log_level": "info", "wave": 0}}
    run = lab.converge(*with_changes(folder, umbrella=UMBRELLA, **mended))
    assert run.status == 0, run.output
    now = state_of(lab)
    assert now["/opt/cubejs/tenants/acme/current"] != after["/opt/cubejs/tenants/acme/current"]


def test_a_tenant_is_suspended_and_resumed(lab: Any, folder: Path, tenants: Tenants, look: Look) -> None:
    globex = tenants["globex"]
    run = lab.converge(*with_changes(folder, umbrella=UMBRELLA))
    assert run.status == 0, run.output
    data = sorted(globex.storage.tables())
    before = state_of(lab)
    arguments = with_changes(folder, umbrella=UMBRELLA, globex={"suspended": True})
    run = lab.converge(*arguments)
    assert run.status == 0, run.output
    suspended = state_of(lab)
    assert differing(before, suspended, is_about("globex")) == {}
    gone = set(before) - set(suspended)
    assert all(key.startswith(("/run/cubejs/", WANTED, "unit cubejs-")) for key in gone), gone
    for unit in (globex.unit, "cubejs-refresh-worker@globex.service"):
        asked = f"systemctl is-active '{unit}'; systemctl is-enabled '{unit}'"
        assert globex.host.run(asked).stdout.split() == ["inactive", "disabled"], unit
    assert sorted(globex.storage.tables()) == data
    for path in ("/cubejs-api/v1/load?query={}", "/", "/readyz"):
        status, headers, body = raw(globex, path)
        assert (status, headers["Retry-After"]) == (503, "3600"), path
        assert json.loads(body)["error"]
        assert headers["Strict-Transport-Security"]
    assert tenants["acme"].answers()
    again = lab.converge(*arguments)
    assert not again.changed, again.output
    for playbook in ("audit", "drift"):
        found = look(*arguments, playbook=playbook)
        assert found.of("fail", "unknown") == []
    assert found.of("pass", rule="drift-instance", tenant="globex")
    # Somebody starts it by hand.
    globex.host.check_output(f"systemctl start '{globex.unit}'")
    assert look(*arguments, playbook="drift").of("fail", rule="drift-unit", tenant="globex")
    run = lab.converge(*with_changes(folder, umbrella=UMBRELLA))
    assert run.status == 0, run.output
    globex.wait_until_it_answers()


def test_what_left_the_inventory_is_told_and_goes_on(lab: Any) -> None:
    before = state_of(lab)
    run = lab.converge()
    assert run.status == 0, run.output
    assert of_others(run) == set(), run.output
    assert differing(before, state_of(lab), lambda key: key.startswith(MYSQL)) == {}
    assert "Not planned on this host, and left alone: umbrella" in run.output
    assert "Not planned on this host, and served as before: umbrella" in run.output
    assert tenant_of(lab, "umbrella", 4).answers()


def test_drift_and_audit_tell_of_it(look: Look) -> None:
    found = look(playbook="drift").of("fail", rule="drift-instance")
    assert [line for line in found if "cubejs-api@umbrella-1" in line and "nobody planned it" in line], found
    assert HOST in found[0]
