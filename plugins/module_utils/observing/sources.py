# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files that set variables for one instance: unit, drop-ins, environment files, and the .env of its project."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from ansible_collections.cubeops.cubejs.plugins.module_utils import env_grammars
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import (
    DOTENV,
    DROP_IN,
    ENVIRONMENT_FILE,
    UNIT,
    Layer,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import unit_files
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.layering import Source
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor, clean
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree


class Notes:
    """Collects what could not be read."""

    def __init__(self, redactor: Redactor) -> None:
        self.unknown: list[Unknown] = []
        self._redactor = redactor

    def add(self, what: str, exc: Exception) -> None:
        """Note that something could not be read, and what would let it be."""
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        where = f"{exc.filename}: " if isinstance(exc, OSError) and exc.filename else ""
        self.unknown.append(Unknown(what, self._redactor.text(f"{where}{reason}"), remedy_for(exc)))


def remedy_for(exc: Exception) -> str:
    """Return what would let something be read; "" where nobody's permission is missing."""
    if not isinstance(exc, OSError) or exc.errno not in (errno.EACCES, errno.EPERM):
        return ""
    if os.geteuid() != 0:
        return "Run the task with become: true"
    return "Root is refused too: look from outside of this container, or give it CAP_SYS_PTRACE"


def read_sources(
    host: Tree, tree: Tree, service: unit_files.Service | None, directory: str, version: str, notes: Notes
) -> list[Source]:
    """Return the files that set variables, weakest first but for the .env, which comes last and adds only.

    host: where units and their files are; tree: the files as the process sees them.
    """
    found: list[Source] = []
    if service:
        for path, exc in service.unreadable.items():
            notes.add("unit.file", exc if exc.filename else OSError(exc.errno, exc.strerror, path))
        for path, variables in unit_files.environment_of(service).items():
            kind = UNIT if path == service.one("FragmentPath") else DROP_IN
            found.append(_source(host, kind, path, variables, notes))
        for path in unit_files.expand(host, service.environment_files):
            found += _file(host, ENVIRONMENT_FILE, path, notes, env_grammars.systemd_file)
        found = [_without(source, service.one("UnsetEnvironment").split()) for source in found]
    if directory:
        path = f"{directory.rstrip('/')}/.env"
        known = version or None
        found += _file(tree, DOTENV, path, notes, lambda text: env_grammars.dotenv_file(text, known))
    return found


def _without(source: Source, unset: Collection[str]) -> Source:
    """Return a source less what the unit takes out again; unset: names, or names with the value that is taken out."""
    if not unset:
        return source
    kept = {
        name: value for name, value in source.variables.items() if name not in unset and f"{name}={value}" not in unset
    }
    return replace(source, variables=kept)


def _file(tree: Tree, kind: str, path: str, notes: Notes, parse: Callable[[str], Mapping[str, str]]) -> list[Source]:
    """Return a file of variables as a source, if it is there."""
    try:
        text = tree.text(path)
    except FileNotFoundError:
        return []
    except OSError as exc:
        notes.add(kind, OSError(exc.errno, exc.strerror, path))
        return [_source(tree, kind, path, {}, notes)]
    return [_source(tree, kind, path, parse(text), notes)]


def _source(tree: Tree, kind: str, path: str, variables: Mapping[str, str], notes: Notes) -> Source:
    try:
        facts = tree.facts(path)
    except OSError as exc:
        notes.add(f"{kind}.facts", OSError(exc.errno, exc.strerror, path))
        facts = None
    return Source(kind, path, variables, facts)


def layer_of(redactor: Redactor, source: Source, started: float | None) -> Layer:
    """Return what is told of a file; started: when the process that read it did."""
    facts = source.facts
    values = redactor.values(source.variables)
    if facts is None:
        return Layer(source.kind, clean(source.path), values)
    changed = None if started is None else facts.changed_at > started
    return Layer(source.kind, clean(source.path), values, facts.mode, facts.owner, facts.group, changed)
