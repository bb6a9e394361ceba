"""One run at a time changes a host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import host_lock
from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import Clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_lock import HostLockError, only_run

HOLD = (
    "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
)


class Hours:
    """A clock that goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Go on by some seconds."""
        self.now += seconds
        self.slept.append(seconds)


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "lock"
    monkeypatch.setattr(host_lock, "LOCK", path)
    return path


def hold(lock: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_it_waits_for_another_process_however_that_ends(lock: Path) -> None:
    other, hours = hold(lock), Hours()

    def sleep(seconds: float) -> None:
        hours.sleep(seconds)
        if len(hours.slept) == 3:
            end(other)

    with only_run(clock=Clock(lambda: hours.now, sleep)):
        assert len(hours.slept) >= 3
        assert lock.read_text().strip().isdigit()


def test_it_does_not_wait_for_ever(lock: Path) -> None:
    lock.write_text("4711\n")
    other, hours = hold(lock), Hours()
    expected = r"another run has been changing this host for 30 s \(process 4711\): wait"
    with (
        pytest.raises(HostLockError, match=expected),
        only_run(wait_seconds=30, clock=Clock(lambda: hours.now, hours.sleep)),
    ):
        pytest.fail("it did not wait")
    assert 30 <= hours.now < 31
    end(other)


def test_what_changes_nothing_waits_for_nobody(lock: Path) -> None:
    other = hold(lock)
    with only_run(apply=False, clock=Clock(sleep=lambda _seconds: pytest.fail("it waited"))):
        pass
    end(other)


def test_a_lock_that_cannot_be_written(lock: Path) -> None:
    lock.symlink_to("/nowhere")
    with pytest.raises(HostLockError, match=r"cannot be written: .* Run as root"), only_run():
        pytest.fail("it went on")
