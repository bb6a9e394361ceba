"""The scenario's tenants, as their clients and their administrators see them, and the audit of their host."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import names, secrets
from cube import Cube, CubeError, sign
from storage import Storage
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "tenants"
HOST = "cube1"
MYSQL = "/etc/mysql/"
NUMBERS = {"acme": 1, "globex": 2, "initech": 3}
STATE = Path(__file__).with_name("on_host") / "state.py"


def lab_variables(lab: Any) -> dict[str, Any]:
    """Return what the tests put over the example: the vault's secrets."""
    found: dict[str, Any] = yaml.safe_load((lab.scenario / "lab.yml").read_text())["all"]["vars"]
    return found


@dataclass(frozen=True)
class Tenant:
    """One tenant of the host."""

    host: Host
    name: str
    number: int
    cube: Cube
    master: str
    storage: Storage

    @property
    def unit(self) -> str:
        """Return the unit of its first API instance."""
        return names.api_unit(names.api_instance(self.name, 1))

    @property
    def user(self) -> str:
        """Return its system user."""
        return names.system_user(self.name)

    @property
    def token(self) -> str:
        """Return a token that its API accepts for ten minutes."""
        return sign(secrets.derive(self.master, secrets.FOR_API, self.name, 0), 600)

    @property
    def redis_password(self) -> str:
        """Return the password of its Redis."""
        return secrets.derive(self.master, secrets.FOR_REDIS, self.name, 0)

    @property
    def storage_password(self) -> str:
        """Return the password of its MySQL user."""
        return secrets.derive(self.master, secrets.FOR_STORAGE, self.name, 0)

    def ask(self, query: Mapping[str, Any], token: str | None = None) -> list[dict[str, Any]]:
        """Return the rows of a query, asked through Nginx."""
        rows: list[dict[str, Any]] = self.cube.load(dict(query), token or self.token)["data"]
        return rows

    def source(self, columns: str) -> list[list[str]]:
        """Return what the tenant's own source says, by status."""
        sql = f"SELECT status, {columns} FROM `{self.name}`.orders GROUP BY 1 ORDER BY 1;"
        return self.storage.ask(sql)

    def redis(self, *commands: str) -> str:
        """Return what the tenant's own Redis instance says to commands, sent on one connection."""
        port = names.redis_port(self.number)
        return self.host.run("printf '%s\\n' " + " ".join(map(_quoted, commands)) + f" | redis-cli -p {port}").stdout

    def mysql(self, user: str, password: str, sql: str) -> tuple[int, str]:
        """Return status and output of statements, run as a MySQL user over TCP."""
        done = self.host.run(
            f"MYSQL_PWD={password} mariadb --protocol=tcp -h 127.0.0.1 -u {user} -NBe {_quoted(sql)} 2>&1"
        )
        return done.rc, done.stdout

    def answers(self) -> bool:
        """Say whether its API answers a query that no cache holds."""
        try:
            return bool(self.ask({"measures": ["Orders.count"], "limit": 1 + time.time_ns() % 9999}))
        except CubeError:
            return False

    def wait_until_it_answers(self, seconds: float = 120) -> None:
        """Wait until its API answers."""
        deadline = time.monotonic() + seconds
        while not self.answers():
            assert time.monotonic() < deadline, f"{self.name} does not answer after {seconds:.0f} s"
            time.sleep(1)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def tenant_of(lab: Any, name: str, number: int) -> Tenant:
    """Return a tenant of the scenario's host."""
    address = yaml.safe_load((lab.folder / "hosts.yml").read_text())["all"]["hosts"][HOST]["ansible_host"]
    return Tenant(
        host=lab.host(HOST),
        name=name,
        number=number,
        cube=Cube(f"cube.{name}.example", address, lab.folder / "ca" / "ca.crt"),
        master=lab_variables(lab)["vault_cubejs_master_secret"],
        storage=Storage(("ssh", "-F", str(lab.folder / "ssh_config"), HOST), names.mysql_schema(name)),
    )


@dataclass(frozen=True)
class Audited:
    """A run of the audit, or of another playbook that reports as it does."""

    status: int
    output: str
    findings: Sequence[Mapping[str, str]]

    def of(self, *statuses: str, rule: str = "", tenant: str = "") -> list[str]:
        """Return the findings of these statuses, in words."""
        return [
            f"{each['status']} {each['rule']} {each['tenant']} {each['host']} {each['subject']}: {each['message']}"
            for each in self.findings
            if each["status"] in statuses and rule in ("", each["rule"]) and tenant in ("", each["tenant"])
        ]


def report(lab: Any, folder: Path, *arguments: str, playbook: str = "audit", **variables: Any) -> Audited:
    """Run the audit (or drift, or preflight) and return what it reports."""
    wanted = {"cubejs_report_formats": ["json"], "cubejs_report_directory": str(folder), **variables}
    run = lab.playbook(f"cubeops.cubejs.{playbook}", "--extra-vars", json.dumps(wanted), *arguments)
    written = folder / f"cubejs-{playbook}.json"
    assert written.exists(), run.output
    return Audited(run.status, run.output, json.loads(written.read_text())["findings"])


def state_of(lab: Any) -> dict[str, Any]:
    """Return files, processes and accounts of the host; see on_host/state.py."""
    host = lab.host(HOST)
    done = host.run(f"python3 - <<'END'\n{STATE.read_text()}\nEND")
    assert done.rc == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def differing(before: Mapping[str, Any], after: Mapping[str, Any], but: Callable[[str], bool]) -> dict[str, Any]:
    """Return what of a host's state changed, without what a name is about."""
    keys = {key for key in {*before, *after} if not but(key)}
    return {key: (before.get(key), after.get(key)) for key in sorted(keys) if before.get(key) != after.get(key)}


def is_about(name: str) -> Callable[[str], bool]:
    """Return whether a file, unit or account is a tenant's, or something that all tenants of a server have together."""
    together = ("/etc/nginx/.cubejs.d", "/etc/nginx/cubejs/http.conf", "/etc/cubejs/.redis.d")
    return lambda key: name in key or key.startswith((*together, MYSQL))


def of_others(run: Any) -> set[str]:
    """Return the tasks that changed something, but for MySQL's, whose connections follow from all tenants together."""
    return {task for _host, task in run.changed if not task.startswith("cubeops.cubejs.mysql : ")}


def planted(lab: Any, tenants: Mapping[str, int]) -> list[str]:
    """Return the secrets that no output may show."""
    given = [value for name, value in lab_variables(lab).items() if name.startswith("vault_")]
    master = lab_variables(lab)["vault_cubejs_master_secret"]
    return [*given, *(secrets.derive(master, purpose, name, 0) for purpose in secrets.DERIVED for name in tenants)]


def with_changes(folder: Path, **changes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the arguments with which tenants' definitions are changed, and tenants added, in files of their own.

    folder: for the files of tenants beyond those of the inventory; initech is there, as in the example.
    """
    inventory = yaml.safe_load((EXAMPLE / "inventory.yml").read_text())
    defined = inventory["all"]["vars"]["cubejs_tenants"]
    project = {"path": str(EXAMPLE / "cube")}
    listed = [{**each, "project": project, **changes.get(each["name"], {})} for each in defined]
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    initech = yaml.safe_load((EXAMPLE / "tenants" / "initech.yml").read_text())
    own = {"initech": {**initech, "project": project}}
    added = {name: values for name, values in changes.items() if name not in (each["name"] for each in defined)}
    for name, values in {**own, **added}.items():
        (folder / f"{name}.yml").write_text(yaml.safe_dump({**own.get(name, {}), **values}))
    variables = {"cubejs_tenants": listed, "cubejs_tenants_dir": str(folder)}
    return ("--extra-vars", json.dumps(variables))
