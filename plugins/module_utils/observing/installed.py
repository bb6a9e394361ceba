# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is installed: the packages that a process of Node.js uses, found as Node would, and the version of Node itself.

No program is run for it: an audit runs as root, and a tenant's files belong to the tenant.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Packages
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree
from ansible_collections.cubeops.cubejs.plugins.module_utils.projects import LOCK, OTHER_LOCKS, PACKAGE, SERVER

SCOPE = "@cubejs-backend"
CORE = f"{SCOPE}/server-core"
LOCKFILES = (LOCK, *OTHER_LOCKS)
MAX_PACKAGE_BYTES = 256 * 1024
MAX_PACKAGES = 100
# Where npm installs what is installed globally.
GLOBAL = ("/usr/local/lib/node_modules", "/usr/lib/node_modules")

_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,64}")
# What follows the three numbers (a pre-release) changes nothing of what a version reads.
_RELEASE = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}(?![0-9])")
# Every build has the addresses of its own sources and headers in it (process.release).
_NODE_VERSION = re.compile(rb"/node-v(\d{1,3}\.\d{1,3}\.\d{1,3})[-.]")


@dataclass
class Installed:
    """Finds packages; what instances share is read once."""

    _scanned: dict[tuple[int, int, str], Packages] = field(default_factory=dict)
    _nodes: dict[tuple[int, int], str] = field(default_factory=dict)

    def packages(self, tree: Tree, script: str, directory: str, environ: Mapping[str, str]) -> Packages:
        """Return the packages that a script uses. Raises OSError when directories may not be looked into."""
        modules = _find(tree, script, directory, environ)
        if modules is None:
            return Packages()
        found = os.stat(tree.place(modules))  # noqa: PTH116 a path in the tree
        key = (found.st_dev, found.st_ino, directory)
        if key not in self._scanned:
            self._scanned[key] = _scan(tree, modules, directory)
        return self._scanned[key]

    def node_version(self, executable: str) -> str:
        """Return the version of the Node.js in a program or its library; "" for none.

        executable: a path that leads to the very file, such as /proc/PID/exe.
        """
        try:
            # A pipe would hang, and nothing can be mapped of an empty file.
            if not os.path.isfile(executable):  # noqa: PTH113 no Path: hot
                return ""
            with open(executable, "rb") as opened:
                found = os.fstat(opened.fileno())
                key = (found.st_dev, found.st_ino)
                if key not in self._nodes:
                    self._nodes[key] = _node_version(opened.fileno())
                return self._nodes[key]
        except (OSError, ValueError):
            return ""


def library_of_node(maps: str) -> str:
    """Return the file of libnode among those that a process has mapped (/proc/PID/maps); "" for none."""
    paths = (line.split(None, 5)[5:] for line in maps.splitlines())
    return next((path[0] for path in paths if path and path[0].rpartition("/")[2].startswith("libnode.so")), "")


def _node_version(handle: int) -> str:
    with mmap.mmap(handle, 0, access=mmap.ACCESS_READ) as content:
        # A search for a fixed text first: a regular expression over 100 MB takes a second, this 20 ms.
        begin = content.find(b"/node-v")
        while begin >= 0:
            match = _NODE_VERSION.match(content[begin : begin + 32])
            if match:
                return match[1].decode()
            begin = content.find(b"/node-v", begin + 1)
    return ""


def script_path(tree: Tree, script: str, directory: str) -> str:
    """Return the file that `node SCRIPT` runs in a directory, without links; "" where there is none."""
    path = posixpath.normpath(posixpath.join(directory or "/", script))
    for candidate in (path, f"{path}.js", f"{path}/index.js"):
        with contextlib.suppress(OSError):
            resolved = tree.resolve(candidate)
            if tree.is_file(resolved):
                return resolved
    return ""


def _find(tree: Tree, script: str, directory: str, environ: Mapping[str, str]) -> str | None:
    """Return the node_modules that holds the server: the nearest above the script, without links, or the directory."""
    path = script_path(tree, script, directory) if script else ""
    searched = list(_above(posixpath.dirname(path))) + list(_above(directory))
    searched += [each for each in environ.get("NODE_PATH", "").split(":") if each.startswith("/")]
    for package in (SERVER, CORE):
        for modules in (*searched, *GLOBAL):
            if tree.exists(f"{modules}/{package}/{PACKAGE}"):
                return tree.resolve(modules)
    return None


def _above(directory: str) -> Iterator[str]:
    while directory.startswith("/"):
        yield f"{directory.rstrip('/')}/node_modules"
        if directory == "/":
            return
        directory = posixpath.dirname(directory)


def _scan(tree: Tree, modules: str, directory: str) -> Packages:
    names = [name for name in tree.names(f"{modules}/{SCOPE}") if not name.startswith(".")][:MAX_PACKAGES]
    manifests = {f"{SCOPE}/{name}": _manifest(tree, f"{modules}/{SCOPE}/{name}") for name in names}
    found = {name: _version(manifest) for name, manifest in manifests.items()}
    engines = manifests.get(SERVER, {}).get("engines")
    home = posixpath.dirname(modules)
    folders = list(dict.fromkeys((directory, home))) if directory else [home]
    project = next((each for each in (_manifest(tree, folder) for folder in folders) if each), {})
    wanted = _names(project, "dependencies")
    return Packages(
        directory=modules,
        version=_release(found.get(SERVER) or found.get(CORE, "")),
        versions={name: version for name, version in found.items() if version},
        engines=str(engines.get("node", ""))[:100] if isinstance(engines, dict) else "",
        antlr4=_antlr4(tree, modules),
        lockfiles=tuple(
            f"{folder}/{name}" for folder in folders for name in LOCKFILES if tree.exists(f"{folder}/{name}")
        ),
        missing=tuple(name for name in wanted if not tree.exists(f"{modules}/{name}")),
        in_development=tuple(name for name in _names(project, "devDependencies") if name.startswith(f"{SCOPE}/")),
    )


def _antlr4(tree: Tree, modules: str) -> str:
    for folder in (f"{modules}/{SCOPE}/schema-compiler/node_modules/antlr4", f"{modules}/antlr4"):
        version = _version(_manifest(tree, folder))
        if version:
            return version
    return ""


def _manifest(tree: Tree, folder: str) -> Mapping[str, Any]:
    try:
        found = json.loads(tree.read(f"{folder}/{PACKAGE}", MAX_PACKAGE_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _version(manifest: Mapping[str, Any]) -> str:
    version = manifest.get("version")
    return version if isinstance(version, str) and _VERSION.fullmatch(version) else ""


def _release(version: str) -> str:
    match = _RELEASE.match(version)
    return match[0] if match else ""


def _names(manifest: Mapping[str, Any], key: str) -> list[str]:
    section = manifest.get(key)
    found = sorted(section) if isinstance(section, dict) else []
    # A name with dots in its path would lead elsewhere.
    return [name for name in found if re.fullmatch(r"(?:@[\w.-]{1,100}/)?[\w.-]{1,200}", name) and ".." not in name]
