# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Instances brought up to date: a release tried, switched to, and its processes restarted one by one, each gated.

A tenant's release is tried in a process of its own while those that serve go on; what does not pass is never switched
to. Tenants are rolled side by side, the instances of one never: the first that fails stops its tenant's roll and keeps
the others from beginning another step.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import environment, health, instances, names
from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import Clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.masks import mask
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import SECRET_MODE, Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import ENVIRONMENT_DIRECTORY
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import Subject
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import PROC, Systemd, SystemdError

# How often a process that is coming up is asked: at first often, then at leisure. What asks takes from the same cores.
POLL_SECONDS = (0.1, 1.0)
# A server that is being restarted by the same run may take a moment.
DEPENDENCY_SECONDS = 10.0
JOURNAL_LINES = 20
PROPERTIES = ("ActiveState", "SubState", "MainPID", "ExecMainStatus", "Result")
GONE = ("failed", "inactive", "deactivating")


class RollError(Exception):
    """The roll was stopped; the message says at which unit, why, what the unit logged and what to do."""


class Stopped(Exception):  # noqa: N818 - no error: another tenant's is told
    """Another tenant's roll has failed: this one begins nothing more."""


@dataclass(frozen=True)
class Tools:
    """What a roll works with. start_seconds: how long an instance may take until it answers."""

    systemd: Systemd
    store: Store
    start_seconds: float = 60.0
    probes: health.Probes = field(default_factory=health.Probes)
    clock: Clock = field(default_factory=Clock)
    stop: threading.Event = field(default_factory=threading.Event)
    proc: Path = PROC

    def is_alive(self, pid: int) -> bool:
        """Return whether a process is there: much cheaper than asking systemd."""
        return (self.proc / str(pid)).exists()

    def poll(self, since: float) -> None:
        """Wait a moment before asking again, the longer the more time has passed."""
        shortest, longest = POLL_SECONDS
        self.clock.sleep(min(longest, max(shortest, (self.clock.monotonic() - since) / 10)))


@dataclass
class Gate:
    """One unit, and the settings that its process has."""

    unit: str
    subject: Subject
    steady_seconds: float
    tools: Tools
    notes: list[str] = field(default_factory=list)
    _process: int = 0
    _up_since: float = 0.0

    def act(self, verb: str) -> None:
        """Start or restart the unit; raise RollError when systemd cannot."""
        try:
            getattr(self.tools.systemd, verb)([self.unit])
        except SystemdError as exc:
            raise self.failure(str(exc)) from exc

    def pass_new(self) -> None:
        """Wait until a process that was just started is healthy, and stays itself for the steady time."""
        self.come_up()
        self.stay()

    def come_up(self) -> None:
        """Wait until the process that was just started is healthy."""
        self._process = self._pid()
        self._wait(self._process)
        self._up_since = self.tools.clock.monotonic()

    def stay(self) -> None:
        """Watch the process that came up until it has been itself for the steady time."""
        while self.tools.clock.monotonic() - self._up_since < self.steady_seconds:
            self._refuse_dead(self._process)
            self.tools.poll(self._up_since)
        if self._pid() != self._process:
            raise self.failure("the process answered and then ended: another one has taken its place")

    def pass_running(self) -> None:
        """Ask a process that has been running; one that systemd is just restarting has the time of a start."""
        started = self.tools.clock.monotonic()
        while True:
            try:
                health.check_dependencies(self.subject, probes=self.tools.probes)
                health.check_answers(self.subject, probes=self.tools.probes, schema=False)
                return
            except health.HealthError as exc:
                is_coming = isinstance(exc, health.NotYetError) and self._properties()["ActiveState"] not in GONE
                limit = self.tools.start_seconds if is_coming else 0.0
                if self.tools.clock.monotonic() - started >= limit:
                    raise self.failure(str(exc)) from exc
            self.tools.poll(started)

    def _wait(self, pid: int) -> None:
        """Wait until the process answers; raise RollError when it does not within its time, or ends."""
        started = self.tools.clock.monotonic()
        reached = False
        while True:
            self._refuse_dead(pid)
            try:
                if not reached:
                    health.check_dependencies(self.subject, probes=self.tools.probes)
                    reached = True
                note = health.check_answers(self.subject, probes=self.tools.probes)
                self.notes += [f"{self.unit}: not judged: {note}"] if note else []
                return
            except health.HealthError as exc:
                limit = self.tools.start_seconds if isinstance(exc, health.NotYetError) else 0.0
                limit = limit if reached else DEPENDENCY_SECONDS
                if self.tools.clock.monotonic() - started >= limit:
                    raise self.failure(str(exc)) from exc
            self.tools.poll(started)

    def _refuse_dead(self, pid: int) -> None:
        if not self.tools.is_alive(pid):
            self._pid()
            raise self.failure("the process ended, and another one has taken its place")

    def _properties(self) -> Mapping[str, str]:
        return self.tools.systemd.show([self.unit], PROPERTIES)[self.unit]

    def _pid(self) -> int:
        found = self._properties()
        if found["ActiveState"] in GONE or found["SubState"] == "auto-restart":
            raise self.failure(f"the process ended with status {found['ExecMainStatus']} ({found['Result']})")
        return int(found["MainPID"] or 0)

    def failure(self, reason: str) -> RollError:
        """Return the error that stops the roll, with the end of the unit's journal and no secret in it."""
        secrets = instances.secret_values(self.subject.environment)
        journal = mask(self.tools.systemd.journal(self.unit, JOURNAL_LINES), secrets)
        lines = "\n".join(f"  | {line}" for line in journal.splitlines()) or "  | (nothing)"
        return RollError(
            f"{self.unit} is not healthy: {mask(reason, secrets)}\nIts last words in the journal:\n{lines}"
        )


@dataclass
class Roll:
    """Brings one tenant up to date."""

    deployment: instances.Deployment
    steps: instances.Steps
    tools: Tools
    notes: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Do the steps; raise RollError at the first that fails, and Stopped when another tenant's roll has."""
        with contextlib.suppress(FileNotFoundError):
            self._trial_file().unlink()
        if self.steps.needs_trial:
            self._begin()
            self._try()
        if self.steps.switch:
            self._begin()
            self.tools.store.switch(self.deployment.tenant, self._release())
        self._start()
        self._restart()

    def check(self) -> None:
        """Ask all instances but those just gated; raise RollError for the first that does not run or is not healthy.

        A suspended tenant has none to ask.
        """
        if self.deployment.suspended:
            return
        gated = {*self.steps.start, *self.steps.restart}
        for instance in self.deployment.instances:
            if instance.unit not in gated:
                self._gate(instance).pass_running()

    def _begin(self) -> None:
        if self.tools.stop.is_set():
            raise Stopped

    def _start(self) -> None:
        """Start what does not run, all at once: nobody is served by these yet."""
        if not self.steps.start:
            return
        self._begin()
        gates = [self._gate(instance) for instance in self._of(self.steps.start)]
        for gate in gates:
            gate.act("start")
        # Both for all of them: while one comes up, the others have begun to be watched.
        for step in (Gate.come_up, Gate.stay):
            for gate in gates:
                self._pass(gate, step, "systemd goes on starting it. Correct what it says and run again.")

    def _restart(self) -> None:
        """Restart what runs something else, one by one, and only while what is up to date is healthy."""
        if self.steps.restart:
            for instance in self._of(self.steps.keep):
                self._gate(instance).pass_running()
        for instance in self._of(self.steps.restart):
            self._begin()
            gate = self._gate(instance)
            gate.act("restart")
            remedy = "Those after it go on as they were. Correct what it says and run again."
            self._pass(gate, Gate.pass_new, remedy)

    def _pass(self, gate: Gate, step: Callable[[Gate], None], remedy: str) -> None:
        try:
            step(gate)
        except RollError as exc:
            raise RollError(f"{exc}\n{remedy}") from exc
        self.notes += [note for note in gate.notes if note not in self.notes]

    def _of(self, units: Sequence[str]) -> list[instances.Instance]:
        return [instance for instance in self.deployment.instances if instance.unit in units]

    def _gate(self, instance: instances.Instance) -> Gate:
        subject = self._subject(self._environment(instance))
        return Gate(instance.unit, subject, self.deployment.steady_seconds, self.tools)

    def _subject(self, variables: Mapping[str, str]) -> Subject:
        return Subject(self.deployment.version, variables, self.deployment.claims)

    def _environment(self, instance: instances.Instance) -> dict[str, str]:
        path = self.tools.store.release(self.deployment.tenant, self._release()) / ENVIRONMENT_DIRECTORY
        return environment.from_file((path / f"{instance.name}.env").read_text(encoding="utf-8"))

    def _release(self) -> str:
        return self.deployment.release or self.tools.store.current(self.deployment.tenant) or ""

    # --- the trial ------------------------------------------------------------------------------

    def _try(self) -> None:
        """Start the release in a process of its own, on a socket of its own, and gate it as an instance is gated."""
        tenant = self.deployment.tenant
        variables = self._trial_environment()
        gate = Gate(self.deployment.trial_unit, self._subject(variables), self.deployment.steady_seconds, self.tools)
        with self._trial(variables):
            try:
                gate.act("start")
                gate.pass_new()
            except RollError as exc:
                raise RollError(
                    f"Release {self._release()} of tenant {tenant} was tried and is not switched to; what runs goes "
                    f"on.\n{exc}\nCorrect what it says and run again."
                ) from exc

    def _trial_environment(self) -> dict[str, str]:
        """Return an instance's environment for the trial, an API instance's where there is one."""
        model = self.deployment.instances[-1]
        socket = names.socket_path(names.trial_instance(self.deployment.tenant))
        found = instances.trial_environment(self._environment(model), self.deployment.version, socket)
        # The private CAs of the release that is tried, not of the one that runs.
        links = (f"/{self.deployment.tenant}/current/", f"/{self.deployment.tenant}/{names.TRIAL}/")
        return {name: value.replace(*links) if value.startswith("/opt/") else value for name, value in found.items()}

    @contextlib.contextmanager
    def _trial(self, variables: Mapping[str, str]) -> Iterator[None]:
        self.tools.store.switch(self.deployment.tenant, self._release(), link=names.TRIAL)
        path = self._trial_file()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, SECRET_MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(environment.to_file(variables))
        try:
            yield
        finally:
            self.tools.systemd.stop([self.deployment.trial_unit])
            path.unlink()
            (path.parent / names.TRIAL).unlink()

    def _trial_file(self) -> Path:
        return self.tools.store.root / "tenants" / self.deployment.tenant / f"{names.TRIAL}.env"
