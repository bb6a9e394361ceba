"""Tenants over several hosts: one moves to another, and a canary that fails on one host keeps all from the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster import DATA, HOSTS, ROOT, TENANTS, awaited, is_whole, loading, names

EXAMPLE = ROOT / "examples" / "cluster" / "inventory.yml"
MOVER = {"name": "mover", "number": 4, "server_name": "cube.mover.example", "redis": {}}


def given(*more: Mapping[str, Any], variables: Mapping[str, Any] | None = None, **changes: Any) -> tuple[str, ...]:
    """Return the arguments with which tenants of the example have other settings, and with more of them."""
    listed = yaml.safe_load(EXAMPLE.read_text())["all"]["vars"]["cubejs_tenants"]
    project = {"path": str(ROOT / "examples" / "shop" / "cube")}
    tenants = [{**each, "project": project, **changes.get(each["name"], {})} for each in listed]
    tenants += [{**listed[0], "project": project, **each} for each in more]
    return ("--extra-vars", json.dumps({"cubejs_tenants": tenants, **(variables or {})}))


@pytest.fixture
def whole(cluster: Any) -> Any:
    """Return a cluster that is whole."""
    for tenant in TENANTS:
        awaited(lambda name=tenant: is_whole(cluster, name), f"{tenant} is replicated")
    return cluster


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Return where the numbers of tenants that are gone are put on record."""
    return tmp_path / "retired.txt"


def units_of(lab: Any, tenant: str) -> set[str]:
    """Return the hosts on which a tenant's API instance runs."""
    unit = names.api_unit(names.api_instance(tenant, 1))
    return {host for host in HOSTS if lab.host(host).run(f"systemctl is-active {unit}").stdout.strip() == "active"}


def test_a_tenant_moves_to_another_host(whole: Any, lab: Any, record: Path) -> None:
    """The old host goes on to answer; that the tenant is still there is told, and it goes when that is asked for."""
    before = whole.processes()
    variables = {"tenant": "mover", "cubejs_retired_file": str(record)}
    old, new = ({**MOVER, "hosts": [host, "cube3"]} for host in DATA)
    run = lab.converge(*given(old, variables=variables))
    assert run.status == 0, run.output
    assert whole.answers("mover", "cube1")
    with loading(whole, "mover", ["cube1"]) as load:
        run = lab.converge(*given(new, variables=variables))
        assert run.status == 0, run.output
        ended = time.monotonic()
        awaited(lambda: load.succeeds(20, ended), "who still asks the old host is answered")
    assert not load.failed, load.failed
    assert whole.answers("mover", "cube2")
    assert "Not planned on this host, and left alone: mover" in run.output, run.output
    assert units_of(lab, "mover") == {"cube1", "cube2"}
    asked = {**variables, "confirm": "mover", "host": "cube1", "export": False}
    removed = lab.playbook("cubeops.cubejs.tenant_remove", *given(new, variables=asked))
    assert removed.status == 0, removed.output
    assert {host for host, _task in removed.changed} == {"cube1"}, removed.changed
    assert units_of(lab, "mover") == {"cube2"}
    assert whole.answers("mover", "cube2")
    assert not record.exists()
    asked = {**variables, "confirm": "mover", "export": False}
    removed = lab.playbook("cubeops.cubejs.tenant_remove", *given(new, variables=asked))
    assert removed.status == 0, removed.output
    assert units_of(lab, "mover") == set()
    assert whole.processes() == before


@pytest.fixture
def broken_on_one_host(lab: Any) -> Iterator[str]:
    """Give a host on which no release of acme passes its trial."""
    folder = f"/etc/systemd/system/{names.trial_unit('acme')}.d"
    host = lab.host("cube2")
    host.run_expect(
        [0], f"mkdir -p {folder}; printf '[Service]\\nExecStartPre=/bin/false\\n' > {folder}/zz-broken.conf"
    )
    host.run_expect([0], "systemctl daemon-reload")
    yield "cube2"
    host.run_expect([0], f"rm {folder}/zz-broken.conf; systemctl daemon-reload")


def test_a_canary_that_fails_on_one_host_stops_them_all(whole: Any, lab: Any, broken_on_one_host: str) -> None:
    before = whole.processes()
    changes = {"acme": {"wave": 0, "log_level": "trace"}, "bazaar": {"log_level": "trace"}}
    run = lab.converge(*given(**changes))
    assert run.status != 0, run.output
    assert f"fatal: [{broken_on_one_host}]" in run.output, run.output
    after = whole.processes()
    touched = {name for name in before if before[name] != after.get(name)}
    assert not [name for name in touched if "bazaar" in name], touched
    assert f"{broken_on_one_host} {names.api_unit(names.api_instance('acme', 1))}" not in touched, touched
    assert all(whole.answers(tenant, host) for tenant in TENANTS for host in DATA)


def test_the_next_run_brings_all_of_them_to_what_is_written(whole: Any, lab: Any) -> None:
    run = lab.converge()
    assert run.status == 0, run.output
    again = lab.converge()
    assert again.status == 0, again.output
    assert not again.changed, again.output
    assert all(whole.answers(tenant, host) for tenant in TENANTS for host in DATA)
