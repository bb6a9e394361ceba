# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Probes run side by side under one deadline: what is not there by then is missing, however it hangs.

Threads are daemons: one that waits for a name server, which nothing can interrupt, keeps nobody from ending.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import CLOCK, Clock

WORKERS = 64
# The least that a probe is given when it begins late.
SHORTEST_SECONDS = 0.05
# The part of all the time that one question may take, so that one server that is silent leaves some for the next.
CALL_SHARE = 0.4


class OutOfTimeError(Exception):
    """The deadline has passed."""


@dataclass(frozen=True)
class Deadline:
    """A point in time by a clock that is never set. call_seconds: the most that one question may take."""

    at: float
    clock: Clock = CLOCK
    call_seconds: float = 3600.0

    @classmethod
    def within(cls, seconds: float) -> Deadline:
        """Return the deadline that lies this far ahead."""
        return cls(CLOCK.monotonic() + seconds, call_seconds=seconds * CALL_SHARE)

    def left_for_call(self) -> float:
        """Return the seconds that one question may take; raise OutOfTimeError when there are none."""
        return self.left(self.call_seconds)

    def left(self, most: float = 3600.0) -> float:
        """Return the seconds left, at most so many; raise OutOfTimeError when there are none."""
        left = self.at - self.clock.monotonic()
        if left < SHORTEST_SECONDS:
            raise OutOfTimeError("the time for this host is over")
        return min(left, most)


Results = dict[str, "Future[Any]"]
Job = Callable[[], Any]


def start(jobs: Mapping[str, Job], results: Results, workers: int = WORKERS) -> None:
    """Begin all jobs, in their order, and put name -> its future into `results` before the first of them runs.

    So a job may wait for the future of an earlier one; it needs a worker while it does.
    """
    waiting: queue.SimpleQueue[tuple[Job, Future[Any]]] = queue.SimpleQueue()
    results.update({name: Future() for name in jobs})
    for name, job in jobs.items():
        waiting.put((job, results[name]))

    def work() -> None:
        while True:
            try:
                job, future = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                future.set_result(job())
            # Whatever a probe did not foresee is told as unknown, never a traceback.
            except Exception as exc:
                future.set_exception(exc)

    for _unused in range(min(workers, len(jobs))):
        threading.Thread(target=work, daemon=True).start()


def result(future: Future[Any], deadline: Deadline) -> Any:
    """Return a job's result; raise OutOfTimeError where there is none in time, and what the job itself raised."""
    left = max(0.0, deadline.at - deadline.clock.monotonic())
    done = threading.Event()
    future.add_done_callback(lambda _future: done.set())
    if not done.wait(left):
        raise OutOfTimeError("no answer in the time that there is for this host")
    return future.result()
