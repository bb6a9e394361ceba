# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take archives of runtimes from a host to the controller; documented in plugins/modules/cube_runtime_archives.py."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_shipping import sha256
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.runtime_archives import Cache

MODULE = "cubeops.cubejs.cube_release_store"
ARGUMENT_SPEC: dict[str, Any] = {
    "runtimes": {"type": "list", "elements": "str", "required": True},
    "directory": {"type": "path", "required": True},
}


class ActionModule(ActionBase):
    """The controller's half of cube_runtime_archives."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return which runtimes the controller has an archive of then, and which the host does not have either."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        cache = Cache(Path(arguments["directory"]))
        missing = []
        try:
            if not self._task.check_mode:
                cache.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                wanted = [digest for digest in arguments["runtimes"] if cache.find(digest) is None]
                missing = [digest for digest in wanted if not self._take(cache, digest, task_vars or {})]
        except OSError as exc:
            raise AnsibleActionFail(f"{cache.folder}: {exc}") from exc
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        kept = [digest for digest in arguments["runtimes"] if digest not in missing]
        # A cache on the controller is no state of anybody's.
        return {**result, "changed": False, "kept": kept, "missing": missing}

    def _take(self, cache: Cache, digest: str, variables: dict[str, Any]) -> bool:
        """Take one archive; say whether the host has it."""
        if not self._connection._shell.tmpdir:
            self._make_tmp_path()
        remote = self._connection._shell.join_path(self._connection._shell.tmpdir, f"{digest}.tgz")
        packed: dict[str, Any] = self._execute_module(
            module_name=MODULE,
            module_args={"phase": "pack", "runtimes": [digest], "archive": remote},
            task_vars=variables,
        )
        if packed.get("failed"):
            raise AnsibleActionFail(str(packed.get("msg")), result=packed)
        if packed["sha256"] is None:
            return False
        with tempfile.TemporaryDirectory(dir=cache.folder) as folder:
            staged = Path(folder) / "archive.tgz"
            _refuse_without_room(cache.folder, packed["bytes"])
            self._connection.fetch_file(remote, str(staged))
            if sha256(staged) != packed["sha256"]:
                raise AnsibleActionFail(f"the archive of runtime {digest} was damaged on its way: run again")
            cache.keep(digest, staged, packed["sha256"])
        return True


def _refuse_without_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise AnsibleActionFail(
            f"{folder} on the controller has {free / 1e6:.0f} MB left, "
            f"an archive of packages takes {needed / 1e6:.0f} MB: make room"
        )
