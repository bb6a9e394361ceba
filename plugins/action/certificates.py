# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep a deployment's certificates on the controller; documented in plugins/modules/certificates.py."""

from __future__ import annotations

import contextlib
import datetime
import time
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing, pki, pki_store

ARGUMENT_SPEC: dict[str, Any] = {
    "directory": {"type": "path", "required": True},
    "certificates": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
            "certificate_path": {"type": "str"},
            "key_path": {"type": "str", "no_log": False},
        },
        "required_together": [("certificate_path", "key_path")],
    },
    "renew_days": {"type": "int", "default": pki.RENEW_DAYS},
    "valid_days": {"type": "int", "default": pki.LEAF_DAYS},
}


class ActionModule(ActionBase):
    """The task as Ansible runs it: no host is contacted."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the certificates asked for, made where they have to be."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._task.args = packing.unpack_within(self._task.args)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        if pki.IMPORT_ERROR:
            raise AnsibleActionFail("certificates needs Python's cryptography, 42 or later, on the controller")
        directory = Path(arguments["directory"])
        now = datetime.datetime.now(datetime.timezone.utc)
        terms = pki_store.Terms(now, arguments["renew_days"], arguments["valid_days"], _run_started_ns())
        requests = [self._request(each) for each in arguments["certificates"]]
        try:
            if self._task.check_mode:
                directory = pki_store.rehearse(directory, Path(constants.DEFAULT_LOCAL_TMP))
            kept = pki_store.keep(directory, requests, terms)
        except pki.PkiError as exc:
            raise AnsibleActionFail(f"certificates: {exc}") from exc
        return {**result, **report(kept), **({"diff": _diff(kept)} if self._task.diff else {})}

    def _request(self, arguments: dict[str, Any]) -> pki_store.Request:
        paths = [self._find(arguments[option]) for option in ("certificate_path", "key_path")]
        return pki_store.Request(arguments["name"], tuple(arguments["names"]), *paths)

    def _find(self, path: str | None) -> Path | None:
        if path is None:
            return None
        try:
            return Path(self._find_needle("files", path))
        except AnsibleError:
            # Reported with every other problem of the certificates, by its name.
            return Path(path)


def _run_started_ns() -> int:
    """Return when the first such task of this run began: a mark in the directory that ends with the run."""
    mark = Path(constants.DEFAULT_LOCAL_TMP) / "certificates"
    with contextlib.suppress(FileExistsError):
        mark.symlink_to(str(time.time_ns()))
    return int(str(mark.readlink()))


def report(kept: pki_store.Result) -> dict[str, Any]:
    """Return the task's result: paths of private keys, never a key."""
    return {
        "changed": kept.changed,
        "ca_created": kept.ca_created,
        "ca_certificate": kept.ca_certificate,
        "ca_certificate_path": kept.ca_certificate_path and str(kept.ca_certificate_path),
        "certificates": {
            each.name: {
                "certificate": each.certificate,
                "certificate_path": str(each.certificate_path),
                "key_path": str(each.key_path),
                "not_after": each.not_after.isoformat(),
                "reason": each.reason,
            }
            for each in kept.certificates
        },
        "warnings": list(kept.warnings),
    }


def _diff(kept: pki_store.Result) -> list[dict[str, str]]:
    made = [("ca", "made: there was none")] if kept.ca_created else []
    issued = [each for each in kept.certificates if each.reason]
    made += [(each.name, f"issued until {each.not_after:%Y-%m-%d}: {each.reason}") for each in issued]
    return [{"before": "", "after": f"{text}\n", "after_header": name} for name, text in made]
