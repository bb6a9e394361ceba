# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run at a time changes a host.

What a run has started on a host goes on there when its controller is killed: it waits for a restart, say. The next run
lets that end first, and then looks at what came of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import CLOCK, Clock

# Below /run, which is root's and empty after a boot.
LOCK = Path("/run/cubeops-cubejs.lock")
WAIT_SECONDS = 900.0
POLL_SECONDS = 0.2


class HostLockError(Exception):
    """The host cannot be changed now; the message says who is changing it, or why nobody can, and what to do."""


@contextlib.contextmanager
def only_run(
    *,
    apply: bool = True,
    wait_seconds: float = WAIT_SECONDS,
    clock: Clock = CLOCK,
) -> Iterator[None]:
    """Wait until no other run changes the host, and keep others waiting meanwhile; nothing of it without `apply`.

    The kernel gives the lock back however a process ends. Raises HostLockError after `wait_seconds`, or when the lock
    cannot be written.
    """
    if not apply:
        yield
        return
    try:
        descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise HostLockError(f"{LOCK} cannot be written: {exc.strerror}. Run as root (become)") from exc
    with os.fdopen(descriptor, "r+") as stream:
        deadline = clock.monotonic() + wait_seconds
        while not _taken(descriptor):
            if clock.monotonic() >= deadline:
                raise HostLockError(
                    f"another run has been changing this host for {wait_seconds:.0f} s "
                    f"(process {stream.read().strip() or 'unknown'}): wait until it has ended, then run again"
                )
            clock.sleep(POLL_SECONDS)
        stream.truncate()
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
