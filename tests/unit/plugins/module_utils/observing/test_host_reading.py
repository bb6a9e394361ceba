"""Recorded hosts: a hand-made unit, a child of pm2, a unit of this collection, a container, and nobody's process."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import host_reading
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.host_reading import Places, read_host
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.instance_reading import Found
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd, SystemdError

KEY = b"k" * 16
SECRET = "Vh3sPq8ZtW1nXb6RkL0yDf5GmC2jEa9u"
HAND_MADE = """[Unit]
Description=Cube
[Service]
User=cube
WorkingDirectory=/srv/cube
ExecStart=/usr/bin/node index.js
Environment=NODE_ENV=production PORT=4000
EnvironmentFile=/etc/cube/cube.env
Restart=on-failure
"""


def read(recording: Any, **changes: Any) -> host_reading.Reading:
    places = recording.places
    return read_host(Places(**{**vars(places), **changes}), Redactor(KEY))


def only(reading: host_reading.Reading) -> Found:
    assert [each.instance.name for each in reading.found] == [reading.found[0].instance.name]
    return reading.found[0]


def hand_made(recording: Any, **environ: str) -> None:
    recording.packages("/srv/cube")
    recording.file("/srv/cube/index.js", "const Server = require('@cubejs-backend/server');")
    recording.file("/srv/cube/package-lock.json", "{}")
    recording.file("/etc/cube/cube.env", f"CUBEJS_API_SECRET={SECRET}\nCUBEJS_DB_TYPE=mysql\n", 0o640)
    recording.unit("cube.service", HAND_MADE, "NODE_ENV=production PORT=4000", MainPID="700", NRestarts="3")
    started_with = {"NODE_ENV": "production", "PORT": "4000", "CUBEJS_API_SECRET": SECRET, "CUBEJS_DB_TYPE": "mysql"}
    recording.process(
        700, ["/usr/bin/node", "index.js"], "/srv/cube", {**started_with, "PATH": "/bin", **environ},
        group="/system.slice/cube.service", sockets=["11"],
    )  # fmt: skip
    recording.listen("11", port=4000)


def test_a_hand_made_unit_is_one_instance_however_often_it_is_found(recording: Any) -> None:
    hand_made(recording)
    found = only(read(recording))
    seen = found.instance
    assert (seen.name, seen.running, seen.manager, found.pid) == ("cube.service", True, "systemd", 700)
    assert set(seen.found_by) == {"process", "unit", "socket"}
    assert seen.process is not None
    assert (seen.process.user, seen.process.directory, seen.process.open_files_soft) == ("root", "/srv/cube", 1024)
    assert seen.process.state == "S"
    assert seen.process.started_at == 1_000_000.0 + 50_000 / os.sysconf("SC_CLK_TCK")
    assert seen.unit is not None
    assert (seen.unit.restart, seen.unit.restart_seconds, seen.unit.restarts) == ("on-failure", 0.1, 3)
    assert (seen.unit.timeout_stop_seconds, seen.unit.memory_max_bytes, seen.unit.open_files) == (90.0, None, 524288)
    assert (seen.packages.version, seen.packages.versions["@cubejs-backend/mysql-driver"]) == ("0.29.57", "0.29.33")
    assert seen.packages.lockfiles == ("/srv/cube/package-lock.json",)
    assert [(each.kind, each.port) for each in seen.listeners] == [("tcp", 4000)]
    assert not seen.unknown
    assert not seen.differences


def test_each_setting_has_its_source_with_mode_and_owner(recording: Any) -> None:
    hand_made(recording, CUBEJS_LOG_LEVEL="trace")
    seen = only(read(recording)).instance
    sources = {name: (each.layer, each.path) for name, each in seen.settings.items()}
    assert sources == {
        "NODE_ENV": ("unit", "/etc/systemd/system/cube.service"),
        "PORT": ("unit", "/etc/systemd/system/cube.service"),
        "CUBEJS_API_SECRET": ("environment_file", "/etc/cube/cube.env"),
        "CUBEJS_DB_TYPE": ("environment_file", "/etc/cube/cube.env"),
        "CUBEJS_LOG_LEVEL": ("process", ""),
    }
    layer = seen.layer_of("CUBEJS_API_SECRET")
    assert layer is not None
    assert (layer.mode, layer.owner, layer.changed_after_start) == ("0640", "root", True)
    assert [(each.name, each.on_disk) for each in seen.differences] == [("CUBEJS_LOG_LEVEL", None)]


def test_what_was_edited_after_the_start_differs(recording: Any) -> None:
    hand_made(recording)
    recording.file("/etc/cube/cube.env", f"CUBEJS_API_SECRET={SECRET}x\nCUBEJS_DB_TYPE=mysql\nCUBEJS_DB_HOST=new\n")
    found = only(read(recording))
    told = {each.name: (each.on_disk, each.in_process) for each in found.instance.differences}
    assert set(told) == {"CUBEJS_API_SECRET", "CUBEJS_DB_HOST"}
    on_disk, in_process = told["CUBEJS_API_SECRET"]
    assert on_disk is not None
    assert in_process is not None
    assert on_disk.fingerprint != in_process.fingerprint
    assert told["CUBEJS_DB_HOST"][1] is None
    # What counts is what the process has.
    assert "CUBEJS_DB_HOST" not in found.environment
    assert found.instance.settings["CUBEJS_API_SECRET"].value == in_process


def test_a_dotenv_adds_and_never_overrides(recording: Any) -> None:
    hand_made(recording)
    recording.file("/srv/cube/.env", "NODE_ENV=development\nCUBEJS_DEV_MODE=true\nSTRIPE=sk_live_1\n")
    seen = only(read(recording)).instance
    assert (seen.value("NODE_ENV"), seen.settings["NODE_ENV"].layer) == ("production", "unit")
    assert (seen.value("CUBEJS_DEV_MODE"), seen.settings["CUBEJS_DEV_MODE"].layer) == ("true", "dotenv")
    # Nobody knows the name: its value stays on the host.
    assert seen.settings["STRIPE"].value.secret
    assert not seen.differences


def test_the_command_line_has_the_last_word_on_node_env(recording: Any) -> None:
    recording.packages("/srv/cube")
    recording.process(
        701, ["node", "node_modules/.bin/cubejs-server"], "/srv/cube", {"CUBEJS_DB_TYPE": "mysql", "NODE_ENV": "test"}
    )
    recording.file("/srv/cube/.env", "CUBEJS_DEV_MODE=true\n")
    seen = only(read(recording)).instance
    assert (seen.value("NODE_ENV"), seen.settings["NODE_ENV"].layer) == ("development", "program")
    (recording.root / "srv/cube/.env").unlink()
    assert only(read(recording)).instance.value("NODE_ENV") == "production"


def test_a_child_of_pm2_has_its_settings_from_its_process(recording: Any) -> None:
    recording.packages("/home/cube/app")
    recording.file("/home/cube/app/index.js", "require('@cubejs-backend/server')")
    environ = {
        "pm_id": "0", "name": "cube-api", "pm_exec_path": "/home/cube/app/index.js", "restart_time": "7",
        "CUBEJS_DB_TYPE": "mysql", "CUBEJS_API_SECRET": SECRET, "PM2_HOME": "/home/cube/.pm2",
    }  # fmt: skip
    # pm2 gives its children a title, which has blanks and no ends of words.
    recording.process(
        702, ["node /home/cube/app/index.js"], "/home/cube/app", environ, group="/system.slice/pm2-cube.service"
    )
    recording.process(703, ["PM2 v5.3.0: God Daemon (/home/cube/.pm2)"], "/home/cube/app", environ)
    seen = only(read(recording)).instance
    assert (seen.name, seen.manager, seen.unit) == ("pm2:cube-api", "pm2", None)
    assert seen.process is not None
    assert (seen.process.pm2_restarts, seen.process.script) == (7, "/home/cube/app/index.js")
    assert seen.settings["CUBEJS_API_SECRET"].layer == "process"
    assert "PM2_HOME" not in seen.settings


@pytest.mark.parametrize(
    ("group", "units", "expected"),
    [
        pytest.param("/system.slice/keeper.service", ["keeper.service"], "keeper.service", id="it is within a service"),
        pytest.param("/user.slice/session-1.scope", ["pm2-root.service"], "pm2-root.service", id="made by pm2 startup"),
        pytest.param("/user.slice/session-1.scope", ["pm2-other.service"], None, id="of another user"),
        pytest.param("/user.slice/session-1.scope", [], None, id="nothing"),
    ],
)
def test_what_starts_a_pm2_after_a_boot(recording: Any, group: str, units: list[str], expected: str | None) -> None:
    recording.packages("/home/cube/app")
    recording.file("/home/cube/app/index.js", "require('@cubejs-backend/server')")
    for name in units:
        user = "cube" if name == "pm2-other.service" else "root"
        recording.unit(name, "[Service]\nExecStart=/usr/bin/pm2 resurrect\n", User=user, UnitFileState="enabled")
    environ = {"pm_id": "0", "CUBEJS_DB_TYPE": "mysql"}
    recording.process(702, ["node", "index.js"], "/home/cube/app", environ, group=group)
    seen = only(read(recording)).instance
    assert (seen.manager, seen.unit) == ("pm2", None)
    assert (seen.boot_unit.name if seen.boot_unit else None) == expected
    assert seen.boot_unit is None or seen.boot_unit.enabled == "enabled"
    assert len(recording.commands) == 1


@pytest.mark.parametrize(
    ("words", "started"),
    [
        pytest.param(["node", "/x/pm2/lib/ProcessContainer.js"], "/home/cube/app/index.js", id="by pm2's own script"),
        pytest.param(["node", "index.js"], "/usr/bin/npm", id="by npm, which pm2 started"),
    ],
)
def test_the_script_under_pm2(recording: Any, words: list[str], started: str) -> None:
    recording.packages("/home/cube/app")
    recording.file("/home/cube/app/index.js", "require('@cubejs-backend/server')")
    environ = {"pm_id": "0", "pm_exec_path": started, "CUBEJS_DB_TYPE": "mysql"}
    recording.process(702, words, "/home/cube/app", environ)
    seen = only(read(recording)).instance
    assert (seen.name, seen.packages.version) == ("pm2:0", "0.29.57")
    assert seen.process is not None
    assert seen.process.script.rpartition("/")[2] == "index.js"


def test_a_unit_of_this_collection(recording: Any) -> None:
    """Template, drop-in per instance, command in a variable, release behind links, packages shared."""
    release = "/opt/cubejs/tenants/acme/releases/abc"
    recording.packages("/opt/cubejs/runtimes/r1")
    recording.link(f"{release}/node_modules", "/opt/cubejs/runtimes/r1/node_modules")
    recording.link("/opt/cubejs/tenants/acme/current", "releases/abc")
    recording.file(f"{release}/project/schema/Orders.js", "cube(`Orders`, {})")
    recording.file(
        "/opt/cubejs/tenants/acme/releases/abc/environment/acme-1.env", f'CUBEJS_API_SECRET="{SECRET}"\n', 0o600
    )
    start = "../node_modules/.bin/cubejs-server server"
    name = "cubejs-api@acme-1.service"
    recording.unit(
        name,
        "[Service]\nRestart=always\nExecStart=/usr/bin/node $CUBEOPS_START\n"
        "EnvironmentFile=/opt/cubejs/tenants/acme/current/environment/acme-1.env\n"
        "WorkingDirectory=/opt/cubejs/tenants/acme/current/project\n",
        f'"CUBEOPS_START={start}" CUBEOPS_UNIT=1234',
        {"instance.conf": f'[Service]\nEnvironment="CUBEOPS_START={start}"\nEnvironment=CUBEOPS_UNIT=1234\n'},
        StartLimitIntervalUSec="0",
        MemoryMax="536870912",
    )
    socket = "/run/cubejs/acme-1/cube.sock"
    recording.process(
        704, ["/usr/bin/node", "../node_modules/.bin/cubejs-server", "server"], f"{release}/project",
        {"CUBEOPS_START": start, "CUBEOPS_UNIT": "1234", "CUBEJS_API_SECRET": SECRET, "PORT": socket},
        group=f"/cubejs.slice/{name}", sockets=["21"],
    )  # fmt: skip
    recording.file("/run/cubejs/acme-1/cube.sock", "", 0o770)
    recording.listen("21", path="/run/cubejs/acme-1/cube.sock")
    seen = only(read(recording)).instance
    assert (seen.name, seen.packages.version) == (name, "0.29.57")
    assert seen.packages.directory == "/opt/cubejs/runtimes/r1/node_modules"
    assert seen.settings["CUBEOPS_UNIT"].layer == "drop_in"
    assert seen.layer_of("CUBEJS_API_SECRET").mode == "0600"
    assert seen.settings["NODE_ENV"].layer == "program"
    assert (seen.listeners[0].path, seen.listeners[0].mode) == ("/run/cubejs/acme-1/cube.sock", "0770")
    assert seen.unit is not None
    assert (seen.unit.start_limit_interval_seconds, seen.unit.memory_max_bytes) == (0.0, 2**29)
    assert seen.project is not None
    assert (seen.project.schema_files, seen.prefix) == (1, "STANDALONE")


def test_a_container_without_systemd(recording: Any) -> None:
    """What the process sees as its root is where its files are."""
    inner = recording.root / "overlay"
    recording.packages("/overlay/cube")
    recording.file("/overlay/cube/conf/cube.js", "module.exports = {contextToAppId: () => 1}")
    folder = recording.process(
        705, ["node", "/cube/node_modules/.bin/cubejs-server", "server"], "/cube/conf", {"CUBEJS_DB_TYPE": "mysql"},
        group="/docker/0123456789ab",
    )  # fmt: skip
    (folder / "root").symlink_to(inner)

    def no_systemd(command: Any) -> Completed:
        raise SystemdError("systemctl cannot be run: [Errno 2] No such file or directory")

    reading = read(recording, systemd=Systemd(no_systemd))
    seen = only(reading).instance
    assert (seen.name, seen.manager, seen.packages.version) == ("process:705", "container", "0.29.57")
    assert seen.project is not None
    assert (seen.project.mentions, seen.prefix) == (("contextToAppId",), None)
    assert [each.what for each in reading.unknown] == ["units"]


@pytest.mark.parametrize("state", ["failed", "inactive"])
def test_a_unit_without_a_process_is_seen_with_its_files(recording: Any, state: str) -> None:
    hand_made(recording)
    for path in sorted((recording.proc / "700").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    (recording.proc / "700").rmdir()
    recording.units["cube.service"].append(("ActiveState", state))
    recording.units["cube.service"].remove(("ActiveState", "active"))
    found = only(read(recording))
    seen = found.instance
    assert (seen.running, seen.found_by, seen.process) == (False, ("unit",), None)
    assert seen.unit is not None
    assert seen.unit.state == state
    assert seen.packages.version == "0.29.57"
    assert found.environment["CUBEJS_API_SECRET"] == SECRET
    assert not seen.differences


def test_where_releases_are_tried_is_no_instance(recording: Any) -> None:
    hand_made(recording)
    recording.units["cubejs-trial@acme.service"] = [
        (key, value.replace("cube.service", "cubejs-trial@acme.service"))
        for key, value in recording.units["cube.service"]
    ]
    assert only(read(recording)).instance.name == "cube.service"


def test_a_unit_that_only_its_file_knows_is_asked_for(recording: Any) -> None:
    recording.file("/etc/systemd/system/old.service", "[Service]\nExecStart=/usr/bin/node /x/cubejs/index.js\n")
    recording.file("/etc/systemd/system/other.service", "[Service]\nExecStart=/usr/bin/other\n")
    read(recording)
    assert len(recording.commands) == 1, "systemd costs one call, however many units there are"
    assert recording.commands[0][-2:] == ["*.service", "old.service"]


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        pytest.param(["/usr/bin/redis-server", "cubejs"], {"CUBEJS_X": "1"}, id="no node"),
        pytest.param(["node", "/usr/lib/node_modules/npm/bin/npm-cli.js", "start"], {"CUBEJS_X": "1"}, id="npm"),
        pytest.param(["node", "/srv/web/server.js"], {"CUBEJS_API_SECRET": "x"}, id="a front end with Cube's secret"),
        pytest.param(["node", "/x/@cubejs-backend/cubestore/bin/cubestore"], {}, id="Cube Store"),
        pytest.param(["node", "migrate.js"], {}, id="another script of the project"),
        pytest.param(["node", "/srv/cube/node_modules/pm2/lib/ProcessContainerFork.js"], {}, id="pm2 without a name"),
    ],
)
def test_what_is_not_cube(recording: Any, words: list[str], environ: dict[str, str]) -> None:
    recording.packages("/srv/cube")
    recording.file("/srv/cube/migrate.js", "console.log(1)")
    recording.file("/srv/web/server.js", "require('next')")
    cwd = "/srv/web" if "/srv/web/server.js" in words else "/srv/cube"
    recording.process(710, words, cwd, environ)
    assert read(recording).found == ()


def test_a_project_configured_by_its_dotenv_alone_is_cube(recording: Any) -> None:
    recording.packages("/srv/cube")
    recording.file("/srv/cube/main.js", "require('./server')")
    recording.file("/srv/cube/.env", "CUBEJS_DB_TYPE=mysql\n")
    recording.process(711, ["node", "main.js"], "/srv/cube", {})
    assert only(read(recording)).instance.value("CUBEJS_DB_TYPE") == "mysql"


def test_what_only_its_port_gives_away(recording: Any) -> None:
    recording.packages("/srv/cube")
    recording.file("/srv/cube/main.js", "require('./server')")
    recording.process(712, ["node", "main.js"], "/srv/cube", {}, sockets=["31"])
    recording.listen("31", port=4000)
    assert only(read(recording)).instance.found_by == ("socket",)


def test_a_port_whose_owner_cannot_be_seen_is_unknown(recording: Any) -> None:
    recording.listen("99", port=4000)
    assert [each.what for each in read(recording).unknown] == ["listeners.4000"]


def test_everything_that_listens_on_the_host(recording: Any) -> None:
    recording.listen("41", port=6379)
    recording.listen("42", port=22)
    assert [(each.address, each.port) for each in read(recording).listening] == [("0.0.0.0", 22), ("0.0.0.0", 6379)]


def test_two_processes_of_one_unit_have_two_names(recording: Any) -> None:
    hand_made(recording)
    recording.process(
        720, ["node", "index.js"], "/srv/cube", {"CUBEJS_DB_TYPE": "mysql"}, group="/system.slice/cube.service"
    )
    assert [each.instance.name for each in read(recording).found] == ["cube.service:700", "cube.service:720"]


def test_what_may_not_be_read_is_unknown_with_a_remedy(recording: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_made(recording)
    environ = recording.proc / "700/environ"
    secret_file = recording.root / "etc/cube/cube.env"
    real_open, real_os_open = open, os.open

    def refuse(path: Any, *arguments: Any, **keys: Any) -> Any:
        if str(path) == str(environ):
            raise PermissionError(13, "Permission denied", str(path))
        return real_open(path, *arguments, **keys)

    def refuse_os(path: Any, *arguments: Any, **keys: Any) -> int:
        if str(path) == str(secret_file):
            raise PermissionError(13, "Permission denied", str(path))
        return real_os_open(path, *arguments, **keys)

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(os, "open", refuse_os)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    seen = only(read(recording)).instance
    unknown = {each.what: each for each in seen.unknown}
    assert set(unknown) == {"process.environ", "environment_file"}
    assert unknown["environment_file"].reason == "/etc/cube/cube.env: Permission denied"
    assert all(each.remedy == "Run the task with become: true" for each in unknown.values())
    # The unit's own part is known; nothing is taken for the rest.
    assert set(seen.settings) == {"NODE_ENV", "PORT"}


def test_hidden_processes_are_unknown(recording: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "hidepid" in read(recording).unknown[0].reason


HOSTILE = (
    b"CUBEJS_DB_NAME=a\nb\"c'<script>\0CUBEJS_DB_USER=\xff\xfe\0CUBEJS_DB_HOST="
    + b"h" * 2**20
    + b"\0no assignment\0=x\0"
)


def test_hostile_values_do_no_harm(recording: Any) -> None:
    recording.packages("/srv/cube", version="<b>\n")
    recording.file("/srv/cube/index.js", b"require('@cubejs-backend/server') \xff /*" + b"/*" * 100_000)
    recording.file("/srv/cube/.env", b"\xff=\x00\nCUBEJS_DB_PORT=1\n" + b"A" * 500_000)
    os.mkfifo(recording.root / "srv/cube/cube.js")
    recording.process(730, ["node", "index.js\n<i>"], "/srv/cube", HOSTILE)
    recording.process(731, ["node", "index.js"], "/srv/cube", HOSTILE)
    seen = {each.pid: each.instance for each in read(recording).found}[731]
    assert seen.value("CUBEJS_DB_NAME") == "a\nb\"c'<script>"
    assert seen.value("CUBEJS_DB_USER") == "\\xff\\xfe"
    assert seen.settings["CUBEJS_DB_HOST"].value.problems == ("it has 1048576 characters, too many to be shown",)
    assert seen.packages.version == ""
    assert seen.project is None
    assert [each.what for each in seen.unknown] == ["packages.version", "project"]


def test_a_flood_of_variables_is_told_in_part(recording: Any) -> None:
    hand_made(recording, **{f"CUBEJS_A{number:06}": "x" for number in range(20_000)})
    recording.file("/srv/cube/.env", "".join(f"CUBEJS_B{number}=x\n" for number in range(20_000)))
    seen = only(read(recording)).instance
    assert len(seen.settings) == len(seen.differences) == 500
    assert {"NODE_ENV", "PORT", "CUBEJS_API_SECRET", "CUBEJS_DB_TYPE"} < set(seen.settings)
    assert [each.what for each in seen.unknown] == ["settings"]
    assert max(len(each.values) for each in seen.layers) == 500


def test_no_secret_is_told(recording: Any) -> None:
    hand_made(recording, CUBEJS_REDIS_URL=f"redis://u:{SECRET}Redis@h/0", MY_TOKEN="planted-token-1")
    recording.file("/srv/cube/.env", "CUBEJS_DB_PASS=planted-password-1\n")
    words = ["node", "index.js", "--db-pass", "planted-arg-1", "--token=planted-arg-2", f"X_KEY={SECRET}"]
    recording.process(740, words, "/srv/cube", {"CUBEJS_DB_TYPE": "mysql"})
    told = repr([each.instance for each in read(recording).found])
    for planted in (SECRET, "planted-token-1", "planted-password-1", "planted-arg-1", "planted-arg-2"):
        assert planted not in told


def test_equal_secrets_have_equal_fingerprints_within_a_run(recording: Any) -> None:
    hand_made(recording)
    first = only(read(recording)).instance.settings["CUBEJS_API_SECRET"].value
    again = read_host(recording.places, Redactor(b"another key 1234")).found[0].instance
    assert first == only(read(recording)).instance.settings["CUBEJS_API_SECRET"].value
    assert first.fingerprint != again.settings["CUBEJS_API_SECRET"].value.fingerprint


def test_nothing_is_changed(recording: Any, tmp_path: Path) -> None:
    hand_made(recording)

    def state() -> dict[str, tuple[int, int]]:
        return {str(each): (each.lstat().st_mtime_ns, each.lstat().st_size) for each in tmp_path.rglob("*")}

    before = state()
    read(recording)
    assert state() == before
    assert all(command[:2] == ["systemctl", "show"] for command in recording.commands)


def test_reading_is_linear_and_cheap(recording: Any) -> None:
    """The promise is 5 ms an instance; ten times that here, where other tests may share the machine."""
    recording.packages("/opt/rt")
    for number in range(50):
        home = f"/srv/t{number}"
        recording.link(f"{home}/node_modules", "/opt/rt/node_modules")
        recording.file(f"{home}/schema/A.js", "cube(`A`, {})")
        recording.process(
            1000 + number, ["node", "node_modules/.bin/cubejs-server"], home,
            {f"CUBEJS_X{at}": "value" for at in range(25)}, sockets=[str(at) for at in range(20)],
        )  # fmt: skip
    began = time.process_time()
    assert len(read(recording).found) == 50
    assert time.process_time() - began < 50 * 0.05
    assert len(recording.commands) == 1
