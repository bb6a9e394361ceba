"""systemctl and /proc, read."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import systemd
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Completed, Systemd, SystemdError


class Recorder:
    """Answers every command alike and remembers them."""

    def __init__(self, stdout: str = "", rc: int = 0, stderr: str = "") -> None:
        self.answer = Completed(rc, stdout, stderr)
        self.commands: list[str] = []

    def __call__(self, command: Sequence[str]) -> Completed:
        """Answer the command."""
        self.commands.append(" ".join(command))
        return self.answer


SHOWN = """Id=a.service
ActiveState=active
Environment=A=1 B=2

Id=b.service
ActiveState=inactive
Environment=
"""


def test_show_asks_once_for_all_units() -> None:
    recorder = Recorder(SHOWN)
    shown = Systemd(recorder).show(["a.service", "alias-of-b.service"], ["ActiveState", "Environment"])
    assert recorder.commands == [
        "systemctl show --no-pager --property=Id,ActiveState,Environment -- a.service alias-of-b.service"
    ]
    assert shown["a.service"]["Environment"] == "A=1 B=2"
    assert shown["alias-of-b.service"] == {"Id": "b.service", "ActiveState": "inactive", "Environment": ""}


def test_show_refuses_an_answer_for_other_units() -> None:
    with pytest.raises(SystemdError, match="answered for 2 units, asked for 3"):
        Systemd(Recorder(SHOWN)).show(["a", "b", "c"], ["ActiveState"])


def test_nothing_is_asked_for_no_units() -> None:
    recorder = Recorder()
    manager = Systemd(recorder)
    assert manager.show([], ["Id"]) == {}
    for verb in ("enable", "enable_for_boot", "disable", "start", "stop", "restart", "reload"):
        getattr(manager, verb)([])
    assert recorder.commands == []


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        pytest.param("enable", ["systemctl enable -- a b"], id="enable"),
        pytest.param("disable", ["systemctl disable -- a b"], id="disable"),
        pytest.param("stop", ["systemctl stop -- a b"], id="stop"),
        pytest.param("reload", ["systemctl reload -- a b"], id="reload"),
        pytest.param("start", ["systemctl reset-failed -- a b", "systemctl start -- a b"], id="start"),
        pytest.param("restart", ["systemctl reset-failed -- a b", "systemctl restart -- a b"], id="restart"),
    ],
)
def test_verbs_name_all_units_at_once(verb: str, expected: list[str]) -> None:
    recorder = Recorder()
    getattr(Systemd(recorder), verb)(["a", "b"])
    assert recorder.commands == expected


LINKS = "env SYSTEMD_OFFLINE=1 systemctl enable -- a b"
LOOK = "systemctl show --no-pager --property=Id,UnitFileState -- a b"


@pytest.mark.parametrize(
    ("linked", "states", "expected"),
    [
        pytest.param(0, ("enabled", "enabled"), [LINKS, LOOK], id="by the links alone"),
        pytest.param(0, ("enabled", "disabled"), [LINKS, LOOK, "systemctl enable -- b"], id="it knows one otherwise"),
        pytest.param(1, (), [LINKS, "systemctl enable -- a b"], id="no links"),
    ],
)
def test_units_are_enabled_for_boot_without_a_reload_where_that_does(
    linked: int, states: Sequence[str], expected: list[str]
) -> None:
    commands = []

    def systemctl(command: Sequence[str]) -> Completed:
        commands.append(" ".join(command))
        shown = "\n\n".join(f"Id={unit}\nUnitFileState={state}" for unit, state in zip("ab", states))
        return Completed(linked if command[0] == "env" else 0, shown, "")

    Systemd(systemctl).enable_for_boot(["a", "b"])
    assert commands == expected


def test_a_signal_goes_to_main_processes_alone() -> None:
    systemctl = Recorder()
    Systemd(systemctl).signal("HUP", ["a", "b"])
    Systemd(systemctl).signal("HUP", [])
    assert systemctl.commands == ["systemctl kill --kill-who=main --signal=HUP -- a b"]


def test_what_systemd_says_is_passed_on() -> None:
    with pytest.raises(SystemdError, match="systemctl enable -- a failed: Unit a does not exist"):
        Systemd(Recorder(rc=1, stderr="Unit a does not exist\n")).enable(["a"])


def test_a_host_without_systemd() -> None:
    with pytest.raises(SystemdError, match="/nonexistent/systemctl cannot be run"):
        systemd.run(["/nonexistent/systemctl"])


def test_commands_run_in_the_c_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert systemd.run(["sh", "-c", "echo $LC_ALL; echo no >&2; exit 3"]) == Completed(3, "C\n", "no\n")


def test_the_environment_of_a_process() -> None:
    with subprocess.Popen(
        ["/bin/cat"], env={"A": "1=2", "B": ""}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        # Until it has answered, the kernel may still be setting it up.
        process.stdin.write(b"\n")
        assert process.stdout.readline() == b"\n"
        assert systemd.process_environ(process.pid) == {"A": "1=2", "B": ""}
        process.stdin.close()
    assert systemd.process_environ(process.pid) == {}


def test_a_process_that_is_closed_to_us_is_asked_as_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root without CAP_SYS_PTRACE; somebody else than root may not become the owner and is told so."""
    monkeypatch.setattr(systemd, "_is_closed_to_us", lambda _path: True)
    with subprocess.Popen(["sleep", "60"], env={"A": "1", "PATH": os.environ["PATH"]}) as process:
        try:
            if os.geteuid() == 0:
                assert systemd.process_environ(process.pid)["A"] == "1"
            else:
                with pytest.raises(SystemdError, match=r"cannot be read: .*Run as root"):
                    systemd.process_environ(process.pid)
        finally:
            process.kill()


def test_an_environment_that_nobody_may_read_is_no_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "environ").mkdir()
    monkeypatch.setattr(systemd, "_is_closed_to_us", lambda _path: True)
    with pytest.raises(SystemdError, match=r"cannot be read: Permission denied\. Run as root"):
        systemd.process_environ(1, tmp_path)


def test_where_processes_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are closed to us are asked as their owner, with one command for all of one owner."""
    for pid in ("1", "2", "3"):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cwd").symlink_to(f"/srv/{pid}")
    (tmp_path / "4").mkdir()  # gone meanwhile
    (tmp_path / "self").mkdir()
    assert sorted(systemd.process_cwds(tmp_path)) == [Path("/srv/1"), Path("/srv/2"), Path("/srv/3")]
    real, asked = Path.readlink, []

    def closed(path: Path) -> Path:
        if path.parent.name != "1":
            raise PermissionError
        return real(path)

    def run_as(user: int, group: int, command: list[str]) -> Any:
        asked.append((user, group))
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)

    monkeypatch.setattr(Path, "readlink", closed)
    monkeypatch.setattr(systemd, "_run_as", run_as)
    assert sorted(systemd.process_cwds(tmp_path)) == [Path("/srv/1"), Path("/srv/2"), Path("/srv/3")]
    assert asked == [(os.geteuid(), os.getegid())]


def test_when_a_process_started() -> None:
    before = time.time()
    with subprocess.Popen(["sleep", "60"]) as process:
        after = time.time()
        try:
            started = systemd.process_started_at(process.pid)
        finally:
            process.kill()
    assert started is not None
    assert before - 0.02 <= started <= after + 0.02
    assert systemd.process_started_at(process.pid) is None


def process(proc: Path, pid: int, parent: int, started_ago: float, title: str = "nginx: worker process") -> None:
    """Write what /proc says of a process that started that many seconds ago."""
    ticks = int((time.clock_gettime(time.CLOCK_BOOTTIME) - started_ago) * os.sysconf("SC_CLK_TCK"))
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "stat").write_text(f"{pid} (a (b) c) S {parent} {'0 ' * 17}{ticks} 0 0\n")
    (folder / "cmdline").write_bytes(title.encode() + b"\0")


@pytest.mark.parametrize(
    ("workers", "ago"),
    [
        pytest.param([], 100, id="no workers: the main process"),
        pytest.param([(20, ""), (5, "")], 20, id="the oldest worker"),
        pytest.param([(50, "nginx: worker process is shutting down"), (5, "")], 5, id="one that leaves does not count"),
    ],
)
def test_serving_since(tmp_path: Path, workers: list[tuple[float, str]], ago: float) -> None:
    process(tmp_path, 1, 0, 1000)
    process(tmp_path, 10, 1, 100)
    process(tmp_path, 99, 1, 500)
    (tmp_path / "self").mkdir()
    for number, (started_ago, title) in enumerate(workers):
        process(tmp_path, 11 + number, 10, started_ago, title)
    since = systemd.serving_since(10, tmp_path)
    assert since == pytest.approx(time.time() - ago, abs=0.5)


def test_children_are_those_that_the_kernel_lists(tmp_path: Path) -> None:
    """Of all threads, and without a look at any other process; a kernel that keeps no list is asked for each parent."""
    process(tmp_path, 10, 1, 100)
    process(tmp_path, 11, 10, 20)
    process(tmp_path, 12, 10, 30)
    assert sorted(systemd._children(10, tmp_path)) == [11, 12]
    for thread, children in (("10", "11 "), ("13", "12 14 "), ("15", "")):
        (tmp_path / "10" / "task" / thread).mkdir(parents=True)
        (tmp_path / "10" / "task" / thread / "children").write_text(children)
    assert sorted(systemd._children(10, tmp_path)) == [11, 12, 14]


def test_children_of_a_real_process() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            assert child.pid in systemd._children(os.getpid(), systemd.PROC)
        finally:
            child.kill()


def test_newest_change_of_a_link_is_that_of_the_link_or_its_target(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.touch()
    link.symlink_to(target)
    os.utime(link, (1, 1), follow_symlinks=False)
    assert systemd.newest_change([str(link)]) == max(link.lstat().st_ctime, target.stat().st_ctime)
    os.utime(target, (4e9, 4e9))
    assert systemd.newest_change([str(link)]) == 4e9


def test_newest_change_counts_a_rename(tmp_path: Path) -> None:
    staged, place = tmp_path / "staged", tmp_path / "place"
    staged.touch()
    os.utime(staged, (1, 1))
    before = time.time() - 0.1
    staged.rename(place)
    changed = systemd.newest_change([str(place), str(tmp_path / "missing")])
    assert changed is not None
    assert changed >= before


def test_newest_change_of_nothing(tmp_path: Path) -> None:
    assert systemd.newest_change([]) is None
    assert systemd.newest_change([str(tmp_path / "missing")]) is None


def test_all_services_and_those_named_cost_one_call() -> None:
    blocks = (
        "Id=a.service\nEnvironmentFiles=/1 (ignore_errors=no)\nEnvironmentFiles=/2 (ignore_errors=yes)\nUser=x=y",
        "Id=b.service\nUser=",
        "Id=a.service\nEnvironmentFiles=/1 (ignore_errors=no)\nEnvironmentFiles=/2 (ignore_errors=yes)\nUser=x=y",
    )
    asked: list[Sequence[str]] = []

    def answer(command: Sequence[str]) -> Completed:
        asked.append(command)
        return Completed(0, "\n\n".join(blocks) + "\n", "")

    found = Systemd(answer).services(["EnvironmentFiles", "User"], ["a.service"])
    assert len(asked) == 1
    assert found == [
        {
            "Id": ["a.service"],
            "EnvironmentFiles": ["/1 (ignore_errors=no)", "/2 (ignore_errors=yes)"],
            "User": ["x=y"],
        },
        {"Id": ["b.service"], "User": [""]},
    ]


@pytest.mark.parametrize("rc", [0, 1])
def test_whether_a_command_succeeds(rc: int) -> None:
    recorder = Recorder(rc=rc)
    assert Systemd(recorder).succeeds(["nft", "list", "tables"]) is (rc == 0)
    assert recorder.commands == ["nft list tables"]
