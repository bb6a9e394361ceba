# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run playbooks so that somebody who waits sees what is being done, and the whole output is kept."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

Say = Callable[[str], None]

QUIET_SECONDS = 5.0
QUIET_SECONDS_AT_MOST = 20.0
SHOWN_ON_FAILURE = 30
SHOWN_OF_A_LINE = 600
_TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?P<name>.*)\] \*")
_RECAP = re.compile(r"^\S+\s+: ok=\d+\s+changed=(?P<changed>\d+)")


class PlaybookError(RuntimeError):
    """A playbook failed; the message carries the end of its output and where the rest is."""


@dataclass
class Watch:
    """Turns Ansible's output, line by line, into progress; counts what changed."""

    say: Say
    started: float
    task: str = ""
    said: str = ""
    changed: int = 0

    def line(self, text: str) -> None:
        """Take one line of output."""
        if found := _TASK.match(text):
            self.task = found["name"]
        elif found := _RECAP.match(text):
            self.changed += int(found["changed"])
        elif text.startswith("changed:") and self.task != self.said:
            self._say("changed")

    def quiet(self) -> None:
        """Say what is being waited for, when there was no output for a while."""
        self._say("running")

    def _say(self, what: str) -> None:
        self.said = self.task if what == "changed" else self.said
        self.say(f"{time.monotonic() - self.started:5.0f} s  {what}  {self.task or 'starting'}")


def lines_or_none(stream: IO[str], quiet_seconds: float) -> Iterator[str | None]:
    """Yield the lines of a stream as they come, and None whenever none came for some seconds, rarer each time."""
    arrived: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for text in stream:
            arrived.put(text.rstrip("\n"))
        arrived.put(None)

    threading.Thread(target=read, daemon=True).start()
    patience = quiet_seconds
    while True:
        try:
            text = arrived.get(timeout=patience)
        except queue.Empty:
            patience = min(2 * patience, QUIET_SECONDS_AT_MOST)
            yield None
            continue
        if text is None:
            return
        patience = quiet_seconds
        yield text


def run(arguments: Sequence[str], environment: Mapping[str, str], log: Path, say: Say) -> int:
    """Run ansible-playbook, showing progress; return how many tasks changed something.

    Everything it prints goes into the log as well. Raises PlaybookError when it fails.
    """
    watch = Watch(say, time.monotonic())
    printed: list[str] = []
    with log.open("a") as kept, _start(["ansible-playbook", *arguments], environment) as process:
        assert process.stdout is not None
        for text in lines_or_none(process.stdout, QUIET_SECONDS):
            if text is None:
                watch.quiet()
                continue
            printed.append(text)
            print(text, file=kept, flush=True)
            watch.line(text)
    if process.returncode:
        end = "\n".join(text[:SHOWN_OF_A_LINE] for text in printed[-SHOWN_ON_FAILURE:] if text)
        what = f"{arguments[-1]} failed (exit status {process.returncode})"
        raise PlaybookError(f"{end}\n\n{what}. All of its output: {log}")
    return watch.changed


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
