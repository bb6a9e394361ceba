# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the files that hold the secrets of a live instance."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import DROP_IN, PROGRAM, UNIT, Layer
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import concerns_cube, is_secret_name
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import (
    BECOME,
    ENVIRON,
    about,
    doubtful,
    quoted,
    several,
    unread,
)

ROOT = "root"
_OTHERS, _GROUP_WRITES, _GROUP_READS = 0o007, 0o020, 0o040


def _secrets_of(layer: Layer) -> list[str]:
    """Return the names of the secrets in a file; what nobody knows by name may be anything, and is none."""
    return [
        name
        for name, value in layer.values.items()
        if value.secret and value.given and (is_secret_name(name) or concerns_cube(name))
    ]


class SecretFilesAreClosed(Rule):
    """A file with secrets is root's or the process's own, and nobody else may read or write it.

    What stands in a unit or a drop-in (`Environment=`) can be read by every user of the host, whatever the file's
    mode: systemd tells it to whoever asks (`systemctl show`).
    """

    id = "secret-files-closed"
    title = "Files with secrets can be read by root and the process only"
    source = "systemd.exec(5), Environment="
    remedy = "Put secrets into an environment file that belongs to root (or the instance's user) with mode 0600"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield one finding for each file with secrets, or one for an instance that has none."""
        for instance in live.instances:
            holding = [each for each in instance.seen.layers if each.kind != PROGRAM and _secrets_of(each)]
            yield from (self._judged(instance, layer) for layer in holding)
            missing = [each for each in unread(instance) if each.what != ENVIRON]
            if missing:
                yield doubtful(self, instance, "where its secrets stand", missing)
            elif not holding:
                yield self.of(instance, NOT_APPLICABLE, "no file of its settings holds a secret")

    def _judged(self, instance: LiveInstance, layer: Layer) -> Finding:
        evidence = [f"it holds {several(_secrets_of(layer))}"]
        if layer.kind in (UNIT, DROP_IN):
            told = "every user of the host can read its Environment= with systemctl show"
            return about(self, instance, layer.path, FAIL, told, evidence=evidence)
        try:
            mode = int(layer.mode, 8)
        except ValueError:
            told = "its mode and owner could not be read"
            return about(self, instance, layer.path, UNKNOWN, told, BECOME, evidence=evidence)
        evidence.append(f"mode {layer.mode}, owner {quoted(layer.owner)}, group {quoted(layer.group)}")
        users, groups = _own(instance)
        if mode & _OTHERS:
            return about(self, instance, layer.path, FAIL, "every user of the host can open it", evidence=evidence)
        if layer.owner not in users:
            told = f"it belongs to {quoted(layer.owner)}, who is neither root nor the user of the process"
            return about(self, instance, layer.path, FAIL, told, evidence=evidence)
        if mode & _GROUP_WRITES or (mode & _GROUP_READS and layer.group not in groups):
            told = f"the members of group {quoted(layer.group)} can open it"
            return about(self, instance, layer.path, FAIL, told, severity=WARNING, evidence=evidence)
        return about(self, instance, layer.path, PASS, "nobody else can open it", evidence=evidence)


def _own(instance: LiveInstance) -> tuple[set[str], set[str]]:
    """Return root and the user of the process, and the groups that are theirs: their own, and the unit's."""
    unit, process = instance.seen.unit, instance.seen.process
    users = {ROOT, process.user if process else "", unit.user if unit else ""} - {""}
    return users, (users | {unit.group if unit else ""}) - {""}
