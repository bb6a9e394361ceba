# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of one process beside those that the plan gives it: what differs, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils.masks import MASK
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import (
    DOTENV,
    DROP_IN,
    PROCESS,
    Difference,
    Instance,
    Setting,
    Value,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

_SECRET = frozenset(row.target for row in TABLE if row.secret)
_KNOWN = frozenset(row.target for row in TABLE)
_PREFIXES = ("CUBEJS_", "REDIS_", "CUBESTORE_")
APPLY = "Run the site playbook, which applies the plan"
OR_PLAN = ", or plan it in the tenant's environment"


@dataclass(frozen=True)
class Planned:
    """The variables that the plan gives to a process. secret: those whose values are never shown, besides the table's.

    key: of the run's fingerprints; None where secrets cannot be compared.
    """

    values: Mapping[str, str]
    secret: frozenset[str] = frozenset()
    key: bytes | None = None

    def shown(self, name: str) -> str:
        """Return a value as it may be told."""
        return MASK if name in _SECRET or name in self.secret else repr(self.values[name])


@dataclass(frozen=True)
class Differing:
    """A variable that is not as planned: what is so and where from, and what to do. known: False where nobody knows.

    planned: False for a variable that the plan does not have.
    """

    name: str
    message: str
    remedy: str
    known: bool = True
    planned: bool = True


def differing(planned: Planned, seen: Instance) -> Iterator[Differing]:
    """Yield the variables of a process that are not as planned, sorted; and those that will not be once it restarts."""
    edited = {each.name: each for each in seen.differences if each.name in planned.values or _concerns(each.name)}
    for name in sorted({*planned.values, *filter(_concerns, seen.settings), *edited}):
        found = _of_process(planned, seen, name) or _of_files(planned, edited.get(name))
        if found:
            yield found


def _of_process(planned: Planned, seen: Instance, name: str) -> Differing | None:
    setting = seen.settings.get(name)
    if name not in planned.values:
        if setting is None:
            return None
        message = f"the plan has none, and {_source(setting)} sets {_value(setting.value)}"
        return Differing(name, message, f"{_take_out(setting.path)}{OR_PLAN}", planned=False)
    if setting is None:
        return Differing(
            name, f"the plan has {planned.shown(name)}, and the process has none", _remedy(planned, seen, name)
        )
    same = _same(planned, name, setting.value)
    if same is None:
        return Differing(name, "secrets were not compared", "Give the key of the run's fingerprints", known=False)
    told = f"the plan has {planned.shown(name)}, and {_source(setting)} sets {_value(setting.value)}"
    return None if same else Differing(name, told, _remedy(planned, seen, name))


def _of_files(planned: Planned, edited: Difference | None) -> Differing | None:
    """Return what a process that is as planned will not be after its next start, since its files were edited."""
    if edited is None:
        return None
    name, value, path = edited.name, edited.on_disk, edited.path
    if name not in planned.values:
        if value is None:
            return None
        message = f"the plan and the process have none, and {path} sets {_value(value)} for its next start"
        return Differing(name, message, f"{_take_out(path)}{OR_PLAN}", planned=False)
    if value is None:
        where = f"{path} has none" if path else "its files have none"
        message = f"the plan and the process have {planned.shown(name)}, and {where} for its next start"
        return Differing(name, message, APPLY)
    if _same(planned, name, value):
        return None
    told = f"the plan and the process have {planned.shown(name)}, and {path} sets {_value(value)} for its next start"
    return Differing(name, told, APPLY if _ours(path) else f"{_take_out(path)}. {APPLY}")


def _concerns(name: str) -> bool:
    return name in _KNOWN or name.startswith(_PREFIXES)


def _same(planned: Planned, name: str, value: Value) -> bool | None:
    """Return whether a value is the planned one; None where it is a secret that cannot be compared."""
    if value.value is not None:
        return value.value == planned.values[name]
    if planned.key is None:
        return None
    return value.fingerprint == secrets.fingerprint(planned.key, planned.values[name])


def _remedy(planned: Planned, seen: Instance, name: str) -> str:
    """Return what makes the process what the plan says, by where its value comes from."""
    on_disk = next((each.on_disk for each in seen.differences if each.name == name), None)
    if on_disk is not None and _same(planned, name, on_disk):
        return "Restart it: its files have the plan's value, and it was started before they did"
    setting = seen.settings.get(name)
    beside = setting is not None and setting.layer in (DROP_IN, DOTENV) and not _ours(setting.path)
    return f"{_take_out(setting.path)}. {APPLY}" if beside and setting is not None else APPLY


def _take_out(path: str) -> str:
    return f"Take it out of {path}" if path else "Take it out of what starts the process"


def _ours(path: str) -> bool:
    return path.endswith(".service.d/instance.conf") or path.split("/")[-2:-1] == ["environment"]


def _source(setting: Setting) -> str:
    return setting.path or ("what started the process" if setting.layer == PROCESS else f"its {setting.layer}")


def _value(value: Value) -> str:
    return MASK if value.value is None else repr(value.value)
