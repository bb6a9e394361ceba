# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on what keeps a process running: who starts it, after its end and after a boot, and as whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import CONTAINER, PM2, USER_SYSTEMD, Unit
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

RESTARTS = ("always", "on-failure")
# What systemctl says of a unit that a boot starts.
ENABLED = ("enabled", "generated", "alias")
DAY = 86400.0


def is_meant(instance: LiveInstance) -> bool:
    """Return whether a process runs, or is meant to: it is planned, or its unit is enabled."""
    unit = instance.seen.unit
    return instance.seen.running or instance.planned is not None or bool(unit and unit.enabled in ENABLED)


def elsewhere(instance: LiveInstance) -> Optional[Unknown]:
    """Return that somebody else keeps a process, who was not asked; None where it is systemd, pm2 or nobody."""
    if instance.seen.manager == CONTAINER:
        return Unknown("manager", "it runs in a container, whose manager was not asked", "Look at its restart policy")
    if instance.seen.manager == USER_SYSTEMD:
        remedy = "Run it as a unit of the system"
        return Unknown("manager", "a user's own systemd keeps it, which was not asked", remedy)
    return None


class RestartsForEver(Rule):
    """Any error of Redis ends a process of Cube, so that an outage heals only where something starts it again.

    For ever: without Restart= it stays away; with systemd's limit (5 starts in 10 seconds) and its pause of 100 ms it
    stays away after seconds of outage. Without a pause, a loop of starts takes a core of the host.
    """

    id = "restarts-for-ever"
    title = "Every process is started again for ever, with a pause of a second or more"
    source = "Measured on Cube.js 0.29.57; cube-js/cube issues 432, 564 and 3437"
    remedy = "Write Restart=always, RestartSec=5 and, in [Unit], StartLimitIntervalSec=0"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each instance that is meant to run."""
        for instance in filter(is_meant, live.instances):
            missing = elsewhere(instance)
            if missing:
                yield known.unknown(self, instance, missing)
            elif instance.seen.unit:
                yield self._unit(instance, instance.seen.unit)
            elif instance.seen.manager == PM2:
                why = "pm2 starts it again, and gives up after max_restarts quick ends, which cannot be seen"
                remedy = "Run it as a unit of systemd, or set max_restarts and exp_backoff_restart_delay in pm2"
                yield self.of(instance, UNKNOWN, why, remedy)
            else:
                yield self.of(
                    instance, FAIL, "nothing starts it again", "Run it as a unit of systemd", severity=CRITICAL
                )

    def _unit(self, instance: LiveInstance, unit: Unit) -> Finding:
        if not unit.restart:
            return self.of(instance, UNKNOWN, "systemd did not tell its restart policy", known.BECOME)
        pause = unit.restart_seconds
        told = [f"Restart={unit.restart}", f"RestartSec={_seconds(pause)}", _limit(unit)]
        if unit.restart not in RESTARTS or pause is None:
            return self.of(instance, FAIL, f"it stays away after an end: {told[0]}, {told[1]}", evidence=told)
        if pause < 1:
            return self.of(instance, FAIL, f"it pauses {_seconds(pause)} only before it starts again", evidence=told)
        if _gives_up(unit, pause):
            return self.of(instance, FAIL, f"systemd gives it up: {told[2]}", evidence=told)
        return self.of(instance, PASS, ", ".join(told), evidence=told)


def _gives_up(unit: Unit, pause: float) -> bool:
    """Return whether systemd's limit on starts can be reached: not where that many pauses are longer than its time."""
    if unit.start_limit_interval_seconds == 0 or unit.start_limit_burst == 0:
        return False
    if unit.start_limit_interval_seconds is None or unit.start_limit_burst is None:
        return True
    return unit.start_limit_burst * pause < unit.start_limit_interval_seconds


def _limit(unit: Unit) -> str:
    if unit.start_limit_interval_seconds == 0 or unit.start_limit_burst == 0:
        return "no limit on starts"
    return f"at most {unit.start_limit_burst} starts in {_seconds(unit.start_limit_interval_seconds)}"


def _seconds(value: Optional[float]) -> str:
    return "infinity" if value is None else f"{value:g} s"


class RestartsSeen(Rule):
    """A process that was started again had an end of its own: a crash, or the kernel's.

    Each ends the queries that it had. What lies more than a day back does not count any more.
    """

    id = "restarts-seen"
    title = "No process had to be started again within the last day"
    severity = WARNING
    source = "cube-js/cube issues 3437, 4722 and 5896"
    remedy = "See in its log why it ended: Redis that went away, memory, an error in the project"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each running instance."""
        for instance in known.running(live.instances):
            seen = instance.seen
            missing = elsewhere(instance)
            counted = seen.unit.restarts if seen.unit else seen.process.pm2_restarts if seen.process else None
            host = known.observation_of(live, instance)
            started = seen.process.started_at if seen.process else None
            if missing:
                yield known.unknown(self, instance, missing)
            elif not seen.unit and seen.manager != PM2:
                yield self.of(instance, NOT_APPLICABLE, "nothing starts it again, and so nothing counts")
            elif counted is None or (counted and (started is None or host is None)):
                yield self.of(instance, UNKNOWN, "how often it was started again is not known", known.BECOME)
            elif counted and host and started and host.taken_at - started < DAY:
                hours = (host.taken_at - started) / 3600
                times = "once" if counted == 1 else f"{counted} times"
                yield self.of(instance, FAIL, f"it was started again {times}, the last time {hours:.1f} h ago")
            else:
                told = f"{counted} times, none within a day" if counted else "never since somebody started it"
                yield self.of(instance, PASS, f"it was started again {told}")


class ProcessUser(Rule):
    """A project is code that anybody with access to its repository can change: as root it owns the host."""

    id = "process-user"
    title = "No process runs as root"
    source = "systemd.exec(5)"
    remedy = "Give the tenant a user of its own, and write User= into the unit"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each instance that is meant to run."""
        for instance in filter(is_meant, live.instances):
            process, unit = instance.seen.process, instance.seen.unit
            if process:
                root, user = process.uid == 0, process.user
            elif unit:
                root, user = unit.user in ("", "root", "0") and not unit.dynamic_user, unit.user or "root"
            else:
                yield self.of(instance, UNKNOWN, "its process could not be seen", known.BECOME)
                continue
            if root:
                yield self.of(instance, FAIL, "it runs as root")
            else:
                yield self.of(instance, PASS, f"it runs as {user or 'a user of its own'}")
