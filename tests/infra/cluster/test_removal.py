"""A tenant with a replicated Redis comes and goes: Sentinels and replicas follow, and nothing of the others changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from cluster import DATA, HOSTS, ROOT, TENANTS, audit, awaited, is_whole

EXAMPLE = ROOT / "examples" / "cluster" / "inventory.yml"
DEPOT = {"name": "depot", "number": 3, "server_name": "cube.depot.example"}


def given(record: Path, **variables: str) -> tuple[str, ...]:
    """Return the arguments with which the inventory has one more tenant, alike but for its name."""
    listed = yaml.safe_load(EXAMPLE.read_text())["all"]["vars"]["cubejs_tenants"]
    project = {"path": str(ROOT / "examples" / "shop" / "cube")}
    tenants = [{**each, "project": project} for each in (*listed, {**listed[0], **DEPOT})]
    values: Mapping[str, Any] = {"cubejs_tenants": tenants, "cubejs_retired_file": str(record), **variables}
    return ("--extra-vars", json.dumps(values))


def test_a_tenant_comes_and_goes(cluster: Any, lab: Any, tmp_path: Path) -> None:
    record = tmp_path / "retired.txt"
    for tenant in TENANTS:
        awaited(lambda name=tenant: is_whole(cluster, name), f"{tenant} is replicated")
    before = cluster.processes()
    run = lab.converge(*given(record, tenant="depot"))
    assert run.status == 0, run.output
    assert awaited(lambda: is_whole(cluster, "depot"), "depot is replicated")
    assert cluster.answers("depot", "cube1")
    assert {name: pid for name, pid in cluster.processes().items() if "depot" not in name} == before

    removed = lab.playbook("cubeops.cubejs.tenant_remove", *given(record, tenant="depot", confirm="depot"))
    assert removed.status == 0, removed.output
    assert "WARNING" not in removed.output, removed.output
    for host in HOSTS:
        watched = cluster.sentinel(host, "masters").splitlines()
        assert "depot" not in watched, watched
        assert set(TENANTS) <= set(watched)
        left = lab.host(host).check_output(
            "systemctl list-units --all --plain --no-legend '*depot*'; cd /etc/cubejs; ls redis firewall/services"
        )
        assert "depot" not in left, left
    for host in DATA:
        assert not lab.host(host).file("/var/lib/cubejs-redis/depot").exists
        assert not lab.host(host).file("/etc/nginx/cubejs/sites/depot.conf").exists
    assert "depot" not in lab.host("cube3").check_output("mariadb -NBe 'SHOW DATABASES; SELECT User FROM mysql.user'")
    assert cluster.processes() == before
    assert record.read_text().startswith("3 depot ")
    assert "depot" not in lab.host("cube1").check_output(
        "cat /etc/cubejs/redis/*sentinel* /var/lib/cubejs-redis*/*/*.conf 2>/dev/null || true"
    )
    second = lab.playbook("cubeops.cubejs.tenant_remove", *given(record, tenant="depot", confirm="depot"))
    assert second.status == 0, second.output
    assert not {task for _host, task in second.changed} - {"Write down that the number is taken for ever"}, (
        second.changed
    )
    rest = lab.converge()
    assert rest.status == 0, rest.output
    assert "depot" not in rest.output
    assert cluster.processes() == before
    found = audit(lab, tmp_path)
    assert "depot" not in json.dumps(list(found.findings))
