"""Jobs under one deadline."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import Clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import (
    Deadline,
    Job,
    OutOfTimeError,
    Results,
    result,
    start,
)


def begun(**jobs: Job) -> Results:
    results: Results = {}
    start(jobs, results)
    return results


def test_a_job_that_hangs_costs_the_deadline_and_no_more() -> None:
    forever = threading.Event()
    began = time.monotonic()
    deadline = Deadline.within(0.4)
    results = begun(hangs=forever.wait, quick=lambda: 7, fails=lambda: 1 / 0)
    assert result(results["quick"], deadline) == 7
    with pytest.raises(ZeroDivisionError):
        result(results["fails"], deadline)
    with pytest.raises(OutOfTimeError):
        result(results["hangs"], deadline)
    assert 0.3 < time.monotonic() - began < 2
    # What is there already is told after the deadline, too.
    assert result(results["quick"], deadline) == 7
    forever.set()


def test_jobs_run_side_by_side() -> None:
    began = time.monotonic()
    deadline = Deadline.within(5)
    results = begun(**{str(number): lambda: time.sleep(0.2) for number in range(30)})
    for future in results.values():
        result(future, deadline)
    assert time.monotonic() - began < 2


def test_a_job_may_wait_for_an_earlier_one() -> None:
    """Also when it runs at once: every future is there before the first job begins."""
    deadline = Deadline.within(5)
    for _unused in range(50):
        results: Results = {}
        start({"first": lambda: 1, "second": lambda into=results: result(into["first"], deadline) + 1}, results)
        assert result(results["second"], deadline) == 2


def test_what_is_left() -> None:
    now = [100.0]
    deadline = Deadline(110.0, Clock(monotonic=lambda: now[0]))
    assert (deadline.left(), deadline.left(3.0)) == (10.0, 3.0)
    now[0] = 109.99
    with pytest.raises(OutOfTimeError):
        deadline.left()


def test_one_question_takes_a_part_of_all_the_time_and_never_more_than_is_left() -> None:
    now = [100.0]
    deadline = Deadline(160.0, Clock(monotonic=lambda: now[0]), call_seconds=24.0)
    assert deadline.left_for_call() == 24.0
    now[0] = 150.0
    assert deadline.left_for_call() == 10.0
    now[0] = 160.0
    with pytest.raises(OutOfTimeError):
        deadline.left_for_call()


@pytest.mark.parametrize(("seconds", "call"), [(10.0, 4.0), (60.0, 24.0)])
def test_more_time_for_a_host_is_more_time_for_each_question(seconds: float, call: float) -> None:
    assert Deadline.within(seconds).call_seconds == call


def test_no_jobs_are_done_at_once() -> None:
    assert begun() == {}
