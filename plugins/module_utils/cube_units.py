# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the units, users and directories of deployments are called and limited to, for the templates to write down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import environment, names
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, SOCKET

KINDS = (
    {"kind": "api", "unit": "cubejs-api@.service", "title": "API instance"},
    {"kind": "refresh_worker", "unit": "cubejs-refresh-worker@.service", "title": "refresh worker"},
    {"kind": "trial", "unit": "cubejs-trial@.service", "title": "trial of a release"},
)
WRITTEN = ("kind", "name", "unit", "listen", "memory_bytes", "heap_mb", "restart_seconds", "stop_seconds")
# What the module cube_instances reads of a deployment; its settings are in the release.
ROLLED = ("tenant", "version", "suspended", "health")
# Seen on Debian 11, in a container: systemd 247 does not start a unit that has PrivateUsers= beside ProtectProc=,
# ProcSubset=, ProtectKernelTunables= or ProtectControlGroups=, since it may not mount /proc (status 226/NAMESPACE).
# 252 goes on without. Of all of these PrivateUsers= is the least: `systemd-analyze security` says 1.6 instead of 1.4.
PRIVATE_USERS_FROM_SYSTEMD = 252


def layout(
    deployments: Iterable[Mapping[str, Any]],
    share: int | None,
    proxy_group: str,
    systemd_version: int,
) -> dict[str, Any]:
    """Return the rows of unit templates and drop-ins, and the users.

    share: bytes of the host's memory that are for Cube.js, None where it is not known. proxy_group: the group that may
    open the sockets of API instances. systemd_version: the host's, as a whole number.
    """
    # Only what is written: of a host's variables each value that is looked at takes Ansible's time.
    limited = map(_limited, deployments)
    sized = [environment.with_memory(each, share) if share else each for each in limited]
    return {
        "kinds": [{**kind, "private_users": systemd_version >= PRIVATE_USERS_FROM_SYSTEMD} for kind in KINDS],
        "drop_ins": [row for deployment in sized for row in _drop_ins(deployment, proxy_group)],
        "users": [_user(deployment) for deployment in sized],
    }


def _limited(deployment: Mapping[str, Any]) -> dict[str, Any]:
    instances = [{key: instance[key] for key in WRITTEN} for instance in deployment["instances"]]
    return {"tenant": deployment["tenant"], "user": deployment["user"], "instances": instances}


def _user(deployment: Mapping[str, Any]) -> dict[str, str]:
    user, tenant = deployment["user"], deployment["tenant"]
    return {
        "name": user,
        "tenant": tenant,
        "file": names.sysusers_file(tenant),
        "line": f'u {user} - "Cube.js of tenant {tenant}"',
    }


def rolls(
    deployments: Iterable[Mapping[str, Any]], waves: Sequence[int] = (), wave: int | None = None
) -> list[dict[str, Any]]:
    """Return what bringing the deployments of a wave up to date needs of them, all of them without a wave.

    waves: those of all hosts, in their order; the last has what is in no other.
    """
    if wave is None or len(waves) < 2:
        return [_roll(each) for each in deployments]
    *earlier, last = waves
    return [
        _roll(each)
        for each in deployments
        if (each.get("wave") == wave if wave != last else each.get("wave") not in earlier)
    ]


def _roll(deployment: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: deployment[key] for key in ROLLED if key in deployment},
        "instances": [{key: instance[key] for key in ("name", "kind", "unit")} for instance in deployment["instances"]],
    }


def _drop_ins(deployment: Mapping[str, Any], proxy_group: str) -> list[dict[str, Any]]:
    rows = [_of_instance(deployment, instance, proxy_group) for instance in deployment["instances"]]
    return [*rows, _of_trial(deployment)]


def _of_instance(deployment: Mapping[str, Any], instance: Mapping[str, Any], proxy_group: str) -> dict[str, Any]:
    release = names.current_release(deployment["tenant"])
    served = instance["kind"] == API and instance["listen"] == SOCKET
    return {
        **_common(deployment, instance),
        "unit": instance["unit"],
        "directory": f"{release}/project",
        "environment_file": f"{release}/environment/{instance['name']}.env",
        "run_directory": names.run_directory(instance["name"]),
        "socket_group": proxy_group if served else None,
    }


def _of_trial(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """Return the drop-in of the unit in which a release is tried before anything is switched to it."""
    folder = names.tenant_directory(deployment["tenant"])
    return {
        **_common(deployment, _largest(deployment["instances"])),
        "unit": names.trial_unit(deployment["tenant"]),
        "directory": f"{folder}/{names.TRIAL}/project",
        "environment_file": f"{folder}/{names.TRIAL}.env",
        "run_directory": names.run_directory(names.trial_instance(deployment["tenant"])),
        "socket_group": None,
    }


def _largest(instances: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return max(instances, key=lambda instance: instance["memory_bytes"] or 0)


def _common(deployment: Mapping[str, Any], instance: Mapping[str, Any]) -> dict[str, Any]:
    limits = {key: instance[key] for key in ("memory_bytes", "restart_seconds", "stop_seconds")}
    return {"tenant": deployment["tenant"], "user": deployment["user"], **limits}
