#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Bring Redis instances up to date."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_instances
short_description: Bring Redis instances up to date without cutting off their clients
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
description:
  - Enables and starts any number of Redis or Valkey instances, each the unit C(cubejs-redis@NAME.service), and makes
    what runs the same as what their files say.
  - What the server can change while it runs is changed so (the password included) and connected clients stay. An
    instance is restarted only where its server refuses that, or where its unit changed.
  - What is wanted is what the installed server makes of C(/etc/cubejs/redis/NAME.conf) and C(NAME.secret), read by a
    private server that is stopped at once. So a setting that was taken away goes back to its default, and one that was
    changed by hand is put back.
  - Instances are taken one after the other. Each has to be as wanted and to serve a client on every address that it is
    bound to (connect, with TLS trusting C(/etc/cubejs/redis/ca.crt), log in, ping), or the module stops there and fails
    with the last lines of its journal.
  - Nothing depends on what earlier tasks reported, so a run that was killed is completed by the next.
  - Instances that run and are not listed are reported and left alone.
options:
  instances:
    description: The wanted instances.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the instance, its configuration, its data directory and its unit.
        type: str
        required: true
      port:
        description: TCP port for clients, with TLS if O(instances[].tls).
        type: int
        required: true
      bind:
        description: Addresses that clients reach it on.
        type: list
        elements: str
        default: ['127.0.0.1']
      password:
        description:
          - The wanted password.
          - The running server may still have another one. It is found in what systemd keeps of the files that the
            instance was started with, or in the notes of a run that was killed while it changed the password.
        type: str
        required: true
      maxclients:
        description: How many clients must be able to connect. Read back, as servers lower it to their file limit.
        type: int
        required: true
      tls:
        description: Whether the port speaks TLS.
        type: bool
        default: false
      tls_names:
        description: Names that its certificate is for. The first is checked.
        type: list
        elements: str
        default: []
      primary:
        description:
          - Address of the first primary of a replicated Redis, maybe one of O(instances[].bind).
          - An instance with another one begins as its replica when it starts for the first time; where a Sentinel names
            the primary of the day, of that. What it is later is never changed here, so a failover stays.
        type: str
  others:
    description: Names of instances that are meant to be here besides, and are left alone without a word.
    type: list
    elements: str
    default: []
  sentinels:
    description: Addresses of Sentinels, which are asked for the present primary before an instance starts first.
    type: list
    elements: str
    default: []
  sentinel_port:
    description: Port of the Sentinels.
    type: int
    default: 26379
  server:
    description: Path of the server's program.
    type: path
    default: /usr/bin/redis-server
  pending:
    description:
      - Files of the configuration set (relative, as M(cubeops.cubejs.managed_files) returns them) that were changed, or
        in check mode would be. A file belongs to the instance that it is named after.
    type: list
    elements: str
    default: []
  pending_unit:
    description: In check mode, whether the file of the units would have changed by now. Has no meaning otherwise.
    type: bool
    default: false
  keep_old_passwords:
    description:
      - Whether a password that was changed goes on to let clients in beside the new one. Clients that open connections
        all the time live through the change that way, until they are given the new one.
      - With V(false), old passwords are dropped, those of earlier runs too. Connected clients stay either way.
    type: bool
    default: false
  kernel_settings:
    description:
      - Whether to set what Redis wants of the kernel (C(vm.overcommit_memory), C(net.core.somaxconn), transparent huge
        pages). In a container it cannot be set, and what is missing is returned as a warning.
    type: bool
    default: true
  container:
    description: Whether this host is a container, whose kernel belongs to somebody else.
    type: bool
    default: false
  start_seconds:
    description: How long an instance may take to answer after its start, loading its data included.
    type: float
    default: 120.0
attributes:
  check_mode:
    description: Compares with the running servers and says what would be done. Nothing is set.
    support: full
  diff_mode:
    description: Shows settings, passwords masked.
    support: full
"""

EXAMPLES = r"""
- name: Bring the instances up to date
  cubeops.cubejs.redis_instances:
    instances:
      - name: acme
        port: 20001
        bind: [10.0.0.5]
        password: "{{ vault_acme_redis_password }}"
        maxclients: 500
"""

RETURN = r"""
instances:
  description:
    - What was done (in check mode, would be done) to instances, by name. Those that were as wanted, without anything to
      warn of, are left out.
  returned: success
  type: dict
  contains:
    actions:
      description: Any of enable, start, update (its files changed), set, password, restart. Empty when up to date.
      type: list
      elements: str
    settings:
      description: Settings that differed, each with the value it had and the one it has now. Secrets are masked.
      type: dict
    restart_reasons:
      description: Why it was restarted.
      type: list
      elements: str
    warnings:
      description: What somebody should look at. Given as warnings too.
      type: list
      elements: str
    replica_of:
      description: The primary that it was started for the first time as a replica of. Empty otherwise.
      type: str
    old_passwords:
      description: How many passwords besides the wanted one let clients in.
      type: int
kernel_settings:
  description: Kernel settings that were changed, by path, each with the value it had and the wanted one.
  returned: success
  type: dict
notes:
  description: What Redis wants and this host cannot give.
  returned: success
  type: list
  elements: str
unlisted:
  description: Enabled instances that were not listed. They are left alone.
  returned: success
  type: list
  elements: str
old_passwords:
  description: How many passwords besides the wanted ones let clients in, of all instances together.
  returned: success
  type: int
daemon_reloaded:
  description: Whether systemd was told to read its unit files again.
  returned: success
  type: bool
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import kernel, packing
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_lock import HostLockError, only_run
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_instances import Options, Outcome, Result, converge
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import Instance, InstancesError
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_store import HostStore
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Endpoint
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import SystemdError

INSTANCE_SPEC = {
    "name": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "bind": {"type": "list", "elements": "str", "default": ["127.0.0.1"]},
    "password": {"type": "str", "required": True, "no_log": True},
    "maxclients": {"type": "int", "required": True},
    "tls": {"type": "bool", "default": False},
    "tls_names": {"type": "list", "elements": "str", "default": []},
    "primary": {"type": "str"},
}
ARGUMENT_SPEC = {
    "instances": {"type": "list", "elements": "dict", "required": True, "options": INSTANCE_SPEC},
    "others": {"type": "list", "elements": "str", "default": []},
    "sentinels": {"type": "list", "elements": "str", "default": []},
    "sentinel_port": {"type": "int", "default": 26379},
    "server": {"type": "path", "default": "/usr/bin/redis-server"},
    "pending": {"type": "list", "elements": "str", "default": []},
    "pending_unit": {"type": "bool", "default": False},
    "keep_old_passwords": {"type": "bool", "default": False, "no_log": False},
    "kernel_settings": {"type": "bool", "default": True},
    "container": {"type": "bool", "default": False},
    "start_seconds": {"type": "float", "default": 120.0},
}
NOTE = "{} is {}, Redis wants {}: the kernel belongs to the container's host, set it there"


def main() -> None:
    """Parse, converge, report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    options = Options(
        apply=not module.check_mode,
        pending=frozenset(path.rpartition(".")[0] for path in params["pending"]),
        pending_unit=params["pending_unit"],
        keep_old_passwords=params["keep_old_passwords"],
        start_seconds=params["start_seconds"],
    )
    try:
        missing = kernel.unmet(kernel.REDIS) if params["kernel_settings"] else {}
        settable = {} if params["container"] else missing
        with only_run(apply=options.apply):
            if options.apply:
                kernel.write(settable)
            store = HostStore(
                params["server"], sentinels=[Endpoint(each, params["sentinel_port"]) for each in params["sentinels"]]
            )
            instances = [_instance(each) for each in params["instances"]]
            store.expect(instances)
            result = converge(instances, store, options)
    except (HostLockError, InstancesError, SystemdError, OSError) as exc:
        module.fail_json(msg=str(exc))
    unlisted = sorted(set(result.unlisted) - set(params["others"]))
    for text in _warnings(result, unlisted):
        module.warn(text)
    module.exit_json(
        changed=result.changed or bool(settable),
        instances={name: vars(outcome) for name, outcome in result.instances.items() if outcome != Outcome()},
        kernel_settings=settable,
        notes=[NOTE.format(path, *values) for path, values in missing.items() if path not in settable],
        unlisted=unlisted,
        old_passwords=sum(outcome.old_passwords for outcome in result.instances.values()),
        daemon_reloaded=result.daemon_reloaded,
        diff=_diff(result),
        invocation=packing.told(module.params),
    )


def _instance(params: dict[str, Any]) -> Instance:
    wanted = {key: params[key] for key in ("name", "port", "password", "maxclients", "tls", "primary")}
    return Instance(**wanted, bind=tuple(params["bind"]), tls_name=next(iter(params["tls_names"]), None))


def _warnings(result: Result, unlisted: list[str]) -> list[str]:
    texts = [
        f"Redis instance {name}: {text}" for name, outcome in result.instances.items() for text in outcome.warnings
    ]
    if unlisted:
        texts.append(f"Redis instances that run here and are not listed are left alone: {', '.join(unlisted)}")
    return texts


def _diff(result: Result) -> list[dict[str, str]]:
    rows = []
    for name, outcome in result.instances.items():
        if outcome.actions:
            before = "".join(f"{setting} {values[0]}\n" for setting, values in outcome.settings.items())
            after = "".join(f"{setting} {values[1]}\n" for setting, values in outcome.settings.items())
            header = f"Redis instance {name}: {', '.join(outcome.actions)}"
            rows.append({"before": before, "after": after, "before_header": header, "after_header": header})
    return rows


if __name__ == "__main__":
    main()
