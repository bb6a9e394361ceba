# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which of several places decides on a variable, and where disk and process do not agree. Pure: no file is read.

The order is systemd's and dotenv's: Environment= of the unit and its drop-ins, then each EnvironmentFile=, the later
winning; a .env adds only what is not there yet; Cube's own program has the last word on NODE_ENV.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import DOTENV, PROCESS, PROGRAM
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import concerns_cube
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import FileFacts

DEVELOPMENT, PRODUCTION = "development", "production"
# Cube's command line has had a `server` command since 0.22, and its dev-server sets NODE_ENV since.
SETS_NODE_ENV = ">=0.22"
READS_DEV_MODE = ">=0.23.12"
_PROGRAMS = {"server": PRODUCTION, "server.js": PRODUCTION, "dev-server": DEVELOPMENT, "dev-server.js": DEVELOPMENT}


@dataclass(frozen=True)
class Source:
    """A file that sets variables, with their values as they are. facts: None where it could not be looked at."""

    kind: str
    path: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    facts: FileFacts | None = None


@dataclass(frozen=True)
class Effective:
    """A variable's value, and the kind and path of the source that decides on it."""

    text: str = field(repr=False)
    kind: str
    path: str = ""


@dataclass(frozen=True)
class Contradiction:
    """A variable that disk and process have differently; None is not there."""

    name: str
    path: str
    on_disk: str | None = field(repr=False)
    in_process: str | None = field(repr=False)


def effective(sources: Sequence[Source], environ: Mapping[str, str] | None) -> dict[str, Effective]:
    """Return variable -> what counts. environ: what the process was started with, None where it is not known."""
    files = [each for each in sources if each.kind != DOTENV]
    found: dict[str, Effective] = {}
    if environ is None:
        for source in files:
            found.update({name: Effective(text, source.kind, source.path) for name, text in source.variables.items()})
    else:
        for name, text in environ.items():
            owner = next((each for each in reversed(files) if each.variables.get(name) == text), None)
            if owner is not None or concerns_cube(name):
                found[name] = Effective(text, owner.kind if owner else PROCESS, owner.path if owner else "")
    for source in sources:
        if source.kind == DOTENV:
            # What dotenv does not overwrite may be no variable of Cube's.
            taken = found if environ is None else {**environ, **found}
            found.update(
                {
                    name: Effective(text, DOTENV, source.path)
                    for name, text in source.variables.items()
                    if name not in taken
                }
            )
    return found


def program(script: str, version: str, found: Mapping[str, Effective]) -> Source | None:
    """Return what Cube's own program makes of NODE_ENV; None where the environment decides.

    script: the file that node runs, without links. `cubejs-server` sets production whatever the environment says, and
    development where CUBEJS_DEV_MODE is true.
    """
    folder, _slash, name = script.rpartition("/")
    if not folder.endswith("/@cubejs-backend/server/bin") or name not in _PROGRAMS:
        return None
    if not version or not versions.within(version, SETS_NODE_ENV):
        return None
    mode = _PROGRAMS[name]
    dev_mode = found.get("CUBEJS_DEV_MODE")
    if dev_mode and dev_mode.text.lower() == "true" and versions.within(version, READS_DEV_MODE):
        mode = DEVELOPMENT
    return Source(PROGRAM, script, {"NODE_ENV": mode})


def contradictions(sources: Sequence[Source], environ: Mapping[str, str], *, all_known: bool) -> list[Contradiction]:
    """Return the variables that the process has otherwise than the files would give them to a new one.

    all_known: every place from which a variable could come was read, so that one that is in none of them is gone.
    """
    on_disk: dict[str, tuple[str, str]] = {}
    for source in sources:
        if source.kind not in (DOTENV, PROGRAM):
            on_disk.update({name: (text, source.path) for name, text in source.variables.items()})
    found = [
        Contradiction(name, path, text, environ.get(name))
        for name, (text, path) in on_disk.items()
        if environ.get(name) != text
    ]
    if all_known:
        gone = (name for name in environ if name not in on_disk and concerns_cube(name) and name != "LANG")
        found += [Contradiction(name, "", None, environ[name]) for name in gone]
    return sorted(found, key=lambda each: each.name)
