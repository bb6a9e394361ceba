"""What a host has of a tenant is taken away, and nothing of another whose name begins alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.mysql_client import MysqlServerError
from ansible_collections.cubeops.cubejs.plugins.module_utils.removal import (
    Flush,
    Host,
    RemovalError,
    Wanted,
    remove,
    units_of,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd
from ansible_collections.cubeops.cubejs.plugins.module_utils.tenant_export import ExportError

UNITS = (
    "cubejs-api@acme-1.service",
    "cubejs-api@acme2-1.service",
    "cubejs-refresh-worker@acme.service",
    "cubejs-refresh-worker@acme2.service",
    "cubejs-trial@acme.service",
)
REDIS = "cubejs-redis@acme.service"
ALL = Wanted("acme", cubejs=True, redis=True, schemas=("cube_acme",), users=("cube_acme",), export="/backups/acme")


@dataclass
class Server:
    """A MySQL server with two tenants' schemas and users."""

    schemas: list[str] = field(default_factory=lambda: ["cube_acme", "cube_acme2", "mysql"])
    users: list[tuple[str, str]] = field(
        default_factory=lambda: [("cube_acme", "127.0.0.1"), ("cube_acme", "192.0.2.1"), ("cube_acme2", "127.0.0.1")]
    )
    closed: bool = False

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Do what the few statements of a removal ask for."""
        if sql == "SHOW DATABASES":
            return [(name,) for name in self.schemas]
        if sql.startswith("SELECT Host"):
            return [(host,) for user, host in self.users if user == values[0]]
        if sql.startswith("DROP USER"):
            self.users.remove((values[0], values[1]))
            return []
        self.schemas.remove(sql.removeprefix("DROP DATABASE `").removesuffix("`"))
        return []

    def close(self) -> None:
        """End the session."""
        self.closed = True


@dataclass
class Machine:
    """A host in a folder: its files, its systemd, its MySQL, and what was called on it, in order."""

    root: Path
    server: Server = field(default_factory=Server)
    units: list[str] = field(default_factory=lambda: [*UNITS, REDIS])
    users: list[str] = field(default_factory=lambda: ["cube-acme", "cube-acme2"])
    calls: list[str] = field(default_factory=list)
    dumps: bool = True

    def call(self, command: Sequence[str]) -> Completed:
        """Run a command as far as a removal needs it."""
        words = list(command)
        self.calls.append(" ".join(words))
        if words[0] == "userdel":
            if any(unit in self.units for unit in UNITS[:1]):
                return Completed(8, "", "user is used by process 7")
            self.users.remove(words[1])
        if "list-units" in words:
            wanted = [pattern.partition("@")[0] for pattern in words if "@" in pattern]
            own = [unit for unit in self.units if unit.partition("@")[0] in wanted]
            own = [unit for unit in own if unit != REDIS or REDIS in words]
            return Completed(0, "".join(f"{unit} loaded active running x\n" for unit in own), "")
        if "stop" in words:
            self.units = [unit for unit in self.units if unit not in words]
        return Completed(0, "", "")

    def dump(self, schema: str, stream: IO[bytes]) -> None:
        """Export a schema, or fail."""
        if not self.dumps:
            raise ExportError("no room")
        assert schema in self.server.schemas
        stream.write(b"sql")

    @property
    def host(self) -> Host:
        """Return it as a removal sees it."""
        return Host(
            lambda: self.server, self.dump, Systemd(self.call), self.call, self.root, lambda user: user in self.users
        )

    def files(self) -> list[str]:
        """Return the paths of all files and links."""
        found = (path for path in self.root.rglob("*") if not path.is_dir() or path.is_symlink())
        return sorted(str(path.relative_to(self.root)) for path in found)


def make(root: Path) -> Machine:
    """Return a machine with two tenants."""
    for name in ("acme", "acme2"):
        release = root / f"opt/cubejs/tenants/{name}/releases/r1"
        (release / "project").mkdir(parents=True)
        (release / "project/cube.js").touch()
        (root / f"opt/cubejs/tenants/{name}/current").symlink_to("releases/r1")
        for path in (
            f"etc/systemd/system/cubejs-api@{name}-1.service.d/instance.conf",
            f"etc/systemd/system/cubejs-trial@{name}.service.d/instance.conf",
            f"run/cubejs/{name}-1/cube.sock",
            f"var/lib/cubejs-redis/{name}/dump.rdb",
        ):
            (root / path).parent.mkdir(parents=True)
            (root / path).touch()
    return Machine(root)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return make(tmp_path)


def test_names_that_begin_alike_are_told_apart() -> None:
    assert units_of("acme", UNITS) == [UNITS[0], UNITS[2], UNITS[4]]
    assert units_of("acm", UNITS) == []


def test_all_of_it_goes_and_nothing_of_another(machine: Machine) -> None:
    others = [path for path in machine.files() if "acme2" in path]
    outcome = remove(ALL, machine.host, apply=True)
    assert [path for path in machine.files() if not path.startswith("backups/")] == others
    assert machine.units == [UNITS[1], UNITS[3]]
    assert machine.users == ["cube-acme2"]
    assert machine.server == Server(["cube_acme2", "mysql"], [("cube_acme2", "127.0.0.1")], closed=True)
    assert [Path(path).name for path in outcome.exported] == ["project.tar.gz", "cube_acme.sql.gz"]
    assert outcome.removed[0] == "unit cubejs-api@acme-1.service"
    assert "systemctl daemon-reload" in machine.calls


def test_a_second_time_there_is_nothing(machine: Machine) -> None:
    remove(ALL, machine.host, apply=True)
    kept = machine.files()
    outcome = remove(ALL, machine.host, apply=True)
    assert (outcome.removed, outcome.exported) == ([], [])
    assert machine.files() == kept


def test_what_would_go_is_what_goes(machine: Machine, tmp_path: Path) -> None:
    before = machine.files()
    foretold = remove(ALL, machine.host, apply=False)
    assert machine.files() == before
    assert (machine.units, machine.users, machine.server.users) == (
        [*UNITS, REDIS],
        Machine(tmp_path).users,
        Server().users,
    )
    assert not [call for call in machine.calls if "list-units" not in call]
    assert remove(ALL, machine.host, apply=True) == foretold


def test_nothing_is_removed_that_could_not_be_exported(machine: Machine) -> None:
    machine.dumps = False
    before = machine.files()
    with pytest.raises(ExportError, match="no room"):
        remove(ALL, machine.host, apply=True)
    assert [path for path in machine.files() if not path.startswith("backups/")] == before
    assert "cube_acme" in machine.server.schemas


def test_without_an_export_nothing_is_kept(machine: Machine) -> None:
    outcome = remove(Wanted("acme", cubejs=True, schemas=("cube_acme",)), machine.host, apply=True)
    assert outcome.exported == []
    assert not (machine.root / "backups").exists()
    assert "cube_acme" not in machine.server.schemas


def test_only_what_is_asked_for_goes(machine: Machine) -> None:
    """A host that keeps the tenant's storage while its processes move away."""
    remove(Wanted("acme", cubejs=True), machine.host, apply=True)
    assert REDIS in machine.units
    assert (machine.root / "var/lib/cubejs-redis/acme/dump.rdb").exists()
    assert "cube_acme" in machine.server.schemas


@dataclass
class Keys:
    """A Redis with keys in two indexes."""

    keys: dict[int, int] = field(default_factory=lambda: {1: 7, 2: 9})
    index: int = 0
    closed: bool = False

    def call(self, *words: str | int) -> int:
        """Do what a removal asks for."""
        if words[0] == "SELECT":
            self.index = int(words[1])
        if words == ("FLUSHDB",):
            self.keys[self.index] = 0
        return self.keys.get(self.index, 0)

    def close(self) -> None:
        """Drop the connection."""
        self.closed = True


@pytest.mark.parametrize(
    ("apply", "left"), [pytest.param(True, {1: 0, 2: 9}, id="run"), pytest.param(False, {1: 7, 2: 9}, id="check mode")]
)
def test_its_keys_in_a_shared_redis_go_and_nobody_elses(machine: Machine, apply: bool, left: dict[int, int]) -> None:
    keys = Keys()
    host = replace(machine.host, redis=lambda _flush: keys)
    flush = Flush(20000, 1, "secret")
    outcome = remove(Wanted("acme", flush=flush), host, apply=apply)
    assert outcome.removed == ["7 keys in index 1 of the shared Redis"]
    assert (keys.keys, keys.closed) == (left, True)
    again = remove(Wanted("acme", flush=flush), host, apply=apply)
    assert again.removed == ([] if apply else outcome.removed)
    assert "secret" not in repr(flush)


def test_a_user_with_processes_of_its_own_is_told(machine: Machine) -> None:
    machine.users.append("cube-other")
    machine.units = ["cubejs-api@acme-1.service"]
    stubborn = Host(
        lambda: machine.server,
        machine.dump,
        Systemd(lambda _command: Completed(0, "", "")),
        machine.call,
        machine.root,
        lambda _user: True,
    )
    with pytest.raises(RemovalError, match="user cube-acme cannot be removed: user is used by process 7"):
        remove(Wanted("acme", cubejs=True), stubborn, apply=True)


def test_a_schema_that_is_not_called_as_ours_are_is_left(machine: Machine) -> None:
    with pytest.raises(MysqlServerError, match="drop it by hand"):
        remove(Wanted("acme", schemas=("a`; DROP",)), machine.host, apply=True)
