# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The project in a process's working directory: which options its code speaks of, and what its schema is.

Code is not run, so that only words can be told of it. (projects.py reads a project to deploy it, and refuses what
cannot be deployed; here nothing is refused.)
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree

CONFIGURATIONS = ("cube.js", "cube.ts", "index.js")
OPTIONS = (
    "apiSecret", "basePath", "cacheAndQueueDriver", "checkAuth", "checkAuthMiddleware", "contextToAppId",
    "contextToDataSourceId", "contextToOrchestratorId", "createClient", "dbType", "devServer", "driverFactory",
    "externalDbType", "externalDriverFactory", "orchestratorOptions", "preAggregationsSchema", "queryRewrite",
    "queryTransformer", "redisPoolOptions", "redisPrefix", "repositoryFactory", "rollupOnlyMode", "schemaPath",
    "scheduledRefreshContexts", "scheduledRefreshTimer", "securityContext", "webSockets", "webSocketsBasePath",
)  # fmt: skip
MAX_FILES = 2000
MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 12
# An option occurs once or twice, and is some lines long.
MAX_MEMBERS, MAX_MEMBER = 10, 20_000
# The folder was renamed in 0.35 (#8213).
SCHEMA, MODEL = "schema", "model"

_LINE_COMMENT = re.compile(r"(?<![:'\"`])//[^\n]*")
_WORD = re.compile(rf"\b(?:{'|'.join(OPTIONS)})\b")
_FACTORY = re.compile(r"\bdriverFactory\b\s*[:=]?\s*")
_CONTEXT = re.compile(r"\b(?:securityContext|authInfo)\b")
_ONE_PARAMETER = re.compile(
    r"(?:async\s+|async(?=\())?(?:function\s*\w*\s*)?\(?\s*([A-Za-z_$][\w$]*)\s*\)?\s*(?:=>|\{)"
)
_STRING = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
_KINDS = re.compile(r"""\btype\s*:\s*[`'"]?(?:rollup|originalSql|autoRollup|rollupJoin|rollupLambda|original_sql)\b""")
_EXTERNAL = re.compile(r"\bexternal\s*:\s*true\b")
_SCHEDULED = re.compile(r"\bscheduled_?[rR]efresh\s*:\s*true\b")


class TooMuchError(Exception):
    """The schema's folder is larger than what is read of it."""


@dataclass
class Projects:
    """Reads projects; what instances of a tenant share is read once."""

    _schemas: dict[tuple[int, int], tuple[str, int, int, int, int]] = field(default_factory=dict)

    def read(self, tree: Tree, directory: str, schema_path: str | None, version: str) -> Project:
        """Return the project; raises OSError where it may not be read, TooMuchError for an endless one."""
        configuration = next((name for name in CONFIGURATIONS if tree.exists(f"{directory}/{name}")), "")
        text = tree.text(f"{directory}/{configuration}") if configuration else ""
        code = without_comments(text)
        folder = posixpath.normpath(posixpath.join(directory, schema_path or _default(version)))
        digest, *counts = self._schema(tree, folder)
        return Project(
            directory=directory,
            configuration=configuration,
            mentions=tuple(sorted(set(_WORD.findall(code)))),
            schema_directory=folder,
            schema_digest=digest,
            schema_files=counts[0],
            pre_aggregations=counts[1],
            external=counts[2],
            scheduled_refresh=counts[3],
            driver_by_context=driver_by_context(code),
        )

    def _schema(self, tree: Tree, folder: str) -> tuple[str, int, int, int, int]:
        try:
            found = os.stat(tree.place(folder))  # noqa: PTH116 a path in the tree
        except FileNotFoundError:
            return "", 0, 0, 0, 0
        key = (found.st_dev, found.st_ino)
        if key not in self._schemas:
            self._schemas[key] = _read_schema(tree, folder)
        return self._schemas[key]


def _default(version: str) -> str:
    return MODEL if version and versions.within(version, ">=0.35") else SCHEMA


def _read_schema(tree: Tree, folder: str) -> tuple[str, int, int, int, int]:
    rows: list[list[str]] = []
    kinds = external = scheduled = size = 0
    for path in _files(tree, folder, 0):
        content = tree.read(path)
        size += len(content)
        if size > MAX_BYTES or len(rows) >= MAX_FILES:
            raise TooMuchError(f"{folder} has more than {MAX_FILES} files or {MAX_BYTES} bytes")
        rows.append([path[len(folder) :], hashlib.sha256(content).hexdigest()])
        text = without_comments(content.decode("utf-8", "replace"))
        kinds += len(_KINDS.findall(text))
        external += len(_EXTERNAL.findall(text))
        scheduled += len(_SCHEDULED.findall(text))
    digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    return digest, len(rows), kinds, external, scheduled


def _files(tree: Tree, folder: str, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        raise TooMuchError(f"{folder} lies more than {MAX_DEPTH} folders deep")
    for name in tree.names(folder):
        path = f"{folder}/{name}"
        if tree.is_directory(path):
            yield from _files(tree, path, depth + 1)
        elif tree.is_file(path):
            yield path


def without_comments(text: str) -> str:
    """Return code without its comments, roughly: what looks like one within a text goes, too. In linear time."""
    kept: list[str] = []
    end = 0
    while True:
        begin = text.find("/*", end)
        stop = text.find("*/", begin + 2) if begin >= 0 else -1
        if stop < 0:
            return _LINE_COMMENT.sub("", " ".join([*kept, text[end:]]))
        kept.append(text[end:begin])
        end = stop + 2


def driver_by_context(code: str) -> bool | None:
    """Return whether the driverFactory of a configuration looks at who asks; None where it is made elsewhere.

    code: without comments. Brackets are counted, so that what stands beside the function does not count.
    """
    found = itertools.islice(_FACTORY.finditer(code), MAX_MEMBERS)
    verdicts = [_looks_at_context(_member(code[each.end() : each.end() + MAX_MEMBER])) for each in found]
    return True if True in verdicts else None if None in verdicts else False


def _looks_at_context(text: str) -> bool | None:
    if _CONTEXT.search(text):
        return True
    if "=>" not in text and "{" not in text:
        return None
    named = _ONE_PARAMETER.match(text)
    # A whole context that is handed on may be looked at anywhere.
    return (
        None if named and re.search(rf"(?<![\w$]){re.escape(named[1])}(?!\s*\.|[\w$])", text[named.end() :]) else False
    )


def _member(text: str) -> str:
    """Return the text up to the end of the member of an object, or of the statement."""
    depth = 0
    plain = _STRING.sub('""', text)
    for place, character in enumerate(plain):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        if depth < 0 or (depth == 0 and character in ",;"):
            return plain[:place]
    return plain


def is_written_for_cube(tree: Tree, script: str) -> bool:
    """Return whether a script speaks of Cube's packages; one that cannot be read does not."""
    with contextlib.suppress(OSError):
        return "@cubejs-backend/" in tree.text(script)
    return False
