# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Services of this host asked over HTTP until they answer as they should."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import http

POLL_SECONDS = 0.1
SPEC = {
    "port": {"type": "int", "required": True},
    "path": {"type": "str", "default": "/"},
    "headers": {"type": "dict", "default": {}},
    "status": {"type": "int", "required": True},
}


class AnswerError(Exception):
    """A service does not answer as it should; the message says which, what it said instead and what to do."""


@dataclass(frozen=True)
class Answer:
    """What 127.0.0.1 is to say on a port to GET `path`."""

    port: int
    status: int
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)

    def problem(self, get: Callable[..., http.Response]) -> str:
        """Return what is wrong with the answer, or nothing."""
        address = http.Address(port=self.port)
        try:
            found = get(address, self.path, self.headers).status
        except http.HttpError as exc:
            return str(exc)
        asked = f"{address}{self.path} for {self.headers.get('Host', 'localhost')}"
        return "" if found == self.status else f"{asked} is answered {found}, not {self.status}"


def wait_for(
    answers: Sequence[Answer],
    seconds: float,
    *,
    get: Callable[..., http.Response] = http.get,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return once all answer so; raise AnswerError, with all that do not, when `seconds` are over before."""
    deadline = monotonic() + seconds
    while True:
        problems = [problem for problem in (answer.problem(get) for answer in answers) if problem]
        if not problems:
            return
        if monotonic() >= deadline:
            raise AnswerError(f"after {seconds:.0f} s {'; '.join(problems)}: see the service's error log")
        sleep(POLL_SECONDS)
