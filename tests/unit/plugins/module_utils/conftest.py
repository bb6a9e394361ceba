"""Fleets and plans for the tests of what judges and makes them, and recorded hosts for what reads them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import plan
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import Inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.host_reading import Places
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import EVERYTHING, MASTER

ROOT = Path(__file__).resolve().parents[4]
SPEC = yaml.safe_load((ROOT / "roles/cubejs/meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
ADDRESSES = {"one": "192.0.2.1", "two": "192.0.2.2", "three": "192.0.2.3"}


def tenant(name: str = "acme", number: int = 1, **keys: Any) -> dict[str, Any]:
    """Return a tenant's definition that is right, with other keys put in or (None) taken out."""
    definition: dict[str, Any] = {
        "name": name,
        "number": number,
        "server_name": f"cube.{name}.example",
        "project": {"path": "projects/acme"},
        "database": {"type": "mysql", "host": "db.example", "name": "shop", "user": "reader", "password": "pw"},
    }
    definition.update(keys)
    return {key: value for key, value in definition.items() if value is not None}


def inventory(
    tenants: Sequence[Any] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    hosts: Mapping[str, Mapping[str, Any]] | None = None,
    **variables: Any,
) -> Inventory:
    """Return an inventory with everything on host "one", unless other groups and hosts are given."""
    groups = {name: ["one"] for name in EVERYTHING} if groups is None else groups
    shared = {
        "cubejs_tenants": [tenant()] if tenants is None else list(tenants),
        "cubejs_master_secret": MASTER,
        "inventory_dir": "/inventory",
        **variables,
    }
    names = dict.fromkeys(host for members in groups.values() for host in members)
    return Inventory(
        groups,
        {host: {**shared, "ansible_host": ADDRESSES.get(host, host), **(hosts or {}).get(host, {})} for host in names},
    )


def build(found: Inventory, missing: Sequence[str] = (), unread: Sequence[Finding] = ()) -> plan.Plan:
    """Return the plan of an inventory, on a controller that has every file but the missing ones."""
    return plan.build(
        found,
        {"cubejs": SPEC},
        fingerprint_key=b"key",
        ca_directory="/ca",
        exists=lambda path: path not in missing,
        unread=unread,
    )


@pytest.fixture
def make_plan() -> Callable[..., plan.Plan]:
    """Return a function from what `inventory` takes to the plan."""
    return lambda *arguments, **keys: build(inventory(*arguments, **keys))


@pytest.fixture
def make_inventory() -> Callable[..., Inventory]:
    """Return `inventory`."""
    return inventory


@pytest.fixture
def make_tenant() -> Callable[..., dict[str, Any]]:
    """Return `tenant`."""
    return tenant


@pytest.fixture
def plan_of() -> Callable[..., plan.Plan]:
    """Return `build`."""
    return build


@pytest.fixture
def spec() -> dict[str, Any]:
    """Return the options of the cubejs role."""
    return SPEC


@pytest.fixture
def make_fleet(make_plan: Callable[..., plan.Plan]) -> Callable[..., Fleet]:
    """Return a function from what `inventory` takes to the fleet."""
    return lambda *arguments, **keys: make_plan(*arguments, **keys).fleet


@pytest.fixture
def subjects(make_plan: Callable[..., plan.Plan]) -> Callable[..., list[tuple[str, str]]]:
    """Return a function from a rule's id, and what `inventory` takes, to its findings' subjects and severities."""

    def found(rule: str, *arguments: Any, **keys: Any) -> list[tuple[str, str]]:
        findings: tuple[Finding, ...] = make_plan(*arguments, **keys).findings
        return [(finding.subject, finding.severity) for finding in findings if finding.rule == rule]

    return found


class Recording:
    """A host made of files: its root, its /proc, and what systemd would say of its units."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.proc = folder / "proc"
        (self.proc / "net").mkdir(parents=True)
        self.root.mkdir()
        self.units: dict[str, list[tuple[str, str]]] = {}
        self.tcp = ["  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"]
        self.unix = ["Num       RefCount Protocol Flags    Type St Inode Path"]
        self.commands: list[list[str]] = []
        self._write_sockets()

    def file(self, path: str, text: str | bytes = "", mode: int = 0o644) -> Path:
        """Write a file of the host."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        target.chmod(mode)
        return target

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link on the host."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    def packages(self, folder: str, version: str = "0.29.57", **others: str) -> None:
        """Install Cube's packages into a folder's node_modules."""
        names = {"server": version, "server-core": version, "mysql-driver": "0.29.33", **others}
        for name, each in names.items():
            manifest = {"name": f"@cubejs-backend/{name}", "version": each}
            if name == "server":
                manifest["engines"] = {"node": "^12.0.0 || >=16.0.0"}
            self.file(f"{folder}/node_modules/@cubejs-backend/{name}/package.json", json.dumps(manifest))
        self.file(f"{folder}/node_modules/@cubejs-backend/server/bin/server", "#!/usr/bin/env node\n")
        self.link(f"{folder}/node_modules/.bin/cubejs-server", "../@cubejs-backend/server/bin/server")

    def process(
        self,
        pid: int,
        words: Sequence[str],
        cwd: str,
        environ: Mapping[str, str] | bytes | None = None,
        *,
        group: str = "/user.slice/session-1.scope",
        sockets: Sequence[str] = (),
        ticks: int = 50_000,
    ) -> Path:
        """Start a process; environ None is one that may not be read."""
        folder = self.proc / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "cmdline").write_bytes(b"\0".join(os.fsencode(word) for word in words) + b"\0")
        if isinstance(environ, bytes):
            (folder / "environ").write_bytes(environ)
        elif environ is not None:
            (folder / "environ").write_bytes("".join(f"{key}={value}\0" for key, value in environ.items()).encode())
        (folder / "stat").write_text(f"{pid} (node (x) y) S 1 {'0 ' * 17}{ticks} 0 0\n")
        status = (
            "State:\tS (sleeping)",
            "Uid:\t0\t0\t0\t0",
            "VmRSS:\t  110000 kB",
            "NoNewPrivs:\t1",
            "Seccomp:\t2",
            "CapEff:\t0000000000",
        )
        (folder / "status").write_text("\n".join(status))
        (folder / "limits").write_text(
            "Limit   Soft Hard Units\nMax open files            1024       524288    files\n"
        )
        (folder / "cgroup").write_text(f"0::{group}\n")
        (folder / "cwd").symlink_to(cwd)
        (folder / "exe").symlink_to("/nowhere/bin/node")
        for number, inode in enumerate(sockets, 3):
            (folder / "fd" / str(number)).symlink_to(f"socket:[{inode}]")
        return folder

    def unit(
        self, name: str, text: str, environment: str = "", drop_ins: Mapping[str, str] | None = None, **told: str
    ) -> None:
        """Write a unit file with drop-ins, and let systemd have loaded it."""
        path = f"/etc/systemd/system/{name}"
        self.file(path, text)
        paths = [f"{path}.d/{each}" for each in drop_ins or {}]
        for place, content in zip(paths, (drop_ins or {}).values()):
            self.file(place, content)
        values = [line.partition("=")[::2] for line in text.splitlines()]
        start = next((value for key, value in values if key == "ExecStart"), "/bin/true")
        rows = [
            ("Id", name),
            ("LoadState", "loaded"),
            ("FragmentPath", path),
            ("DropInPaths", " ".join(paths)),
            (
                "ExecStart",
                f"{{ path={start.split()[0]} ; argv[]={start} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }}",
            ),
            ("Environment", environment),
            *(("EnvironmentFiles", f"{value} (ignore_errors=no)") for key, value in values if key == "EnvironmentFile"),
            *((key, value) for key, value in values if key in ("WorkingDirectory", "User", "Restart", "Type")),
        ]
        defaults = {
            "ActiveState": "active",
            "RestartUSec": "100ms",
            "StartLimitIntervalUSec": "10s",
            "MemoryMax": "infinity",
        }
        defaults.update(
            StartLimitBurst="5", NRestarts="0", TimeoutStopUSec="1min 30s", LimitNOFILE="524288", MainPID="0"
        )
        self.units[name] = [*rows, *{**defaults, **told}.items()]

    def listen(self, inode: str, port: int = 0, path: str = "") -> None:
        """Let a socket listen on a port of every address, or on a path."""
        if path:
            self.unix.append(f"0000000000000000: 00000002 00000000 00010000 0001 01 {inode} {path}")
        else:
            self.tcp.append(f"   0: 00000000:{port:04X} 00000000:0000 0A 0:0 0:0 0 0 0 {inode} 1 0 100 0 0 10 0")
        self._write_sockets()

    def connect(self, inode: str, remote: str, port: int) -> None:
        """Let a socket be connected to an IPv4 address and port."""
        words = "".join(f"{int(part):02X}" for part in reversed(remote.split(".")))
        self.tcp.append(f"   1: 0100007F:C000 {words}:{port:04X} 01 0:0 0:0 0 0 0 {inode} 1 0 100 0 0 10 0")
        self._write_sockets()

    def _write_sockets(self) -> None:
        (self.proc / "net/tcp").write_text("\n".join(self.tcp) + "\n")
        (self.proc / "net/unix").write_text("\n".join(self.unix) + "\n")

    def run(self, command: Sequence[str]) -> Completed:
        """Answer as systemctl does."""
        self.commands.append(list(command))
        names = command[command.index("--") + 1 :]
        known = [*self.units, *(name for name in names if name in self.units and name != "*.service")]
        blocks = ["\n".join(f"{key}={value}" for key, value in self.units[name]) for name in known]
        blocks += [f"Id={name}\nLoadState=not-found" for name in names[1:] if name not in self.units]
        return Completed(0, "\n\n".join(blocks) + "\n", "")

    @property
    def places(self) -> Places:
        """Return where all of it is."""
        return Places(str(self.root), str(self.proc), Systemd(self.run), booted=1_000_000.0)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Return an empty host."""
    return Recording(tmp_path)
