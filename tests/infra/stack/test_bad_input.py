"""Bad input is refused before a host is touched, all of it at once, secrets masked."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from stacks import ROOT

# An address that nothing answers at (RFC 5737): whatever contacts it fails as unreachable, after its timeout.
NOBODY = {"hosts": {"nobody": {"ansible_host": "192.0.2.1", "ansible_user": "root"}}}
GROUPS = ("cubejs_redis", "cubejs_mysql", "cubejs_api", "cubejs_refresh_worker", "cubejs_nginx")
MASTER = "plantedMaster4Hq9TzWm2XcVb8NdKs6RfLy"
GIVEN = ("plantedShort", "planted:In/The@Url", "plantedDatabase4Gh")


def tenant(**changes: Any) -> dict[str, Any]:
    """Return a tenant's definition that is fine but for the changes."""
    return {
        "name": "acme",
        "number": 1,
        "server_name": "cube.acme.example",
        "project": {"path": str(ROOT / "examples" / "shop" / "cube")},
        "database": {"type": "mysql", "host": "db.example", "name": "shop", "user": "cube", "password": GIVEN[2]},
        **changes,
    }


def refused(folder: Path, variables: dict[str, Any]) -> str:
    """Run the whole deployment with an inventory; return what it printed, having failed before any host was touched."""
    inventory = {**dict.fromkeys(GROUPS, NOBODY), "all": {"vars": {"cubejs_master_secret": MASTER, **variables}}}
    path = folder / "inventory.yml"
    path.write_text(yaml.safe_dump(inventory))
    started = time.monotonic()
    done = subprocess.run(
        ["ansible-playbook", "-vvv", "-i", str(path), str(ROOT / "playbooks" / "site.yml")],
        # Without the folder, the run is not kept among those of the scenario's hosts.
        env={key: value for key, value in os.environ.items() if key != "LAB_DIRECTORY"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0, done.stdout
    assert "UNREACHABLE" not in done.stdout, f"a host was contacted after {time.monotonic() - started:.0f} s"
    assert "is refused" in done.stdout, done.stdout
    return done.stdout


def test_everything_is_found_at_once_and_named(tmp_path: Path) -> None:
    first = tenant(
        name="Acme_Corp",
        web_socket=True,
        api_instances="many",
        api_secret=GIVEN[0],
        redis={"pool_max": 1},
        project={"path": "/nowhere"},
    )
    second = tenant(
        name="second", redis={"url": f"redis://:{GIVEN[1]}@redis.example:6379", "client": "ioredis"}, version="0.36.0"
    )
    printed = refused(tmp_path, {"cubejs_version": 0.29, "cubejs_tenants": [first, second]})
    for subject, said in {
        "cubejs_version": "quotes",
        "cubejs_tenants[Acme_Corp].name": "lower-case",
        "cubejs_tenants[Acme_Corp].web_socket": "web_sockets",
        "cubejs_tenants[Acme_Corp].api_instances": "'many'",
        "cubejs_tenants[Acme_Corp].api_secret": "<masked>",
        "cubejs_tenants[Acme_Corp].redis.pool_max": "at least 10",
        "cubejs_tenants[Acme_Corp].project.path": "/nowhere",
        "cubejs_tenants[second].number": "is the number of",
        "cubejs_tenants[second].server_name": "server name",
        "cubejs_tenants[second].version": "0.36",
        "cubejs_tenants[second].redis.url": "<masked>",
    }.items():
        found = [line for line in printed.splitlines() if line.strip().startswith(f"- {subject}:")]
        assert any(said in line for line in found), f"{subject}: {found or printed}"


def test_no_secret_is_shown_when_it_is_refused(tmp_path: Path) -> None:
    bad = tenant(api_secret=GIVEN[0], redis={"url": f"redis://:{GIVEN[1]}@redis.example:6379", "client": "ioredis"})
    printed = refused(tmp_path, {"cubejs_tenants": [bad], "cubejs_version": "0.29.57"})
    assert [secret for secret in (MASTER, *GIVEN) if secret in printed] == []


MEMORY_FOR_TWO = tenant(cache_and_queue_driver="memory", api_instances=2)
DEVELOPING = tenant(environment={"CUBEJS_DEV_MODE": "true"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"cubejs_tenants": "acme"}, "cubejs_tenants", id="tenants that are no list"),
        pytest.param({"cubejs_tenants": [tenant(number=1.5)]}, "number", id="a fraction for a number"),
        pytest.param({"cubejs_tenants": [tenant(number=1000)]}, "999", id="a number out of range"),
        pytest.param({"cubejs_master_secret": "changeme"}, "cubejs_master_secret", id="a sample secret"),
        pytest.param({"cubejs_master_secret": ""}, "cubejs_master_secret", id="an empty secret"),
        pytest.param({"cubejs_version": "0.36.2"}, "0.36", id="a version without Redis"),
        pytest.param({"cubejs_version": "0.29"}, "0.29.57", id="a version that is not in full"),
        pytest.param({"redis_version": 7.0}, "redis_version", id="a version as a float"),
        pytest.param({"mysql_port": 10010, "cubejs_listen": "tcp"}, "10010", id="MySQL on an API instance's port"),
        pytest.param({"mysql_port": 20001}, "20001", id="MySQL on Redis' port"),
        pytest.param({"cubejs_tenants": [MEMORY_FOR_TWO]}, "memory", id="the memory driver for two processes"),
        pytest.param({"cubejs_tenants": [DEVELOPING]}, "CUBEJS_DEV_MODE", id="development mode"),
    ],
)
def test_each_is_refused_by_itself(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    printed = refused(tmp_path, {"cubejs_version": "0.29.57", "cubejs_tenants": [tenant()], **changes})
    assert said in printed
