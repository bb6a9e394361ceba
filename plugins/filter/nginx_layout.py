# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the templates of the role nginx print."""

from __future__ import annotations

DOCUMENTATION = r"""
name: nginx_layout
short_description: Work out what the templates of the role nginx print
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
description:
  - Checks the servers and settings, all problems at once, and fills in defaults.
  - Chooses the syntax that the installed version of Nginx knows, and sizes of its hash tables for the servers' names.
positional: servers
options:
  servers:
    description: The role's C(nginx_servers).
    type: list
    elements: dict
    required: true
  version:
    description: Version of the installed package; the newest when unset.
    type: str
  ipv6:
    description: Whether the host has IPv6.
    type: bool
    required: true
  http_port:
    description: Port for HTTP.
    type: int
    required: true
  https_port:
    description: Port for HTTPS.
    type: int
    required: true
  http2:
    description: Whether HTTP/2 is offered.
    type: bool
    required: true
  worker_connections:
    description: Connections of one worker.
    type: int
    required: true
  trusted_proxies:
    description: Addresses and networks of a load balancer in front that terminates TLS.
    type: list
    elements: str
    default: []
  others:
    description: Servers that are on the host besides, and not written.
    type: list
    elements: dict
    default: []
  health_clients:
    description: Addresses and networks that may read the health endpoints.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Work out the configuration
  ansible.builtin.set_fact:
    layout: "{{ nginx_servers | cubeops.cubejs.nginx_layout(version='1.22.1', ipv6=true, http_port=80, https_port=443,
      http2=true, worker_connections=4096) }}"
"""

RETURN = r"""
_value:
  description:
    - Servers with defaults filled in, addresses to listen on, hash sizes, and which syntax to use. Lists of servers
      and certificates are packed (P(cubeops.cubejs.unpacked#filter)).
  type: dict
"""

from collections.abc import Sequence
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from ansible_collections.cubeops.cubejs.plugins.module_utils.nginx import NginxError, Settings, layout


def nginx_layout(
    servers: list[dict[str, Any]] | str, others: Sequence[dict[str, Any]] | str = (), **settings: Any
) -> dict[str, Any]:
    """Return what the role's templates print."""
    values: dict[str, Any] = {"version": None, **settings}
    for networks in ("trusted_proxies", "health_clients"):
        values[networks] = tuple(values.get(networks) or ())
    try:
        return packing.pack_lists(layout(packing.unpack(servers), Settings(**values), packing.unpack(others)))
    except NginxError as exc:
        raise AnsibleFilterError(f"The settings of the role nginx cannot be served:\n{exc}") from exc


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"nginx_layout": nginx_layout}
