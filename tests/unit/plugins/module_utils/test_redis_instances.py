"""Instances brought up to date, over a host in memory that can die at any operation."""

# ruff: noqa: D102, ARG002 (the fakes have the methods of the protocols in redis_model, which are documented there)
from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_instances import Options, Result, converge
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import (
    ImmutableError,
    Instance,
    InstancesError,
    NotReadyError,
    SettingRefusedError,
    UnitState,
    WrongPasswordError,
    digest,
)

IMMUTABLE = {"databases"}
DEFAULTS = {"maxmemory": "0", "maxmemory-policy": "noeviction", "databases": "16", "port": "6379", "tls-port": "0"}


class Killed(BaseException):
    """The run is killed here."""


@dataclass
class Server:
    """A running process."""

    pid: int
    settings: dict[str, str]
    passwords: set[str]
    started_with: str
    certificate: str = "1"
    unit: int = 1
    clients: int = 3

    def set_password(self, password: str, keep: Collection[str] = ()) -> None:
        self.settings["requirepass"] = password
        self.passwords = {digest(password), *keep}


@dataclass
class Host:
    """A host: what is on disk, what runs, and what was noted. Every operation can be the last."""

    instances: dict[str, Instance]
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    running: dict[str, Server] = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    notes: dict[str, list[str]] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)
    file_limit: int = 20000
    unit: int = 1
    loaded_unit: int = 1
    certificate: str = "1"
    taken: set[int] = field(default_factory=set)
    when_ports_are_asked: Callable[[], object] = lambda: None
    broken: set[str] = field(default_factory=set)
    strangers: dict[str, int] = field(default_factory=dict)
    dies_at: int | None = None
    refuses: dict[str, str] = field(default_factory=dict)
    loading: int = 0
    syncing: int = 0
    replaced: bool = False
    begun: dict[str, str] = field(default_factory=dict)
    primaries: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pids = itertools.count(100)
        self._steps = 0

    def step(self, operation: str) -> None:
        """Note an operation that changes something; die before it when it is time."""
        self._steps += 1
        if self.dies_at is not None and self._steps > self.dies_at:
            raise Killed(operation)
        self.operations.append(operation)

    # --- units ---

    def units(self, names: Sequence[str]) -> dict[str, UnitState]:
        return {name: self._state(name) for name in names}

    def _state(self, name: str) -> UnitState:
        server = self.running.get(name)
        return UnitState(
            active=server is not None,
            enabled=name in self.enabled,
            needs_daemon_reload=self.unit != self.loaded_unit,
            stale=server is not None and server.unit != self.unit,
            failing=name in self.broken,
            pid=server.pid if server else 0,
        )

    def daemon_reload(self) -> None:
        self.step("daemon-reload")
        self.loaded_unit = self.unit

    def enable(self, names: Sequence[str]) -> None:
        self.step(f"enable {' '.join(names)}")
        self.enabled |= set(names)

    def start(self, name: str) -> None:
        self.step(f"start {name}")
        self.boot(name)

    def restart(self, name: str) -> None:
        self.step(f"restart {name}")
        self.running.pop(name, None)
        self.boot(name)

    def boot(self, name: str) -> None:
        """Start the process as systemd does, with what is on disk."""
        if name in self.broken:
            return
        settings = {**DEFAULTS, **self.files[name]}
        settings["maxclients"] = str(min(int(settings["maxclients"]), self.file_limit - 32))
        password = settings["requirepass"]
        pid = next(self._pids)
        self.running[name] = Server(pid, settings, {digest(password)}, password, self.certificate, self.unit, clients=0)

    def unlisted(self, names: Collection[str]) -> list[str]:
        return sorted(self.enabled - set(names))

    def journal(self, name: str) -> str:
        return "the last line"

    # --- files and notes ---

    def write_files(self, **settings: str) -> None:
        """Put every instance's configuration in place, as the task before does."""
        for name, instance in self.instances.items():
            self.files[name] = {
                "requirepass": instance.password,
                "maxclients": str(instance.maxclients),
                "port": "0" if instance.tls else str(instance.port),
                "tls-port": str(instance.port) if instance.tls else "0",
                **settings,
            }

    def wanted_settings(self, name: str, *, remember: bool) -> dict[str, str]:
        return {**DEFAULTS, **self.files[name], "port": "0", "requirepass": "", "dir": "/private"}

    def passwords(self, name: str) -> list[str]:
        started = [self.running[name].started_with] if name in self.running else []
        return [*self.notes.get(name, []), *started]

    def remember_passwords(self, name: str, passwords: Sequence[str]) -> None:
        self.step(f"note {name}")
        self.notes[name] = list(passwords)

    # --- replication ---

    def was_started(self, name: str) -> bool:
        return name in self.begun or name in self.running

    def present_primary(self, name: str) -> str | None:
        return self.primaries.get(name)

    def begin_as_replica(self, instance: Instance, primary: str) -> None:
        self.step(f"replica {instance.name} of {primary}")
        self.begun[instance.name] = primary

    # --- servers ---

    def session(self, instance: Instance, passwords: Sequence[str]) -> Session:
        server = self.running.get(instance.name)
        if server is None or self.loading:
            self.loading = max(0, self.loading - 1)
            raise NotReadyError("LOADING" if server else "Connection refused")
        for password in passwords:
            if digest(password) in server.passwords or not server.passwords:
                return Session(self, instance.name, server, password)
        raise WrongPasswordError("it takes none of the passwords")

    def serves_other_certificate(self, instance: Instance) -> bool:
        return self.running[instance.name].certificate != self.certificate

    def check_clients_way(self, instance: Instance) -> None:
        server = self.running[instance.name]
        if self.syncing:
            self.syncing -= 1
            raise NotReadyError("LOADING")
        if digest(instance.password) not in server.passwords or server.settings["port"] != str(instance.port):
            raise InstancesError("a client cannot use it")

    def ports_taken(self, instance: Instance) -> list[str]:
        self.when_ports_are_asked()
        return [f"127.0.0.1:{instance.port}"] if instance.port in self.taken else []

    def replaced_binary(self, pid: int) -> bool:
        return self.replaced

    def open_files_limit(self, pid: int) -> int:
        return self.file_limit

    def moments(self, seconds: float) -> Iterator[None]:
        yield from [None] * 5

    # --- for the tests ---

    def pids(self) -> dict[str, int]:
        return {name: server.pid for name, server in self.running.items()}

    def clients(self) -> dict[str, int]:
        return {name: server.clients for name, server in self.running.items()}


@dataclass
class Session:
    """A connection to a process of the host."""

    host: Host
    name: str
    server: Server
    password: str

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def config(self) -> dict[str, str]:
        return {**self.server.settings, "dir": "/var/lib/cubejs-redis/x"}

    def process_id(self) -> int:
        return self.host.strangers.get(self.name, self.server.pid)

    def used_memory(self) -> int:
        return 1000

    def password_digests(self) -> frozenset[str]:
        return frozenset(self.server.passwords or {""})

    def set(self, name: str, value: str) -> None:
        self.host.step(f"set {name}")
        if name in IMMUTABLE:
            raise ImmutableError(name)
        if name in self.host.refuses:
            raise SettingRefusedError(self.host.refuses[name])
        self.server.settings[name] = value

    def set_password(self, password: str, keep: Collection[str]) -> None:
        self.host.step(f"password {self.name}")
        self.server.set_password(password, [*keep, *([digest(self.password)] if keep else [])])

    def reload_certificate(self) -> None:
        self.host.step(f"certificate {self.name}")
        self.server.certificate = self.host.certificate


def instance(name: str, port: int, **changed: object) -> Instance:
    return Instance(**{"name": name, "port": port, "password": f"{name}-old", "maxclients": 100, **changed})


@pytest.fixture
def host() -> Host:
    """Return a host where two instances run as wanted, with clients."""
    made = Host({"acme": instance("acme", 1), "globex": instance("globex", 2)})
    made.write_files()
    for name in made.instances:
        made.boot(name)
        made.running[name].clients = 3
    made.enabled = set(made.instances)
    return made


def change(host: Host, name: str, **changed: object) -> None:
    """Change an instance in the inventory and put its file in place."""
    host.instances[name] = Instance(**{**vars(host.instances[name]), **changed})
    host.write_files()


def run(host: Host, **options: object) -> Result:
    return converge(list(host.instances.values()), host, Options(**options))


def test_an_empty_host_is_brought_up() -> None:
    host = Host({"acme": instance("acme", 1), "globex": instance("globex", 2)})
    host.write_files()
    result = run(host)
    assert result.changed
    assert host.operations == ["enable acme globex", "start acme", "start globex"]
    assert {name: outcome.actions for name, outcome in result.instances.items()} == {
        "acme": ["enable", "start"],
        "globex": ["enable", "start"],
    }
    assert not run(host).changed


def test_nothing_to_do_does_nothing(host: Host) -> None:
    result = run(host)
    assert not result.changed
    assert host.operations == []


def test_settings_are_set_live_and_only_where_they_differ(host: Host) -> None:
    pids = host.pids()
    change(host, "acme", maxclients=200)
    host.files["acme"]["maxmemory"] = "5000"
    result = run(host)
    assert result.instances["acme"].settings == {"maxclients": ("100", "200"), "maxmemory": ("0", "5000")}
    assert host.operations == ["set maxclients", "set maxmemory"]
    assert (host.pids(), host.clients()) == (pids, {"acme": 3, "globex": 3})
    assert not run(host).changed


def test_what_was_set_by_hand_and_is_nowhere_written_goes_back_to_its_default(host: Host) -> None:
    host.running["acme"].settings["maxmemory-policy"] = "allkeys-lru"
    assert run(host).instances["acme"].settings == {"maxmemory-policy": ("allkeys-lru", "noeviction")}


def test_a_restart_is_only_for_what_the_server_refuses_and_only_there(host: Host) -> None:
    pids = host.pids()
    host.files["acme"] |= {"databases": "20", "maxmemory": "5000"}
    result = run(host)
    assert result.instances["acme"].actions == ["set", "restart"]
    assert result.instances["acme"].restart_reasons == ["databases cannot be changed while it runs"]
    assert host.running["acme"].pid != pids["acme"]
    assert host.running["globex"].pid == pids["globex"]
    assert not run(host).changed


def test_a_port_that_begins_to_speak_tls_is_restarted_at_one_stroke(host: Host) -> None:
    host.files["acme"] |= {"tls-port": "1", "port": "0"}
    host.instances["acme"] = instance("acme", 1, tls=True)
    with pytest.raises(InstancesError):  # the fake's clients do not speak TLS
        run(host)
    assert host.operations == ["restart acme"]


def test_a_changed_unit_restarts_one_after_the_other(host: Host) -> None:
    host.unit = 2
    result = run(host)
    assert result.daemon_reloaded
    assert host.operations == ["daemon-reload", "restart acme", "restart globex"]
    assert not run(host).changed


def test_a_password_is_changed_and_noted_around_it(host: Host) -> None:
    change(host, "acme", password="acme-new")
    assert run(host).instances["acme"].actions == ["password"]
    assert host.operations == ["note acme", "password acme", "note acme"]
    assert host.running["acme"].passwords == {digest("acme-new")}
    assert host.clients()["acme"] == 3
    assert not run(host).changed


def test_an_old_password_is_kept_for_as_long_as_wanted(host: Host) -> None:
    change(host, "acme", password="acme-new")
    run(host, keep_old_passwords=True)
    assert host.running["acme"].passwords == {digest("acme-new"), digest("acme-old")}
    result = run(host, keep_old_passwords=True)
    assert not result.changed
    assert result.instances["acme"].old_passwords == 1
    assert run(host).changed
    assert host.running["acme"].passwords == {digest("acme-new")}
    assert host.clients()["acme"] == 3


def test_a_server_that_lets_everybody_in_is_closed(host: Host) -> None:
    host.running["acme"].passwords = set()
    assert run(host).instances["acme"].actions == ["password"]
    assert host.running["acme"].passwords == {digest("acme-old")}


def test_a_password_that_nobody_knows_is_an_error_with_a_way_out(host: Host) -> None:
    host.running["acme"].set_password("by hand")
    with pytest.raises(InstancesError, match=r"(?s)acme: it takes none.*Not touched: globex.*the last line"):
        run(host)
    assert host.operations == []


@pytest.mark.parametrize("again", ["acme-new", "acme-third", "acme-old"])
@pytest.mark.parametrize("restarts", [False, True], ids=["runs on", "crashes in between"])
def test_a_run_killed_at_any_point_is_completed_by_the_next(again: str, restarts: bool) -> None:
    """Whatever the inventory says by then, and also when the process was started anew by systemd meanwhile."""
    for dies_at in range(12):
        host = Host({"acme": instance("acme", 1)})
        host.write_files()
        run(host)
        change(host, "acme", password="acme-new", maxclients=300)
        host.files["acme"]["databases"] = "20"
        host.dies_at, host._steps = dies_at, 0
        try:
            run(host)
            finished = True
        except Killed:
            finished = False
        host.dies_at = None
        if restarts:
            host.boot("acme")
        change(host, "acme", password=again)
        run(host)
        assert host.running["acme"].passwords == {digest(again)}
        assert host.running["acme"].settings["maxclients"] == "300"
        assert not run(host).changed
        if finished:
            return
    pytest.fail("the run never got to its end")


def test_passwords_changed_by_run_after_run_that_was_killed_are_all_known() -> None:
    """Each run is killed right after the server took the password: only the notes know it."""
    host = Host({"acme": instance("acme", 1)})
    host.write_files()
    run(host)
    for password in ("second", "third", "fourth"):
        change(host, "acme", password=password)
        host.dies_at, host._steps = 2, 0
        with pytest.raises(Killed):
            run(host)
        assert host.running["acme"].passwords == {digest(password)}
    host.dies_at = None
    change(host, "acme", password="fifth")
    run(host)
    assert host.running["acme"].passwords == {digest("fifth")}


def test_a_new_certificate_is_read_live(host: Host) -> None:
    host.instances = {"acme": instance("acme", 1, tls=True)}
    host.write_files()
    host.running["acme"].settings |= {"port": "0", "tls-port": "1"}
    host.certificate = "2"
    with pytest.raises(InstancesError, match="a client cannot use it"):  # the fake's clients do not speak TLS
        run(host)
    assert host.operations == ["certificate acme"]
    assert host.running["acme"].certificate == "2"


def test_maxclients_is_read_back_after_the_file_limit(host: Host) -> None:
    host.instances["acme"] = instance("acme", 1, maxclients=30000)
    host.write_files()
    del host.running["acme"]
    with pytest.raises(InstancesError, match=r"maxclients is 19968 and not 30000: the process may open 20000 files"):
        run(host)


def test_maxclients_refused_live_names_the_way_out(host: Host) -> None:
    change(host, "acme", maxclients=30000)
    host.refuses = {"maxclients": "ERR the operating system is not able"}
    with pytest.raises(InstancesError, match=r"it refuses maxclients 30000: ERR the op.*redis_open_files_limit"):
        run(host)


def test_the_first_that_fails_stops_the_rest(host: Host) -> None:
    host.running.clear()
    host.broken = {"acme"}
    with pytest.raises(
        InstancesError, match=r"(?s)^Redis instance acme: it does not start\nNot touched: globex\nLast l"
    ):
        run(host)
    assert "start globex" not in host.operations


def test_loading_is_waited_for(host: Host) -> None:
    host.running.clear()
    host.loading = 2
    assert run(host).changed


def test_loading_is_not_waited_for_for_ever(host: Host) -> None:
    host.loading = 1000
    with pytest.raises(InstancesError, match="no answer within 7 s: LOADING"):
        run(host, start_seconds=7.0)


def test_a_server_of_somebody_else_is_not_changed(host: Host) -> None:
    change(host, "acme", maxclients=200)
    host.strangers = {"acme": 4711}
    with pytest.raises(InstancesError, match="process 4711, and systemd runs 100"):
        run(host)
    assert host.operations == []


def test_a_taken_port_is_said_before_the_start(host: Host) -> None:
    del host.running["globex"]
    host.taken = {2}
    with pytest.raises(InstancesError, match=r"globex: something else listens on 127\.0\.0\.1:2"):
        run(host)
    assert host.operations == []


def test_an_instance_that_came_back_by_itself_has_not_taken_its_own_port(host: Host) -> None:
    host.taken = {2}
    server = host.running.pop("globex")
    host.when_ports_are_asked = lambda: host.running.setdefault("globex", server)
    assert not run(host).changed


def test_a_taken_port_is_said_before_an_instance_moves_there(host: Host) -> None:
    change(host, "acme", port=3, maxclients=200)
    host.taken = {3}
    with pytest.raises(InstancesError, match=r"acme: something else listens on 127\.0\.0\.1:3"):
        run(host)
    assert host.operations == []
    host.taken = set()
    run(host)
    assert host.running["acme"].settings["port"] == "3"


def test_unlisted_instances_are_reported_and_left_alone(host: Host) -> None:
    del host.instances["globex"]
    result = run(host)
    assert result.unlisted == ["globex"]
    assert not result.changed
    assert "globex" in host.running


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(lambda host: host.running.clear(), id="start"),
        pytest.param(lambda host: host.enabled.clear(), id="enable"),
        pytest.param(lambda host: change(host, "acme", maxclients=200), id="live setting"),
        pytest.param(lambda host: change(host, "acme", password="acme-new"), id="password"),
        pytest.param(lambda host: host.files["acme"].update(databases="20"), id="restart"),
        pytest.param(lambda host: setattr(host, "unit", 2), id="unit"),
        pytest.param(lambda _host: None, id="nothing"),
    ],
)
def test_check_mode_tells_whether_the_run_changes_and_does_nothing(host: Host, prepare: object) -> None:
    prepare(host)
    foretold = run(host, apply=False)
    assert host.operations == []
    done = run(host)
    assert foretold.changed == done.changed
    for name, outcome in foretold.instances.items():
        assert set(outcome.actions) <= set(done.instances[name].actions)
        assert outcome.settings == done.instances[name].settings


def test_files_that_would_change_count_in_check_mode_and_in_the_run(host: Host) -> None:
    pending = frozenset({"acme"})
    assert run(host, apply=False, pending=pending).instances["acme"].actions == ["update"]
    assert run(host, pending=pending).instances["acme"].actions == ["update"]
    assert run(host, apply=False, pending_unit=True).instances["globex"].actions == ["restart"]
    assert not run(host, pending_unit=True).changed
    assert host.operations == []


def test_secret_settings_are_masked(host: Host) -> None:
    for name in host.instances:
        host.running[name].settings["masterauth"] = ""
    host.files["acme"]["masterauth"] = "planted"
    assert "planted" not in str(vars(run(host).instances["acme"]))


def test_memory_that_is_in_use_is_warned_about(host: Host) -> None:
    host.files["acme"]["maxmemory"] = "500"
    assert "500 bytes and 1000 are used" in run(host).instances["acme"].warnings[0]


def test_a_replaced_program_is_reported_and_not_restarted(host: Host) -> None:
    host.replaced = True
    result = run(host)
    assert "restart it when it suits" in result.instances["acme"].warnings[0]
    assert not result.changed


PRIMARY = {"primary": "10.0.0.5", "bind": ("10.0.0.6", "127.0.0.1")}


@pytest.mark.parametrize(
    ("changed", "primaries", "begun"),
    [
        pytest.param({}, {}, {}, id="not replicated"),
        pytest.param(PRIMARY, {}, {"acme": "10.0.0.5"}, id="a replica of the first primary"),
        pytest.param({**PRIMARY, "bind": ("10.0.0.5",)}, {}, {}, id="the first primary itself"),
        pytest.param(PRIMARY, {"acme": "10.0.0.7"}, {"acme": "10.0.0.7"}, id="after a failover, of the present one"),
        pytest.param(
            {**PRIMARY, "bind": ("10.0.0.5",)},
            {"acme": "10.0.0.6"},
            {"acme": "10.0.0.6"},
            id="a host that was made anew",
        ),
        pytest.param(PRIMARY, {"acme": "10.0.0.6"}, {}, id="Sentinel names itself"),
    ],
)
def test_what_an_instance_begins_as(changed: dict[str, Any], primaries: dict[str, str], begun: dict[str, str]) -> None:
    host = Host({"acme": instance("acme", 1, **changed)}, primaries=primaries)
    host.write_files()
    assert run(host, apply=False).instances["acme"].replica_of == begun.get("acme", "")
    assert host.begun == {}
    assert run(host).instances["acme"].replica_of == begun.get("acme", "")
    assert host.begun == begun
    assert not run(host).changed


def test_what_it_was_made_later_is_not_undone() -> None:
    host = Host({"acme": instance("acme", 1, **PRIMARY)})
    host.write_files()
    run(host)
    host.operations.clear()
    host.running.clear()
    assert run(host).instances["acme"].replica_of == ""
    assert host.operations == ["start acme"]


def test_a_run_killed_before_the_start_still_begins_as_a_replica() -> None:
    for step in range(3):
        host = Host({"acme": instance("acme", 1, **PRIMARY)}, dies_at=step)
        host.write_files()
        with pytest.raises(Killed):
            run(host)
        host.dies_at = None
        run(host)
        assert host.operations[-2:] in (["replica acme of 10.0.0.5", "start acme"], ["start acme"])
        assert host.begun == {"acme": "10.0.0.5"}


def test_a_replica_that_takes_over_data_is_waited_for() -> None:
    host = Host({"acme": instance("acme", 1, **PRIMARY)}, syncing=3)
    host.write_files()
    assert run(host).changed
    host.syncing = 100
    with pytest.raises(InstancesError, match="no client is served within 120 s: LOADING"):
        run(host)
