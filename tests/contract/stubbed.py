"""The collection with every module replaced by one that only notes its call, so that whole playbooks run without hosts.

Playbooks, roles, action plugins and filters are the real ones; modules answer as those of a host that has everything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent
MODULE = """
import base64, json, os, pathlib, zlib
from ansible.module_utils import basic

NAME, FOLDER = {name!r}, pathlib.Path({folder!r})
params = basic._load_params()
host = pathlib.Path(params["_ansible_remote_tmp"]).name
check = params.get("_ansible_check_mode", False)
given = {{key: value for key, value in params.items() if not key.startswith("_ansible")}}
with open(FOLDER / "calls", "a") as stream:
    stream.write(json.dumps({{"host": host, "module": NAME, "check": check, "arguments": given}}) + "\\n")
path = FOLDER / "answers" / (NAME + ".json")
answer = json.loads(path.read_text()) if path.exists() else {{}}
state = FOLDER / "state" / host
releases = json.loads(state.read_text()) if state.exists() else {{}}
if given.get("phase") == "look":
    wanted = [releases[tenant] for tenant in given["users"] if tenant in releases]
    answer = {{"found": {{
        "node": "18.20.4", "current": wanted, "staged": [], "begun": [], "npm": [],
        "runtimes": sorted({{each["runtime"] for each in wanted}}), "users": [each["user"] for each in wanted],
    }}}}
elif given.get("phase") == "stage":
    job = json.loads(zlib.decompress(base64.b64decode(given["job"])))
    releases.update({{each["tenant"]: each for each in job["wanted"]}})
    state.write_text(json.dumps(releases))
    answer = {{"changed": True, "left": []}}
print(json.dumps({{"changed": False, "invocation": {{"module_args": {{}}}}, **answer}}))
raise SystemExit(0)
"""
# A host on which nothing is missing.
HOST = {
    "os": {"id": "debian", "version_id": "12", "codename": "bookworm", "family": "Debian"},
    "architecture": "x86_64",
    "package_architecture": "amd64",
    "memory_bytes": 2**34,
    "cpus": 2,
    "container": False,
    "ipv6": True,
    "systemd_version": 252,
    "packages": {
        "redis-server": "5:7.0.15-1",
        "mariadb-server": "1:10.11.6-0",
        "python3-pymysql": "1.0.2-2",
        "nodejs": "18.19.0",
        "npm": "9.2.0",
        "nginx": "1.22.1-9",
        "logrotate": "3.21.0-1",
        "nftables": "1.0.6-2",
    },
    "node": {"path": "/usr/bin/node", "version": "18.19.0"},
}
ANSWERS: dict[str, Any] = {
    "host_info": {"ansible_facts": {"cubeops_host": HOST}},
    "managed_files": {"changed_files": [], "removed_files": [], "foreign_files": []},
    "redis_instances": {"notes": [], "unlisted": [], "old_passwords": 0},
    "mysql_server": {"notes": []},
    "cube_instances": {"notes": [], "actions": {}, "switched": {}},
    "cube_release_store": {},
    "cube_drain": {"standing": []},
    "units": {},
}


@dataclass(frozen=True)
class Run:
    """What a playbook printed and which calls reached hosts."""

    status: int
    output: str
    calls: list[dict[str, Any]] = field(repr=False)

    def of(self, module: str) -> list[dict[str, Any]]:
        """Return the arguments of the calls of a module."""
        return [call["arguments"] for call in self.calls if call["module"] == module]


class Stage:
    """A folder with the collection, stubs and all, from which playbooks are run."""

    def __init__(self, folder: Path, answers: dict[str, Any] | None = None) -> None:
        self.folder = folder
        for name in ("answers", "state", "home", "tmp"):
            (folder / name).mkdir(exist_ok=True)
        here = folder / "ansible_collections" / "cubeops" / "cubejs"
        self._link(ROOT, here, {"plugins"} | {path.name for path in ROOT.iterdir() if path.name.startswith(".")})
        self._link(ROOT / "plugins", here / "plugins", {"modules"})
        for path in (ROOT / "plugins" / "modules").glob("*.py"):
            self._stub(here / "plugins" / "modules", path.stem)
        for collection, module in (("general", "npm"), ("mysql", "mysql_user")):
            self._stub(folder / "ansible_collections" / "community" / collection / "plugins" / "modules", module)
        for name, answer in {**ANSWERS, **(answers or {})}.items():
            (folder / "answers" / f"{name}.json").write_text(json.dumps(answer))

    @staticmethod
    def _link(source: Path, target: Path, left_out: Iterable[str]) -> None:
        target.mkdir(parents=True)
        for path in source.iterdir():
            if path.name not in left_out:
                (target / path.name).symlink_to(path)

    def _stub(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(MODULE.format(name=name, folder=str(self.folder)))

    def play(self, playbook: str, inventory: dict[str, Any], *arguments: str) -> Run:
        """Run a playbook of the collection on an inventory; every host is this machine, as who runs this."""
        source, calls = self.folder / "inventory.yml", self.folder / "calls"
        source.write_text(yaml.dump(inventory, Dumper=_Plain))
        calls.write_text("")
        local = {
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": sys.executable,
            "ansible_remote_tmp": str(self.folder / "tmp") + "/{{ inventory_hostname }}",
            "nginx_ca_directory": str(self.folder / "ca"),
            "redis_ca_directory": str(self.folder / "ca"),
        }
        command = [str(SCRIPTS / "ansible-playbook"), "-i", str(source), "-e", json.dumps(local)]
        done = subprocess.run(
            [*command, f"cubeops.cubejs.{playbook}", *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": f"{self.folder}:{ROOT / '.cache/collections'}",
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_HOME": str(self.folder / "home"),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Run(done.returncode, done.stdout, [json.loads(line) for line in calls.read_text().splitlines()])


class _Plain(yaml.SafeDumper):
    """Writes what is used twice twice, as people do."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Return that there are none."""
        return True
