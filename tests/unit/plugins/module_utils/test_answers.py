"""Services asked until they answer, over a clock that is played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.answers import Answer, AnswerError, wait_for
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import Address, HttpError, Response

REDIRECT = Answer(80, 308, headers={"Host": "cube.acme.example"})


class Service:
    """Answers with one status after the other, and stays with the last; 0 is a refused connection."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.now = 0.0
        self.asked: list[tuple[int, str, object]] = []

    def get(self, address: Address, path: str, headers: object) -> Response:
        """Answer HTTP."""
        self.asked.append((address.port, path, headers))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if not status:
            raise HttpError(f"{address}: Connection refused")
        return Response(status, "")

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def wait_for(self, *answers: Answer) -> None:
        """Wait five seconds at most."""
        wait_for(answers, 5.0, get=self.get, monotonic=lambda: self.now, sleep=self.sleep)


@pytest.mark.parametrize(
    ("statuses", "times"),
    [
        pytest.param((308,), 1, id="at once"),
        pytest.param((0, 0, 308), 3, id="once it listens"),
        pytest.param((404, 308), 2, id="once the new workers answer"),
    ],
)
def test_it_is_asked_until_it_answers(statuses: tuple[int, ...], times: int) -> None:
    service = Service(*statuses)
    service.wait_for(REDIRECT)
    assert service.asked == [(80, "/", {"Host": "cube.acme.example"})] * times


def test_nothing_is_asked_without_answers() -> None:
    service = Service(0)
    service.wait_for()
    assert (service.asked, service.now) == ([], 0.0)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        pytest.param(404, r"127\.0\.0\.1:80/ for cube\.acme\.example is answered 404, not 308", id="another status"),
        pytest.param(0, r"127\.0\.0\.1:80: Connection refused", id="nobody listens"),
    ],
)
def test_what_does_not_answer_in_time_is_told(status: int, said: str) -> None:
    service = Service(status)
    with pytest.raises(AnswerError, match=f"after 5 s {said}"):
        service.wait_for(REDIRECT)
    assert 5.0 <= service.now < 6.0


def test_all_that_do_not_answer_are_told() -> None:
    def ticking() -> Iterator[float]:
        yield from (0.0, 9.0)

    clock = ticking()
    service = Service(500)
    with pytest.raises(AnswerError, match=r"answered 500, not 308; .*answered 500, not 200"):
        wait_for([REDIRECT, Answer(81, 200)], 5.0, get=service.get, monotonic=lambda: next(clock), sleep=service.sleep)
