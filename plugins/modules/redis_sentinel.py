#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Tell this host's Sentinel what to watch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_sentinel
short_description: Tell this host's Sentinel what to watch
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
description:
  - Compares what a running Sentinel watches with what is wanted, and tells it the difference (C(SENTINEL MONITOR),
    C(SET), C(REMOVE)). Sentinel keeps its own file; nothing else writes there.
  - Which host is the primary is Sentinel's to decide. It is never changed while it is one of O(watched[].hosts), so a
    run after a failover changes nothing.
  - What is watched and not listed is reported and left alone. So is what a Sentinel still counts of hosts that are
    gone, since Sentinel forgets no replica and no other Sentinel by itself.
options:
  bind:
    description: Addresses of this host's Sentinel. The first is where it is told.
    type: list
    elements: str
    required: true
  port:
    description: Port of the Sentinels.
    type: int
    default: 26379
  peers:
    description: Addresses of the other Sentinels. One that begins to watch after a failover learns the primary of them.
    type: list
    elements: str
    default: []
  watched:
    description: The replicated Redis that it watches.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name that clients ask for.
        type: str
        required: true
      hosts:
        description: Addresses of all its instances, that of the first primary first.
        type: list
        elements: str
        required: true
      port:
        description: Port of its instances, the same on all hosts.
        type: int
        required: true
      password:
        description: Password of its instances.
        type: str
        required: true
      quorum:
        description: How many Sentinels have to agree that the primary is gone.
        type: int
        required: true
      down_after_ms:
        description: After how many milliseconds without an answer a Sentinel takes the primary for gone.
        type: int
        default: 5000
      failover_timeout_ms:
        description: After how many milliseconds a failover that did not succeed is tried again.
        type: int
        default: 30000
  removed:
    description:
      - Names that are not to be watched any more. Where there are any, nobody is warned of others that are not listed.
    type: list
    elements: str
    default: []
  pending:
    description: In check mode, whether the Sentinel would only have been started by now. Has no meaning otherwise.
    type: bool
    default: false
attributes:
  check_mode:
    description: Compares, and says what would be told.
    support: full
  diff_mode:
    description: Shows options, passwords masked.
    support: full
"""

EXAMPLES = r"""
- name: Let the Sentinel watch
  cubeops.cubejs.redis_sentinel:
    bind: [10.0.0.5]
    peers: [10.0.0.6, 10.0.0.7]
    watched:
      - name: acme
        hosts: [10.0.0.5, 10.0.0.6]
        port: 20001
        password: "{{ vault_acme_redis_password }}"
        quorum: 2
"""

RETURN = r"""
changes:
  description: Options that were changed (in check mode, would be) of each watched Redis, before and after.
  returned: success
  type: dict
unlisted:
  description: Names that are watched and were not listed. They are left alone.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_sentinel import (
    Known,
    Result,
    SentinelError,
    Watched,
    converge,
    problems,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Endpoint
from ansible_collections.cubeops.cubejs.plugins.module_utils.sentinel_store import LiveSentinel

WATCHED_SPEC = {
    "name": {"type": "str", "required": True},
    "hosts": {"type": "list", "elements": "str", "required": True},
    "port": {"type": "int", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "quorum": {"type": "int", "required": True},
    "down_after_ms": {"type": "int", "default": 5000},
    "failover_timeout_ms": {"type": "int", "default": 30000},
}
ARGUMENT_SPEC = {
    "bind": {"type": "list", "elements": "str", "required": True},
    "port": {"type": "int", "default": 26379},
    "peers": {"type": "list", "elements": "str", "default": []},
    "watched": {"type": "list", "elements": "dict", "default": [], "options": WATCHED_SPEC},
    "removed": {"type": "list", "elements": "str", "default": []},
    "pending": {"type": "bool", "default": False},
}


class _NotStarted(LiveSentinel):
    """The Sentinel that a check mode would have started: it watches nothing."""

    def known(self) -> dict[str, Known]:
        return {}


def main() -> None:
    """Parse, converge, report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    watched = [Watched(**{**each, "hosts": tuple(each["hosts"])}) for each in params["watched"]]
    refused = problems(watched, params["bind"])
    if refused:
        module.fail_json(msg="\n".join(refused))
    own = Endpoint(params["bind"][0], params["port"])
    others = [Endpoint(each, params["port"]) for each in params["peers"] if each not in params["bind"]]
    sentinel = (_NotStarted if module.check_mode and params["pending"] else LiveSentinel)(own, others)
    try:
        result = converge(
            watched,
            sentinel,
            apply=not module.check_mode,
            removed=params["removed"],
            others=len(others) if params["peers"] else None,
        )
    except SentinelError as exc:
        module.fail_json(msg=f"Sentinel: {exc}")
    for text in _warnings(result, own, told=not params["removed"]):
        module.warn(text)
    module.exit_json(changed=bool(result.changes), changes=result.changes, unlisted=result.unlisted, diff=_diff(result))


def _warnings(result: Result, own: Endpoint, *, told: bool) -> list[str]:
    unlisted = (
        [f"Sentinel watches these, which are not listed, and is left to it: {', '.join(result.unlisted)}"]
        if result.unlisted and told
        else []
    )
    outnumbered = (
        [
            f"The Sentinel at {own} still counts replicas or Sentinels of hosts that are gone, for "
            f"{', '.join(result.outnumbered)}. A failover needs more than half of all Sentinels that it knows: let it "
            f"count anew with `redis-cli -h {own.host} -p {own.port} SENTINEL RESET NAME`, while all that are meant to "
            "be there run, and one Sentinel at a time, half a minute apart"
        ]
        if result.outnumbered
        else []
    )
    return [*result.warnings, *unlisted, *outnumbered]


def _diff(result: Result) -> list[dict[str, Any]]:
    return [
        {
            "before": "".join(f"{option} {values[0]}\n" for option, values in changes.items()),
            "after": "".join(f"{option} {values[1]}\n" for option, values in changes.items()),
            "before_header": f"Sentinel on {name}",
            "after_header": f"Sentinel on {name}",
        }
        for name, changes in result.changes.items()
    ]


if __name__ == "__main__":
    main()
