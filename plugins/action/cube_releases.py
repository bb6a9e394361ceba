# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build releases on the controller and ship what a host lacks; documented in plugins/modules/cube_releases.py."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.cubeops.cubejs.plugins.module_utils import environment, packing, runtime_sources
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import Found, Plan, Platform, pack_job, plan
from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_sources import Sources
from ansible_collections.cubeops.cubejs.plugins.module_utils.secrets import SecretError
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.release_building import Builder, BuildingError, Built
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.runtime_archives import Cache, Claims
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.vaults import vault

MODULE = "cubeops.cubejs.cube_release_store"
ARGUMENT_SPEC: dict[str, Any] = {
    "deployments": {"type": "list", "elements": "dict", "required": True},
    "memory_bytes": {"type": "int"},
    "node": {"type": "path", "default": "/usr/bin/node"},
    "platform": {"type": "dict", "required": True},
    "npm": {"type": "path"},
    "npm_archive": {"type": "path"},
    "npm_registry": {"type": "str"},
    "ca_bundle": {"type": "path"},
    "shipped": {"type": "path", "required": True},
    "index": {"type": "path", "required": True},
    "checkouts": {"type": "path", "required": True},
    "begin": {"type": "bool", "default": False},
    "runtime_archives": {"type": "path", "required": True},
    "alone": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """The controller's half of cube_releases."""

    TRANSFERS_FILES = True
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the releases of the host; what it lacks of them is there then."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._variables = task_vars or {}
        self._task.args = packing.unpack_within(self._task.args)
        _validation, arguments = self.validate_argument_spec(
            argument_spec=ARGUMENT_SPEC,
            mutually_exclusive=[["npm", "npm_archive"]],
            required_one_of=[["npm", "npm_archive"]],
        )
        users = {each["tenant"]: each["user"] for each in arguments["deployments"]}
        try:
            deployments = vault(self._loader, self._templar, self._variables).reveal(arguments["deployments"])
            found = Found.of(self._call(phase="look", users=users, node=arguments["node"])["found"])
            if not found.node and not self._task.check_mode:
                raise BuildingError(f"there is no Node.js at {arguments['node']} on the host: correct cubejs_node")
            if arguments["memory_bytes"]:
                deployments = [environment.with_memory(each, arguments["memory_bytes"]) for each in deployments]
            built = _builder(arguments, found.node, self._task.check_mode).build(deployments)
            npm = _npm_digest(arguments["npm_archive"])
            missing = plan((release.as_wanted() for release in built.releases), found, npm)
            sources = Sources(missing.runtimes)
            if missing.runtimes and not self._task.check_mode:
                sources = self._sources(arguments, missing, found)
            if arguments["begin"]:
                missing = missing.with_runtimes(sources.built).to_begin(found)
                sources = Sources(missing.runtimes)
            here = missing.with_runtimes(sources.built, sources.shipped)
            if here.changed and not self._task.check_mode:
                self._ship(arguments, built, here, npm, sources)
        except (BuildingError, SecretError, OSError) as exc:
            raise AnsibleActionFail(str(exc)) from exc
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return {
            **result,
            "changed": missing.changed,
            "plan": missing.as_dict(),
            "elsewhere": sources.by_host(),
            "excluded": built.excluded,
            "releases": packing.pack(
                {
                    release.tenant: {"release": release.id, "instances": dict(release.instances)}
                    for release in built.releases
                }
            ),
        }

    def _sources(self, arguments: dict[str, Any], missing: Plan, found: Found) -> Sources:
        """Return where missing runtimes come from; claims those that nobody has for this host."""
        host = str(self._variables["inventory_hostname"])
        others = [] if arguments["alone"] else list(self._variables["ansible_play_hosts"])
        known = {other: self._variables["hostvars"].raw_get(other).get("ansible_facts", {}) for other in others}
        runtimes = {other: facts.get("cubeops_host", {}).get("runtimes", []) for other, facts in known.items()}
        archives = Cache(Path(arguments["runtime_archives"]))
        return runtime_sources.choose(
            missing.runtimes,
            host=host,
            begun=found.begun,
            archived=lambda digest: archives.find(digest) is not None,
            holders=runtime_sources.holders(runtimes, host),
            claim=Claims(Path(constants.DEFAULT_LOCAL_TMP), host, others).claim,
        )

    def _ship(self, arguments: dict[str, Any], built: Built, missing: Plan, npm: str | None, sources: Sources) -> None:
        archives = Cache(Path(arguments["runtime_archives"]))
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "archive.tgz"
            bundle = arguments["ca_bundle"] if sources.built else None
            built.pack(archive, missing, {npm: Path(arguments["npm_archive"])} if npm else {}, bundle)
            remote = self._send(archive, archive.name)
        shipped = {}
        for digest, kept in ((digest, archives.find(digest)) for digest in sources.shipped):
            # Another run may have removed it since.
            if kept is None:
                raise BuildingError(f"the archive of runtime {digest} has gone from {archives.folder}: run again")
            shipped[digest] = {"path": self._send(kept.path, f"{digest}.tgz"), "sha256": kept.sha256}
        job = pack_job(missing, built.releases)
        left = self._call(phase="stage", archive=remote, job=job, shipped=shipped)["left"]
        program = f"{arguments['node']} {Store().npm(npm)}" if npm else arguments["npm"]
        for digest in left:
            self._execute(
                "community.general.npm",
                wrap_async=arguments["begin"],
                ci=True,
                path=str(Store().staged_runtime(digest)),
                executable=program,
                registry=arguments["npm_registry"],
                ignore_scripts=not built.runtimes[digest].scripts,
            )
        if missing.runtimes and not arguments["begin"]:
            self._call(phase="adopt", runtimes=list(missing.runtimes))

    def _send(self, file: Path, name: str) -> str:
        """Send a file to the host; return where it is there until the task ends."""
        if not self._connection._shell.tmpdir:
            self._make_tmp_path()
        remote: str = self._connection._shell.join_path(self._connection._shell.tmpdir, name)
        self._transfer_file(str(file), remote)
        self._fixup_perms2((self._connection._shell.tmpdir, remote))
        return remote

    def _call(self, **arguments: Any) -> dict[str, Any]:
        return self._execute(MODULE, **arguments)

    def _execute(self, module: str, *, wrap_async: bool = False, **arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name=module, module_args=arguments, task_vars=self._variables, wrap_async=wrap_async
        )
        if result.get("failed"):
            raise AnsibleActionFail(str(result.get("msg")), result=result)
        return result


def _builder(arguments: dict[str, Any], node: str | None, check_mode: bool) -> Builder:
    host = arguments["platform"]
    release = f"{host['os']['id']}-{host['os']['version_id']}"
    major = int(node.split(".")[0]) if node else None
    return Builder(
        platform=Platform(major, host["architecture"], release),
        node=node,
        shipped=Path(arguments["shipped"]),
        index=Path(arguments["index"]),
        checkouts=Path(arguments["checkouts"]),
        check_mode=check_mode,
    )


def _npm_digest(archive: str | None) -> str | None:
    return hashlib.sha256(Path(archive).read_bytes()).hexdigest()[:16] if archive else None
