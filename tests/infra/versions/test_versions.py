"""Each release answers a query over HTTPS, with the source's own numbers, and from where it should."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets
from cube import Cube, sign
from storage import Storage

HOST = "versions1"
ASK = Path(__file__).parents[1] / "cubejs" / "on_host" / "ask.py"
BUILT_WITHIN_SECONDS = 120
WITH_STORAGE = {
    # Before 0.25.4 nothing can name the schema.
    "v020": "stb_pre_aggregations",
    "v027": "cube_v027",
    "v028": "cube_v028",
    "v029": "cube_v029",
}
WITHOUT_STORAGE = ("v031", "v032")
QUESTION = {"measures": ["Orders.count", "Orders.total"], "dimensions": ["Orders.status"]}


@dataclass(frozen=True)
class Deployed:
    """What the tests need of the scenario."""

    lab: Any
    inventory: dict[str, Any]
    address: str

    def ask(self, tenant: str, question: dict[str, Any]) -> dict[str, Any]:
        """Return a tenant's answer."""
        cube = Cube(f"{tenant}.example", self.address, self.lab.folder / "ca" / "ca.crt")
        return cube.load(question, self.token(tenant))

    def token(self, tenant: str) -> str:
        """Return a token that a tenant's API accepts for ten minutes."""
        master = self.inventory["all"]["vars"]["cubejs_master_secret"]
        return sign(secrets.derive(master, secrets.FOR_API, tenant, 0), 600)

    def storage(self, schema: str) -> Storage:
        """Return a schema of the storage."""
        return Storage(("ssh", "-F", str(self.lab.folder / "ssh_config"), HOST), schema)


@pytest.fixture(scope="module")
def deployed(lab: Any) -> Deployed:
    inventory = yaml.safe_load((lab.scenario / "inventory.yml").read_text())
    hosts = yaml.safe_load((lab.folder / "hosts.yml").read_text())["all"]["hosts"]
    return Deployed(lab, inventory, hosts[HOST]["ansible_host"])


@pytest.fixture(scope="module")
def truth(lab: Any) -> dict[str, tuple[int, int]]:
    """Return status -> (count, total) as SQL on the source says."""
    rows = lab.host("source1").check_output(
        "mariadb --batch --skip-column-names -e 'SELECT status, COUNT(*), SUM(amount) FROM shop.orders GROUP BY 1'"
    )
    return {status: (int(count), int(total)) for status, count, total in (row.split("\t") for row in rows.splitlines())}


def numbers(answer: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Return an answer as status -> (count, total)."""
    return {row["Orders.status"]: (int(row["Orders.count"]), int(float(row["Orders.total"]))) for row in answer["data"]}


@pytest.mark.parametrize("tenant", WITHOUT_STORAGE)
def test_the_source_is_asked(deployed: Deployed, truth: dict[str, tuple[int, int]], tenant: str) -> None:
    assert numbers(deployed.ask(tenant, QUESTION)) == truth


@pytest.mark.parametrize("tenant", WITH_STORAGE)
def test_the_rollup_is_built_and_served(deployed: Deployed, truth: dict[str, tuple[int, int]], tenant: str) -> None:
    storage = deployed.storage(WITH_STORAGE[tenant])
    deadline = time.monotonic() + BUILT_WITHIN_SECONDS
    while not storage.tables() and time.monotonic() < deadline:
        time.sleep(1)
    assert storage.tables(), deployed.lab.host(HOST).check_output(
        f"journalctl -n 30 -u 'cubejs-refresh-worker@{tenant}'"
    )
    # A limit that no other test asks for: the answer cannot come from a cache.
    with storage.listening() as statements:
        answer = deployed.ask(tenant, {**QUESTION, "limit": 4321})
    assert numbers(answer) == truth
    assert set(statements.reading(storage.schema)) & set(storage.tables())


@pytest.mark.parametrize("tenant", [*WITH_STORAGE, *WITHOUT_STORAGE])
def test_production_mode_holds(deployed: Deployed, lab: Any, tenant: str) -> None:
    """Without a token, and with one that nobody signed, the answer is 403, whatever the release."""
    ask = f"python3 -c {shlex.quote(ASK.read_text())} /run/cubejs/{tenant}-1/cube.sock /cubejs-api/v1/meta"
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpYXQiOjF9."
    signed = deployed.token(tenant)
    answers = [lab.host(HOST).check_output(f"{ask} {token}").split()[0] for token in ("", unsigned, signed)]
    assert answers == ["403", "403", "200"]


def test_mysql_9_is_refused_with_its_reason(lab: Any) -> None:
    host = lab.host("mysql9")
    before = host.check_output("find /etc/mysql /etc/systemd/system -type f -printf '%p %T@\\n' | sort")
    run = lab.playbook(Path(__file__).with_name("mysql9.yml"))
    assert run.status != 0
    assert "mysql_native_password" in run.output
    assert "MySQL 9" in run.output
    assert not run.changed
    assert host.check_output("find /etc/mysql /etc/systemd/system -type f -printf '%p %T@\\n' | sort") == before
