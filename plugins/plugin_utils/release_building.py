# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Deployments turned into releases on the controller: projects read, packages chosen, environments rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import archives, environment, projects, settings, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import (
    CA_BUNDLE,
    INDEX_FILE,
    Plan,
    Platform,
    Release,
    Runtime,
    build,
)


class BuildingError(ValueError):
    """Releases that cannot be built; the message has every reason, one a line."""


@dataclass
class Built:
    """The releases of a host, and where on the controller lies what they are made of."""

    releases: list[Release] = field(default_factory=list)
    runtimes: dict[str, Runtime] = field(default_factory=dict)
    trees: dict[str, tuple[Path, projects.Tree]] = field(default_factory=dict)
    excluded: dict[str, list[str]] = field(default_factory=dict)

    def pack(self, path: Path, plan: Plan, npm: Mapping[str, Path], ca_bundle: str | None) -> None:
        """Write the archive of what a host lacks; ca_bundle goes along when npm is going to run."""
        wanted = {(release.tenant, release.id): release for release in self.releases}
        needed = {wanted[pair].project for pair in plan.releases}
        contents = {f"npm/{digest}.tgz": npm[digest].read_bytes() for digest in plan.npm}
        if plan.runtimes and ca_bundle:
            contents[CA_BUNDLE] = Path(ca_bundle).read_bytes()
        for digest in plan.runtimes:
            manifest = self.runtimes[digest].manifest
            contents[f"runtimes/{digest}/{projects.PACKAGE}"] = manifest.package
            contents[f"runtimes/{digest}/{projects.LOCK}"] = manifest.lock
        archives.pack(path, {f"projects/{digest}": self.trees[digest] for digest in sorted(needed)}, contents)


@dataclass
class Builder:
    """Builds releases for hosts of one platform. shipped: folder of the runtimes that come with the collection.

    index: our index.js for versions without a start command. checkouts: where projects from git are checked out.
    check_mode: a CA that a run would make first need not be there.
    """

    platform: Platform
    node: str | None
    shipped: Path
    index: Path
    checkouts: Path
    check_mode: bool = False
    _trees: dict[Path, projects.Tree] = field(default_factory=dict)
    _runtimes: dict[tuple[Path, str, bool], Runtime] = field(default_factory=dict)

    def build(self, deployments: Sequence[Mapping[str, Any]]) -> Built:
        """Return the releases of deployments whose secrets were revealed.

        Raises BuildingError with everything that is wrong with any of them.
        """
        built = Built()
        problems = [problem for deployment in deployments for problem in self._problems(built, deployment)]
        if problems:
            raise BuildingError("\n".join(dict.fromkeys(problems)))
        return built

    def _problems(self, built: Built, deployment: Mapping[str, Any]) -> list[str]:
        """Add the release of a deployment; return why it cannot run."""
        try:
            problems = self._add(built, deployment)
        except (projects.ProjectError, settings.SettingError, environment.EnvironmentFileError, OSError) as exc:
            problems = [str(exc)]
        return [f"tenant {deployment['tenant']}: {problem}" for problem in problems]

    def _add(self, built: Built, deployment: Mapping[str, Any]) -> list[str]:
        version = deployment["version"]
        folder = self._folder(deployment)
        tree = self._tree(folder)
        runtime = self._runtime(folder, version, deployment["install_scripts"])
        problems = projects.manifest_problems(runtime.manifest, version, deployment["drivers"])
        node_problem = versions.node_problem(version, self.node) if self.node else None
        if node_problem:
            problems.append(node_problem)
        release = build(
            deployment,
            project=tree.digest,
            runtime=runtime.digest,
            certificates="".join(map(self._certificate, deployment["ca_certificates"])),
            index=None if tree.has(INDEX_FILE) else self._index,
        )
        built.releases.append(release)
        built.runtimes[runtime.digest] = runtime
        built.trees[tree.digest] = (folder, tree)
        if tree.excluded:
            built.excluded[deployment["tenant"]] = list(tree.excluded)
        return problems

    def _runtime(self, folder: Path, version: str, scripts: bool) -> Runtime:
        """Return what a project runs with; tenants that share the project have its lockfile read once."""
        key = (folder, version, scripts)
        if key not in self._runtimes:
            self._runtimes[key] = Runtime(projects.manifest(folder, self.shipped, version), self.platform, scripts)
        return self._runtimes[key]

    @cached_property
    def _index(self) -> str:
        return self.index.read_text(encoding="utf-8")

    def _certificate(self, path: str) -> str:
        """Return a CA's certificate; in check mode nothing where the run would make it first."""
        try:
            return Path(path).read_text(encoding="utf-8")
        except FileNotFoundError:
            if self.check_mode:
                return ""
            raise

    def _folder(self, deployment: Mapping[str, Any]) -> Path:
        path = deployment["project"].get("path")
        return Path(path) if path else self.checkouts / deployment["tenant"]

    def _tree(self, folder: Path) -> projects.Tree:
        """Return the files of a project; tenants that share one have it read once."""
        if folder not in self._trees:
            self._trees[folder] = projects.read_tree(folder)
        return self._trees[folder]
