# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on what is installed: Node.js, the packages of Cube.js, and whether another install would give the same."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    INFO,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.projects import ANTLR4
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

# A fork with numbers of its own.
OTHER_LINES = frozenset({"@cubejs-backend/dotenv"})
MAX_NAMES = 10


def _gap(instance: LiveInstance) -> Unknown | None:
    if instance.seen.packages.directory:
        return None
    return known.version_gap(instance) or Unknown("packages", "where its packages are is not known")


class NodeFits(Rule):
    """Each line of Cube.js names the versions of Node.js on which it is tested; its own program refuses others."""

    id = "node-version"
    title = "Node.js is one that the installed Cube.js accepts"
    source = "package.json (engines) of @cubejs-backend/server 0.19 to 0.35"
    remedy = "Install a version of Node.js that the engines of the package name"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each running instance."""
        for instance in known.running(live.instances):
            yield self._judged(instance)

    def _judged(self, instance: LiveInstance) -> Finding:
        version, process = instance.version, instance.seen.process
        node = process.node_version if process else ""
        engines = instance.seen.packages.engines
        evidence = [f"engines: {engines}"] if engines else []
        missing = known.version_gap(instance)
        if missing:
            return known.unknown(self, instance, missing)
        if not node:
            return self.of(instance, UNKNOWN, "the version of its Node.js could not be read", known.BECOME)
        if not versions.within(version, versions.SUPPORTED):
            why = f"which Node.js Cube {version} accepts is not known here"
            return self.of(instance, UNKNOWN, why, f"Compare {node} with the engines", evidence=evidence)
        problem = versions.node_problem(version, node)
        if problem:
            return self.of(instance, FAIL, problem, evidence=evidence)
        return self.of(instance, PASS, f"Cube {version} accepts Node.js {node}", evidence=evidence)


class PackagesOfOneLine(Rule):
    """Packages of Cube.js fit each other within one minor version only; the program warns, and starts nevertheless."""

    id = "packages-of-one-line"
    title = "All packages of Cube.js are of one minor version"
    source = "Source of @cubejs-backend/server 0.29.57 (container.js)"
    remedy = "Write the same minor version for all @cubejs-backend packages, and make the lockfile anew"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each instance."""
        for instance in live.instances:
            missing = _gap(instance) or known.version_gap(instance)
            if missing:
                yield known.unknown(self, instance, missing)
                continue
            line = _minor(instance.version)
            found = {name: each for name, each in instance.seen.packages.versions.items() if name not in OTHER_LINES}
            strange = [f"{name} {each}" for name, each in sorted(found.items()) if _minor(each) != line]
            if strange:
                told = f"the server is {instance.version}; {', '.join(strange[:MAX_NAMES])}"
                yield self.of(instance, FAIL, told, evidence=strange[MAX_NAMES : 3 * MAX_NAMES])
            else:
                yield self.of(instance, PASS, f"all {len(found)} are {line}")


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


class OneLockfile(Rule):
    """Without a lockfile the next install takes what is newest; with two, npm and yarn install different packages."""

    id = "one-lockfile"
    title = "Exactly one lockfile stands beside the packages"
    severity = WARNING
    source = "Source of @cubejs-backend/server 0.29.57 (container.js)"
    remedy = "Keep the lockfile of the package manager that installs, commit it, and remove the others"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each instance."""
        for instance in live.instances:
            missing = _gap(instance)
            files = instance.seen.packages.lockfiles
            # The project and the packages may have a folder each, with the same lockfile in both.
            crowded = [folder for folder, count in Counter(map(posixpath.dirname, files)).items() if count > 1]
            if missing:
                yield known.unknown(self, instance, missing)
            elif not files:
                yield self.of(instance, FAIL, f"there is none beside {instance.seen.packages.directory}")
            elif crowded:
                yield self.of(instance, FAIL, f"{crowded[0]} has more than one", evidence=files)
            else:
                yield self.of(instance, PASS, f"there is {posixpath.basename(files[0])}", evidence=files)


class AntlrPinned(Rule):
    """Releases up to 0.24 load a file of antlr4 that its 4.9 no longer gives, and their range lets that in.

    An install from scratch then does not start: ERR_PACKAGE_PATH_NOT_EXPORTED.
    """

    id = "antlr-pinned"
    title = f"antlr4 is {ANTLR4} up to Cube.js 0.24"
    versions = "<0.25"
    source = "Measured on Cube.js 0.20.10; package.json of schema-compiler 0.20.9 to 0.24.15"
    remedy = f'Write "overrides": {{"antlr4": "{ANTLR4}"}} into package.json, and make the lockfile anew'

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each instance."""
        for instance in live.instances:
            missing = known.version_gap(instance)
            found = instance.seen.packages.antlr4
            if missing:
                yield known.unknown(self, instance, missing)
            elif not versions.pins_antlr4(instance.version):
                yield self.of(instance, NOT_APPLICABLE, f"Cube {instance.version} has another parser")
            elif not found:
                yield self.of(instance, UNKNOWN, "antlr4 was not found", known.BECOME)
            elif found != ANTLR4:
                yield self.of(instance, FAIL, f"it is {found}: the next start fails, if this one has not")
            else:
                yield self.of(instance, PASS, f"it is {found}")


class PackagesInstalled(Rule):
    """A package that the project asks for and that is not there is missed when it is first needed, at a query.

    The program advises to move Cube's packages to devDependencies; what installs without those then leaves Cube out.
    """

    id = "packages-installed"
    title = "What package.json asks for is installed, and stays so without development packages"
    source = "Source of @cubejs-backend/server 0.29.57 (container.js); npm's documentation: npm ci"
    remedy = "Run npm ci again, with --include=dev where Cube's packages stand in devDependencies"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each instance."""
        for instance in live.instances:
            missing = _gap(instance)
            if missing:
                yield known.unknown(self, instance, missing)
            else:
                yield self._judged(instance)

    def _judged(self, instance: LiveInstance) -> Finding:
        packages = instance.seen.packages
        absent = [*packages.missing, *(name for name in packages.in_development if name not in packages.versions)]
        if absent:
            told = f"{len(absent)} are not installed: {', '.join(absent[:MAX_NAMES])}"
            return self.of(instance, FAIL, told, evidence=[packages.directory])
        if packages.in_development:
            told = f"{', '.join(packages.in_development[:MAX_NAMES])} stand in devDependencies"
            remedy = "Move them to dependencies, or always install with --include=dev"
            return self.of(instance, FAIL, told, remedy, severity=INFO)
        return self.of(instance, PASS, "all that it asks for is there", evidence=[packages.directory])


class EndOfLife(Rule):
    """What a release still does and a later one does not: known early, a migration can be planned."""

    id = "end-of-life"
    title = "Nothing is used that the release in use calls deprecated"
    severity = INFO
    source = "DEPRECATION.md of cube-js/cube"
    remedy = "Plan the move to Cube Store before an upgrade; 0.36 has no Redis"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield a finding for each tenant."""
        for name, _planned, instances in known.deployments(fleet, live):
            dated = [each for each in instances if each.version]
            if not dated:
                why = "no version of Cube.js could be read"
                yield self.found(name, why, known.BECOME, tenant=name, status=UNKNOWN)
                continue
            told = sorted({told for each in dated for told in _deprecated(each)})
            used = ", ".join(sorted({each.version for each in dated}))
            if told:
                yield self.found(name, f"Cube {used}: {'; '.join(told)}", tenant=name)
            elif any(known.environment_gap(each.seen, "CUBEJS_EXT_DB_TYPE") for each in dated):
                yield self.found(name, "its variables are not known", known.BECOME, tenant=name, status=UNKNOWN)
            else:
                yield self.found(name, f"Cube {used} calls nothing of it deprecated", tenant=name, status=PASS)


def _deprecated(instance: LiveInstance) -> Iterator[str]:
    kind = instance.seen.value("CUBEJS_EXT_DB_TYPE")
    if kind and kind != "cubestore" and versions.within(instance.version, ">=0.30"):
        yield f"{kind} as pre-aggregation storage is deprecated since 0.30"
    uses_redis = bool(instance.seen.redis) or any(
        name in instance.seen.settings for name in ("CUBEJS_REDIS_URL", "REDIS_URL")
    )
    if uses_redis and versions.within(instance.version, ">=0.32"):
        yield "Redis is deprecated since 0.32 and removed in 0.36"
