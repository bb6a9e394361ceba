# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What rules ask of the settings of one live instance, and how they tell it: certain or in doubt, and bounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import MASK, UNKNOWN, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import (
    DOTENV,
    ENVIRONMENT_FILE,
    PROCESS,
    PROGRAM,
    Setting,
    Value,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Answer, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

SHOWN_CHARACTERS = 80
MOST_TOLD = 5

ENVIRON = "process.environ"
# What an instance's `unknown` calls the sources of its settings; without its directory no .env is looked for.
_ADDS_ONLY = (DOTENV, "process.cwd")
_SOURCES = (ENVIRON, "unit.file", ENVIRONMENT_FILE, *_ADDS_ONLY)
BECOME = "Run the audit with become: true, so that all sources of its settings can be read"
VERSION = "Make node_modules readable, or start Cube by a script whose packages can be found"


def bounded(text: str, longest: int = SHOWN_CHARACTERS) -> str:
    """Return the text, cut off where it has more characters than are shown."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def quoted(text: str) -> str:
    """Return a value as findings show it: quoted, control characters written out, cut off."""
    return repr(bounded(text))


def shown(value: Value) -> str:
    """Return a value as findings show it, masked where it did not leave the host."""
    return MASK if value.value is None else quoted(value.value)


def several(names: Iterable[str]) -> str:
    """Return the first of the names, and how many more there are."""
    listed = list(names)
    told = ", ".join(bounded(name) for name in listed[:MOST_TOLD])
    return told if len(listed) <= MOST_TOLD else f"{told} and {len(listed) - MOST_TOLD} more"


def place(instance: LiveInstance) -> str:
    """Return which instance is meant, and on which host it is."""
    return f"{bounded(instance.name)} on {bounded(instance.host)}"


def origin(setting: Setting) -> str:
    """Return where an effective value comes from."""
    if setting.layer == PROCESS:
        return "the process itself"
    return f"{setting.layer.replace('_', ' ')} {bounded(setting.path)}"


def version_of(instance: LiveInstance) -> str:
    """Return the installed version of Cube; "" where it is not known, or no version."""
    return _known_version(instance.version)


@cache
def _known_version(text: str) -> str:
    try:
        return str(versions.parse(text)) if text else ""
    except versions.VersionError:
        return ""


def unread(instance: LiveInstance) -> tuple[Unknown, ...]:
    """Return the sources of an instance's settings that could not be read."""
    return tuple(each for each in instance.seen.unknown if each.what in _SOURCES)


def doubt(instance: LiveInstance, name: str = "") -> tuple[Unknown, ...]:
    """Return the unread sources that could make a variable another than it seems, or set it; none where it is certain.

    name: "" is any that seems not to be set. What a process was started with is certain whatever its files say. A .env
    adds what is not there yet, and what Cube's own program makes of NODE_ENV depends on the rest.
    """
    missing = unread(instance)
    if not missing or not instance.seen.running or any(each.what == ENVIRON for each in missing):
        return missing
    setting = instance.seen.settings.get(name)
    if setting is not None and setting.layer not in (DOTENV, PROGRAM):
        return ()
    return tuple(each for each in missing if each.what in _ADDS_ONLY)


def told(unknown: Sequence[Unknown]) -> str:
    """Return why something is not known, in a sentence."""
    return several(f"{each.what}: {bounded(each.reason, 2 * SHOWN_CHARACTERS)}" for each in unknown)


def doubtful(rule: Rule, instance: LiveInstance, what: str, missing: Sequence[Unknown]) -> Finding:
    """Return that something cannot be known, since sources of settings were not read."""
    remedy = next((bounded(each.remedy, 4 * SHOWN_CHARACTERS) for each in missing if each.remedy), BECOME)
    return rule.of(instance, UNKNOWN, f"{what} cannot be known, not all sources of settings were read", remedy,
                   evidence=[told(missing)])  # fmt: skip


def without_version(rule: Rule, instance: LiveInstance, what: str) -> Finding:
    """Return that something depends on the version, which is not known."""
    reason = next((each.reason for each in instance.seen.unknown if each.what == "packages.version"), "")
    evidence = [bounded(reason, 2 * SHOWN_CHARACTERS)] if reason else []
    message = f"{what} depends on the version of Cube, which is not known"
    return rule.of(instance, UNKNOWN, message, VERSION, evidence=evidence)


def about(
    rule: Rule,
    instance: LiveInstance,
    variable: str,
    status: str,
    message: str,
    remedy: str = "",
    *,
    severity: str | None = None,
    evidence: Iterable[str] = (),
) -> Finding:
    """Return what is said of one variable, or one file, of an instance: a subject of its own."""
    return rule.found(
        f"{instance.name} {bounded(variable, 3 * SHOWN_CHARACTERS)}",
        message,
        remedy,
        tenant=instance.tenant,
        host=instance.host,
        severity=severity,
        status=status,
        evidence=evidence,
    )


def answer(instance: LiveInstance, question: str) -> Answer | None:
    """Return what the instance's process answered; None where it did not."""
    return instance.seen.http.answers.get(question) if instance.seen.http else None


def silent(rule: Rule, instance: LiveInstance, *questions: str) -> Finding:
    """Return that something cannot be known, since the process did not answer or was not asked."""
    http = instance.seen.http
    notes = [each for each in http.unknown if each.what in questions] if http else []
    notes += [each for each in instance.seen.unknown if each.what in ("http", "live")]
    if not instance.seen.running:
        reason, remedy = "it is not running, so that nothing answers", "Start it, and look again"
    elif notes:
        reason = bounded(notes[0].reason, 2 * SHOWN_CHARACTERS)
        remedy = bounded(notes[0].remedy, 4 * SHOWN_CHARACTERS) or "See why the process does not answer"
    else:
        reason = "its process was not asked"
        remedy = "Let the process be asked: have http among the probes, and become: true"
    return rule.of(instance, UNKNOWN, reason, remedy)
