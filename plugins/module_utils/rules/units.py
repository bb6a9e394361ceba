# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on units: what is meant to run does, after a boot too, and systemd has read its files."""

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
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Instance, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import PM2, Unit
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.service import ENABLED, elsewhere, is_meant

# What systemctl says of a unit that no boot starts; of others (static, indirect) something else may.
NOT_ENABLED = (
    "disabled", "masked", "masked-runtime", "linked", "linked-runtime", "enabled-runtime", "transient", "bad",
)  # fmt: skip
# Of the host itself, that keep a process or a unit from being found.
BLIND = ("processes", "units", "instances")


class StartsAtBoot(Rule):
    """A process that somebody started by hand is gone after the next boot, which may come at night."""

    id = "starts-at-boot"
    title = "Every process is started by a boot of its host"
    source = "systemctl(1): is-enabled; pm2's documentation: Startup Script"
    remedy = "Enable its unit: systemctl enable"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each instance that is meant to run."""
        for instance in filter(is_meant, live.instances):
            missing = elsewhere(instance)
            if missing:
                yield known.unknown(self, instance, missing)
            elif instance.seen.manager == PM2:
                yield self._of_pm2(instance, instance.seen.boot_unit, live)
            elif instance.seen.unit:
                yield self._of_unit(instance, instance.seen.unit)
            else:
                remedy = "Run it as a unit of systemd, and enable that"
                yield self.of(instance, FAIL, "nothing starts it after a boot", remedy)

    def _of_unit(self, instance: LiveInstance, unit: Unit, what: str = "") -> Finding:
        name = what or unit.name
        if unit.enabled in ENABLED:
            return self.of(instance, PASS, f"{name} is {unit.enabled}")
        if unit.enabled in NOT_ENABLED:
            return self.of(instance, FAIL, f"{name} is {unit.enabled}", f"systemctl enable {unit.name}")
        why = f"{name} is {unit.enabled or 'not known to systemctl'}: whether another unit starts it is not known"
        return self.of(instance, UNKNOWN, why, f"Give {unit.name} an [Install] section, and enable it")

    def _of_pm2(self, instance: LiveInstance, starter: Optional[Unit], live: Live) -> Finding:
        if starter:
            return self._of_unit(instance, starter, f"{starter.name}, which brings back what `pm2 save` saved,")
        host = known.observation_of(live, instance)
        asked = host is not None and not any(each.what == "units" for each in host.unknown)
        if not asked:
            return self.of(
                instance, UNKNOWN, "whether a unit starts pm2 is not known: systemd was not asked", known.BECOME
            )
        return self.of(instance, FAIL, "no unit starts pm2 after a boot", "Run `pm2 startup`, then `pm2 save`")


class UnitFilesLoaded(Rule):
    """What stands on disk is not what systemd goes by: the next start is the old one, and the one after a boot not."""

    id = "unit-files-loaded"
    title = "systemd goes by the unit files that are on disk"
    severity = WARNING
    source = "systemd.unit(5); org.freedesktop.systemd1(5): NeedDaemonReload"
    remedy = "Run systemctl daemon-reload, and restart the unit"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each unit that is meant to run."""
        for instance in filter(is_meant, live.instances):
            unit = instance.seen.unit
            unread = next((each for each in instance.seen.unknown if each.what == "unit.file"), None)
            if unit and unit.stale:
                files = [unit.path, *unit.drop_ins]
                yield self.of(instance, FAIL, "its files changed since systemd read them", evidence=files)
            elif unit and not unit.state:
                missing = unread or Unknown("unit", "systemd did not tell its state")
                yield known.unknown(self, instance, missing)
            elif unit:
                yield self.of(instance, PASS, "systemd has read its files")


class UnitRuns(Rule):
    """What is planned or enabled is meant to run; a unit that failed stays away until somebody looks."""

    id = "unit-runs"
    title = "Every process that is planned or enabled runs"
    severity = CRITICAL
    source = "systemctl(1)"
    remedy = "See its log (journalctl -u), and start it"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each unit, and for each planned process that is not there."""
        # What rests is not meant to run.
        found = {(instance.host, instance.unit) for instance in live.resting}
        for instance in live.instances:
            if instance.planned:
                found.add((instance.planned.host, instance.planned.unit))
            if instance.seen.running or instance.seen.unit:
                yield self._seen(instance)
        for planned in fleet.instances:
            if (planned.host, planned.unit) not in found:
                finding = self._absent(planned, live)
                if finding:
                    yield finding

    def _seen(self, instance: LiveInstance) -> Finding:
        unit = instance.seen.unit
        if instance.seen.running or unit is None:
            return self.of(instance, PASS, "it runs")
        told = (
            f"{unit.state or 'unknown'}{f' ({unit.sub_state})' if unit.sub_state else ''}, result {unit.result or '-'}"
        )
        if unit.state == "active":
            return self.of(instance, UNKNOWN, "systemd says that it is active, and no process was seen", known.BECOME)
        if not unit.state:
            return self.of(instance, UNKNOWN, "systemd did not tell its state", known.BECOME)
        if unit.sub_state == "auto-restart":
            return self.of(instance, FAIL, f"it ends again and again: {told}")
        if unit.state == "failed" or is_meant(instance):
            return self.of(instance, FAIL, f"it does not run: {told}")
        return self.of(
            instance, NOT_APPLICABLE, f"it is {unit.enabled or 'not enabled'}, planned by nobody, and {told}"
        )

    def _absent(self, planned: Instance, live: Live) -> Optional[Finding]:
        """Return what is said of a planned process that was not seen; None where its host is none of this run's."""
        host = live.observations.get(planned.host)
        named = {"tenant": planned.tenant, "host": planned.host}
        if planned.host in live.missing:
            hidden = {planned.host: live.missing[planned.host]}
            return self.found(planned.unit, known.told_unseen(hidden), known.LOOK, status=UNKNOWN, **named)
        if host is None:
            return None
        blind = next((each for each in host.unknown if each.what in BLIND), None)
        if blind:
            why = f"it was not seen, and not all could be: {blind.reason}"
            return self.found(planned.unit, why, blind.remedy or known.BECOME, status=UNKNOWN, **named)
        return self.found(planned.unit, "it is planned, and there is no such unit", "Run the playbook", **named)
