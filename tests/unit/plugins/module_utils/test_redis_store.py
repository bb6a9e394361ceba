"""The instances of a host, over a directory that plays the host and servers in memory."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import (
    Instance,
    InstancesError,
    NotReadyError,
    WrongPasswordError,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_store import HostStore
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd

UNIT = "cubejs-redis@acme.service"


class Host:
    """A directory that plays the host, and a systemctl that is played."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commands: list[str] = []
        self.shown = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled"}
        self.server = root / "usr/bin/redis-server"
        self.server.parent.mkdir(parents=True)
        self.server.touch()
        self.store = HostStore(str(self.server), Systemd(self._run), root)

    def _run(self, command: Sequence[str]) -> Completed:
        if command[0] == "journalctl":
            return Completed(0, "said plantedOld and more\n", "")
        if command[1] != "show":
            self.commands.append(" ".join(command[1:]))
        text = "\n".join(f"{key}={value}" for key, value in self.shown.items())
        return Completed(
            0, "\n\n".join([text] * len([word for word in command if word.startswith("cubejs-redis@")])), ""
        )

    def write(self, path: str, text: str = "") -> Path:
        """Write a file of the host."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def acme(**changed: Any) -> Instance:
    return Instance(**{"name": "acme", "port": 20001, "password": "old", "maxclients": 100, **changed})


@pytest.mark.parametrize(
    ("shown", "active", "failing"),
    [
        pytest.param({}, True, False, id="running"),
        pytest.param({"ActiveState": "activating", "SubState": "start"}, True, False, id="loading its data"),
        pytest.param({"ActiveState": "activating", "SubState": "auto-restart"}, False, True, id="in the pause"),
        pytest.param(
            {"ActiveState": "activating", "SubState": "auto-restart", "Job": "7"}, False, False, id="to be started"
        ),
        pytest.param({"ActiveState": "failed", "SubState": "failed"}, False, True, id="given up"),
        pytest.param({"ActiveState": "inactive", "SubState": "dead"}, False, False, id="stopped"),
    ],
)
def test_states_of_units(host: Host, shown: dict[str, str], active: bool, failing: bool) -> None:
    host.shown |= shown
    state = host.store.units(["acme", "globex"])["globex"]
    assert (state.active, state.failing, state.enabled) == (active, failing, True)


def test_a_unit_file_newer_than_the_process_is_noticed(tmp_path: Path) -> None:
    fragment = tmp_path / "unit"
    fragment.touch()
    host = Host(tmp_path)
    host.shown |= {"FragmentPath": str(fragment), "MainPID": str(os.getpid())}
    store = HostStore(str(host.server), Systemd(host._run), Path("/"))
    assert store.units(["acme"])["acme"].stale
    host.shown |= {"FragmentPath": "/bin/sh"}
    assert not store.units(["acme"])["acme"].stale


def test_starts_do_not_wait_for_data_to_load(host: Host) -> None:
    host.store.start("acme")
    host.store.restart("acme")
    host.store.enable(["acme"])
    host.store.daemon_reload()
    assert [command for command in host.commands if not command.startswith("reset-failed")] == [
        f"--no-block restart -- {UNIT}",
        f"--no-block restart -- {UNIT}",
        f"SYSTEMD_OFFLINE=1 systemctl enable -- {UNIT}",
        "daemon-reload",
    ]


def test_unlisted_instances_are_found_by_what_boot_starts(host: Host) -> None:
    for name in ("acme", "globex-2"):
        host.write(f"etc/systemd/system/multi-user.target.wants/cubejs-redis@{name}.service")
    host.write("etc/systemd/system/multi-user.target.wants/cubejs-api@acme-1.service")
    assert host.store.unlisted(["acme"]) == ["globex-2"]


# A server that says what its configuration file says, in the protocol.
SERVER = """#!{python}
import socket, sys
text = open(sys.argv[1]).read()
open({seen!r}, "a").write("started\\n")
words = [word for line in text.splitlines() if line for word in line.split(None, 1)]
reply = "*%d\\r\\n" % len(words) + "".join("$%d\\r\\n%s\\r\\n" % (len(word), word) for word in words)
listening = socket.socket(socket.AF_UNIX)
listening.bind(dict(zip(sys.argv[2::2], sys.argv[3::2]))["--unixsocket"])
listening.listen()
while True:
    client, _ = listening.accept()
    asked = client.recv(1000)
    client.sendall(b"+PONG\\r\\n" if asked.startswith(b"PING") else reply.encode())
    client.close()
"""


def test_wanted_settings_are_what_the_server_makes_of_the_files_once(host: Host) -> None:
    seen = host.root / "seen"
    host.server.write_text(SERVER.format(python=sys.executable, seen=str(seen)))
    host.server.chmod(0o755)
    host.write("etc/cubejs/redis/acme.conf", "port 1\nmaxclients 100\n")
    host.write("etc/cubejs/redis/acme.secret", "masterauth planted\n")
    wanted = {"port": "1", "maxclients": "100", "masterauth": "planted"}
    assert host.store.wanted_settings("acme", remember=False) == wanted
    assert not (host.root / "run/cubeops").exists(), "check mode wrote something"
    for _unused in range(3):
        assert host.store.wanted_settings("acme", remember=True) == wanted
    assert seen.read_text().count("started") == 2
    host.write("etc/cubejs/redis/acme.conf", "port 1\nmaxclients 200\n")
    assert host.store.wanted_settings("acme", remember=True)["maxclients"] == "200"
    os.utime(host.server)
    host.store.wanted_settings("acme", remember=True)
    assert seen.read_text().count("started") == 4, "a new version of the server was not asked again"


def test_notes_are_for_root_alone_and_keep_each_other(host: Host) -> None:
    host.store.remember_passwords("acme", ["new", "old", "new"])
    note = host.root / "run/cubeops/redis/acme.json"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert stat.S_IMODE(note.parent.stat().st_mode) == 0o700
    assert json.loads(note.read_text()) == {"passwords": ["new", "old"]}
    note.write_text("{ broken")
    assert host.store.passwords("acme") == []


def test_the_password_a_process_was_started_with_is_known(host: Host) -> None:
    host.write(f"run/credentials/{UNIT}/redis.secret", 'requirepass "st\\"arted"\n')
    host.store.remember_passwords("acme", ["noted"])
    assert host.store.passwords("acme") == ["noted", 'st"arted']


def test_a_link_in_place_of_a_credential_is_not_followed(host: Host) -> None:
    host.write("elsewhere", "requirepass planted\n")
    link = host.root / f"run/credentials/{UNIT}/redis.secret"
    link.parent.mkdir(parents=True)
    link.symlink_to(host.root / "elsewhere")
    assert host.store.passwords("acme") == []


def test_the_first_password_that_is_taken_is_used(host: Host, servers: Any, fake_redis: Any) -> None:
    servers.redis(fake_redis(), host.root / "run/cubejs-redis/acme/redis.sock")
    with host.store.session(acme(), ["wrong", "old", "other"]) as session:
        assert session.password == "old"
    with pytest.raises(WrongPasswordError, match=f"systemctl restart {UNIT}"):
        host.store.session(acme(), ["wrong"])
    with pytest.raises(NotReadyError):
        host.store.session(acme(name="globex"), ["old"])


def test_a_clients_way_is_every_address(host: Host, servers: Any, fake_redis: Any) -> None:
    port = servers.redis(fake_redis()).port
    host.store.check_clients_way(acme(port=port, bind=("127.0.0.1", "-127.0.0.9", "0.0.0.0")))
    with pytest.raises(InstancesError, match=r"a client cannot use it: 127\.0\.0\.9:\d+: Connection refused"):
        host.store.check_clients_way(acme(port=port, bind=("127.0.0.1", "127.0.0.9")))
    with pytest.raises(InstancesError, match="WRONGPASS"):
        host.store.check_clients_way(acme(port=port, password="wrong"))


def test_taken_ports_are_found(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        instance = acme(port=port, bind=("127.0.0.1", "127.0.0.9", "192.0.2.7"))
        assert host.store.ports_taken(instance) == [f"127.0.0.1:{port}"]


def test_processes_are_looked_at(host: Host) -> None:
    host.write(
        "proc/7/limits", "Max cpu time  unlimited unlimited seconds\nMax open files            1024   4096  files\n"
    )
    (host.root / "proc/7/exe").symlink_to("/usr/bin/redis-server (deleted)")
    assert host.store.open_files_limit(7) == 1024
    assert host.store.replaced_binary(7)
    assert not host.store.replaced_binary(8)
    assert host.store.open_files_limit(8) == 0


def test_the_journal_has_no_secrets(host: Host) -> None:
    host.store.remember_passwords("acme", ["plantedOld"])
    host.store.passwords("acme")
    assert "plantedOld" not in host.store.journal("acme")
    assert "and more" in host.store.journal("acme")


def test_moments_end(host: Host) -> None:
    assert 2 <= len(list(host.store.moments(0.1))) <= 4
    assert len(list(host.store.moments(0))) == 1


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        pytest.param("etc/cubejs/redis/acme.conf", "acme.conf cannot be read: No such file", id="configuration"),
        pytest.param("usr/bin/redis-server", "is not installed", id="server"),
    ],
)
def test_what_is_missing_is_said(host: Host, missing: str, message: str) -> None:
    host.write("etc/cubejs/redis/acme.conf", "port 1\n")
    (host.root / missing).unlink()
    with pytest.raises(InstancesError, match=message):
        host.store.wanted_settings("acme", remember=True)


def test_an_instance_begins_as_a_replica_once(host: Host) -> None:
    assert not host.store.was_started("acme")
    host.store.begin_as_replica(acme(), "10.0.0.5")
    own = host.root / "var/lib/cubejs-redis/acme/redis.conf"
    assert own.read_text() == "replicaof 10.0.0.5 20001\n"
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    assert stat.S_IMODE(own.parent.stat().st_mode) == 0o700
    assert host.store.was_started("acme")


def test_the_present_primary_is_what_a_sentinel_says(host: Host, servers: Any, fake_redis: Any) -> None:
    assert host.store.present_primary("acme") is None
    asked = {"SENTINEL GET-MASTER-ADDR-BY-NAME ACME": ["10.0.0.6", "20001"]}
    sentinel = servers.redis(fake_redis(passwords=set(), answers=asked))
    assert HostStore(str(host.server), root=host.root, sentinels=[sentinel]).present_primary("acme") == "10.0.0.6"


def test_a_server_that_loads_data_is_not_a_broken_one(host: Host, servers: Any, fake_redis: Any) -> None:
    endpoint = servers.redis(fake_redis(answers={"PING": b"-LOADING Redis is loading the dataset in memory\r\n"}))
    with pytest.raises(NotReadyError, match="LOADING"):
        host.store.check_clients_way(acme(port=endpoint.port, bind=(endpoint.host,)))
