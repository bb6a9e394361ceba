"""Drift sees what the kernel of each Debian has in place of the planned table, and a run mends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
# One tenant over the three hosts, so that something listens for another one on each.
GROUPS = {
    "cubejs_redis": "bullseye",
    "cubejs_mysql": "trixie",
    "cubejs_api": "bookworm",
    "cubejs_refresh_worker": "bookworm",
    "cubejs_nginx": "trixie",
}
PLAN = {
    "cubejs_version": "0.29.57",
    "cubejs_master_secret": "plantedMaster7Kd2WmYt5RcXv8JbPq3LsNz",
    "cubejs_tenants": [
        {
            "name": "depot",
            "number": 1,
            "server_name": "cube.depot.example",
            "project": {"path": str(ROOT / "examples" / "shop" / "cube")},
            "database": {
                "type": "mysql",
                "host": "db.example",
                "name": "shop",
                "user": "cube",
                "password": "plantedQ7x",
            },
        }
    ],
}
SERVICES = {"bullseye": "redis-depot", "trixie": "mysql", "bookworm": "cubejs-depot"}
TABLE = "table inet cubeops"
Drift = Callable[..., dict[tuple[str, str], str]]


@pytest.fixture(scope="module")
def planned(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Return the arguments with which the inventory has a plan, whose rules are loaded; they go again afterwards."""
    groups = {group: {"hosts": {host: {}}} for group, host in GROUPS.items()}
    path = tmp_path_factory.mktemp("plan") / "plan.yml"
    path.write_text(yaml.safe_dump({**groups, "all": {"vars": PLAN}}))
    yield ("-i", str(path))
    for host, service in SERVICES.items():
        lab.host(host).run_expect([0], f"rm -f /etc/cubejs/firewall/services/{service}.*")
        lab.host(host).run_expect([0], "systemctl reload cubejs-firewall.service")


@pytest.fixture(scope="module")
def drift(lab: Any, planned: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Drift:
    """Return how to look for drift: host and subject -> message of errors and what is unknown."""

    def look() -> dict[tuple[str, str], str]:
        folder = tmp_path_factory.mktemp("drift")
        wanted = {
            "cubejs_report_formats": ["json"], "cubejs_report_directory": str(folder),
            "cubejs_rules_only": ["drift-firewall"], "cubejs_audit_probes": [],
        }  # fmt: skip
        run = lab.playbook("cubeops.cubejs.drift", *planned, "--extra-vars", json.dumps(wanted))
        assert not run.changed
        written = folder / "cubejs-drift.json"
        assert written.exists(), run.output
        found = json.loads(written.read_text())["findings"]
        told = {(each["host"], each["subject"]) for each in found}
        assert {(host, TABLE) for host in SERVICES} <= told or run.status != 0, found
        return {
            (each["host"], each["subject"]): each["message"]
            for each in found
            if each["status"] in ("fail", "unknown") and each["severity"] == "error"
        }

    return look


def test_drift_sees_what_is_loaded(lab: Any, guarded: Any, planned: tuple[str, ...], drift: Drift) -> None:
    """Not loaded yet, as planned, emptied, and with rules that somebody added or took out; each is mended by a run."""

    def deploy() -> set[str]:
        run = lab.playbook("cubeops.cubejs.firewall", *planned)
        assert run.status == 0, run.output
        return {host for host, _task in run.changed}

    assert set(drift()) == set(SERVICES.items())
    assert deploy() == set(SERVICES)
    assert drift() == {}

    lab.host("bullseye").run_expect([0], "nft flush ruleset")
    client = guarded.addresses["bullseye"]
    lab.host("trixie").run_expect([0], f"nft insert rule inet cubeops mysql ip saddr {client} accept")
    lab.host("bookworm").run_expect([0], "nft delete element inet cubeops guarded '{ 10010 }'")
    found = drift()
    assert set(found) == {("bullseye", TABLE), ("trixie", "mysql"), ("bookworm", TABLE), ("bookworm", "cubejs-depot")}
    assert "everybody reaches redis-depot" in found["bullseye", TABLE]
    assert f"{client} gets through to port 3306, and the plan does not say so" in found["trixie", "mysql"]
    assert "everybody reaches port 10010" in found["bookworm", "cubejs-depot"]

    assert deploy() == set(SERVICES)
    assert drift() == {}
    assert deploy() == set()
