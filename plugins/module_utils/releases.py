# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Releases: what one deployment of a tenant runs, named by what it is made of, and what a host still needs for it.

A release is immutable: project, packages and the environment of every instance, so that one link switches all of it at
once. An instance carries the digest of its own part: adding an instance makes a new release and restarts no other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import environment
from ansible_collections.cubeops.cubejs.plugins.module_utils.projects import Manifest

DIGEST_CHARACTERS = 16
# What the process says of itself: compared with what is on disk to tell whether it must be restarted.
RELEASE_VARIABLE = "CUBEOPS_RELEASE"
START_VARIABLE = "CUBEOPS_START"
ENVIRONMENT_DIRECTORY = "environment"
PROJECT_DIRECTORY = "project"
CA_FILE = "ca.crt"
INDEX_FILE = "index.js"
# What npm trusts, in the archive and below the root alike.
CA_BUNDLE = "ca-bundle.crt"
# Install scripts are the only flag of npm that changes what is installed.
NPM_FLAGS = "include=dev"


def short_digest(document: object) -> str:
    """Return the name that follows from some data: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:DIGEST_CHARACTERS]


@dataclass(frozen=True)
class Platform:
    """What besides the lockfile decides what npm installs; node_major is None while there is no Node on the host."""

    node_major: int | None
    architecture: str
    os_release: str


@dataclass(frozen=True)
class Runtime:
    """An installed node_modules tree, shared by every release with its digest."""

    manifest: Manifest
    platform: Platform
    scripts: bool

    @cached_property
    def digest(self) -> str:
        """Return the digest of everything that it is installed from."""
        platform = [self.platform.node_major, self.platform.architecture, self.platform.os_release]
        sources = [hashlib.sha256(part).hexdigest() for part in (self.manifest.package, self.manifest.lock)]
        return short_digest([sources, platform, NPM_FLAGS, self.scripts])


@dataclass(frozen=True)
class Release:
    """One release of one tenant. `files` are those besides the project: path -> text, all secret ones 0600."""

    tenant: str
    user: str
    version: str
    project: str
    runtime: str
    instances: Mapping[str, str]
    files: Mapping[str, str] = field(repr=False)

    @property
    def id(self) -> str:
        """Return the digest of all of it."""
        digests = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in self.files.items()}
        return short_digest([self.version, self.project, self.runtime, digests])

    def as_wanted(self) -> Wanted:
        """Return what a host is told of it: digests, no secret."""
        digests = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in self.files.items()}
        return Wanted(self.tenant, self.user, self.id, self.project, self.runtime, digests)


@dataclass(frozen=True)
class Wanted:
    """A release as a host is asked for it: file -> digest of its contents."""

    tenant: str
    user: str
    id: str
    project: str
    runtime: str
    files: Mapping[str, str]


def build(
    deployment: Mapping[str, Any],
    project: str,
    runtime: str,
    certificates: str,
    index: str | None,
) -> Release:
    """Return the release of a deployment whose secrets were revealed.

    project, runtime: digests. certificates: PEM of the private CAs, "" without any. index: the text of the
    index.js that starts a version without a command of its own; None where the project brings one.
    """
    command = list(deployment["start"]["command"])
    if deployment["start"]["own_index"] and index is None:
        command = [INDEX_FILE]
    files = {}
    if certificates:
        files[CA_FILE] = certificates
    if deployment["start"]["own_index"] and index is not None:
        files[INDEX_FILE] = index
    shared = [deployment["version"], project, runtime, sorted(files.items())]
    instances = {}
    for instance in deployment["instances"]:
        variables = {**environment.of_instance(deployment, instance), START_VARIABLE: " ".join(command)}
        digest = short_digest([shared, variables])
        instances[instance["name"]] = digest
        text = environment.to_file({**variables, RELEASE_VARIABLE: digest})
        files[f"{ENVIRONMENT_DIRECTORY}/{instance['name']}.env"] = text
    return Release(
        tenant=deployment["tenant"],
        user=deployment["user"],
        version=deployment["version"],
        project=project,
        runtime=runtime,
        instances=instances,
        files=files,
    )


@dataclass(frozen=True)
class Found:
    """What a host has: version of Node, releases by tenant, complete runtimes and npm trees, users that exist.

    current: what each tenant runs. staged: what was made last where that is another one, by a run that was killed.
    begun: runtimes that are not in their place yet, but that npm has installed or works on.
    """

    node: str | None = None
    current: Mapping[str, Wanted] = field(default_factory=dict)
    runtimes: frozenset[str] = frozenset()
    npm: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    staged: Mapping[str, Wanted] = field(default_factory=dict)
    begun: frozenset[str] = frozenset()

    def of_tenant(self, tenant: str) -> list[Wanted]:
        """Return the releases of a tenant whose files were looked at."""
        return [each[tenant] for each in (self.current, self.staged) if tenant in each]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "node": self.node,
            "current": [asdict(each) for each in self.current.values()],
            "staged": [asdict(each) for each in self.staged.values()],
            "runtimes": sorted(self.runtimes),
            "begun": sorted(self.begun),
            "npm": sorted(self.npm),
            "users": sorted(self.users),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Found:
        """Return what `as_dict` made plain data of."""
        return cls(
            node=data["node"],
            current={each["tenant"]: Wanted(**each) for each in data["current"]},
            staged={each["tenant"]: Wanted(**each) for each in data["staged"]},
            runtimes=frozenset(data["runtimes"]),
            begun=frozenset(data["begun"]),
            npm=frozenset(data["npm"]),
            users=frozenset(data["users"]),
        )


@dataclass(frozen=True)
class Plan:
    """What has to be done before the wanted releases can run: users to create, what to build and what to ship."""

    users: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    releases: tuple[tuple[str, str], ...] = ()

    @property
    def changed(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.users or self.npm or self.runtimes or self.releases)

    def to_begin(self, found: Found) -> Plan:
        """Return the part that npm can begin with: runtimes that it has not begun, and itself where it is missing."""
        runtimes = tuple(each for each in self.runtimes if each not in found.begun)
        return Plan(npm=self.npm if runtimes else (), runtimes=runtimes)

    def with_runtimes(self, built: Sequence[str], shipped: Sequence[str] = ()) -> Plan:
        """Return the plan with these of its runtimes; npm is only needed where it builds one."""
        return replace(self, npm=self.npm if built else (), runtimes=(*built, *shipped))

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "users": list(self.users),
            "npm": list(self.npm),
            "runtimes": list(self.runtimes),
            "releases": [list(pair) for pair in self.releases],
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Plan:
        """Return what `as_dict` made plain data of."""
        pairs = tuple((str(tenant), str(release)) for tenant, release in data["releases"])
        return cls(tuple(data["users"]), tuple(data["npm"]), tuple(data["runtimes"]), pairs)


def plan(wanted: Iterable[Wanted], found: Found, npm: str | None) -> Plan:
    """Return what a host lacks. npm: digest of the npm that builds there; it is only needed when something is built.

    An earlier release is made anew even if it is there: nobody has looked at its files since.
    """
    releases = list(wanted)
    runtimes = tuple(dict.fromkeys(each.runtime for each in releases if each.runtime not in found.runtimes))
    return Plan(
        users=tuple(dict.fromkeys(each.user for each in releases if each.user not in found.users)),
        npm=(npm,) if npm and runtimes and npm not in found.npm else (),
        runtimes=runtimes,
        releases=tuple((each.tenant, each.id) for each in releases if each not in found.of_tenant(each.tenant)),
    )


@dataclass(frozen=True)
class Job:
    """What a host is to make: the plan, the releases in it, and their files' texts by release and path."""

    plan: Plan
    wanted: tuple[Wanted, ...]
    files: Mapping[str, Mapping[str, str]] = field(repr=False)


def pack_job(plan: Plan, releases: Iterable[Release]) -> str:
    """Return what `stage` needs of the releases in a plan, as one string for a secret option of a module."""
    chosen = [release for release in releases if (release.tenant, release.id) in plan.releases]
    document = {
        "plan": plan.as_dict(),
        "wanted": [asdict(release.as_wanted()) for release in chosen],
        "files": {release.id: dict(release.files) for release in chosen},
    }
    return base64.b64encode(zlib.compress(json.dumps(document).encode())).decode("ascii")


def unpack_job(packed: str) -> Job:
    """Return what `pack_job` made a string of."""
    document = json.loads(zlib.decompress(base64.b64decode(packed)))
    wanted = tuple(Wanted(**each) for each in document["wanted"])
    return Job(Plan.of(document["plan"]), wanted, document["files"])


@dataclass(frozen=True)
class Garbage:
    """What may be removed: (tenant, release) pairs, and digests of runtimes that no release needs then."""

    releases: tuple[tuple[str, str], ...] = ()
    runtimes: tuple[str, ...] = ()


def garbage(
    releases: Mapping[str, Sequence[str]],
    runtimes: Mapping[tuple[str, str], str],
    installed: Iterable[str],
    current: Mapping[str, str],
    in_use: Iterable[tuple[str, str]],
    kept: int,
    tenants: Iterable[str],
) -> Garbage:
    """Return what no one needs: of `tenants`, releases beyond the newest `kept` besides the current one.

    releases: tenant -> its releases, oldest first. runtimes: (tenant, release) -> digest. current: tenant -> release.
    in_use: (tenant, release) that a running process was started from: never removed, and neither is its runtime.
    """
    used = set(in_use)
    removed = []
    for tenant in tenants:
        earlier = [each for each in releases.get(tenant, ()) if each != current.get(tenant)]
        surplus = earlier[: max(0, len(earlier) - kept)]
        removed += [(tenant, each) for each in surplus if (tenant, each) not in used]
    staying = {(tenant, each) for tenant, names in releases.items() for each in names} - set(removed)
    needed = {runtimes[pair] for pair in staying if pair in runtimes}
    return Garbage(tuple(removed), tuple(sorted(set(installed) - needed)))
