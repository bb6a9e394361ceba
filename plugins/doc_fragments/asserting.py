# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the assert_* modules have in common, in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all of them, and of the one that asks proxies."""

    DOCUMENTATION = r"""
author: The cubeops.cubejs contributors (@cubeops)
options:
  fail_on:
    description: The least severity at which what failed, or is unknown, fails the task. V(never) only tells.
    type: str
    choices: [critical, error, warning, info, never]
    default: error
  whole:
    description:
      - Whether all processes of the host's deployments are on this host. When not, rules that compare processes with
        each other are left out, since one host cannot answer them.
      - M(cubeops.cubejs.checklist) judges all hosts at once.
    type: bool
    default: true
  deadline_seconds:
    description: How long all questions together may take; what has not answered by then is unknown. Within 1 and 600.
    type: float
    default: 10.0
  settle_seconds:
    description: How long after C(/readyz) a process must still be the same one. Within 0 and 60.
    type: float
    default: 3.0
  journal_hours:
    description: How far back the journal is searched. Within 0.1 and 720.
    type: float
    default: 24.0
  token_claims:
    description: Claims of the token with which C(/v1/meta) is asked, for projects whose code needs some.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Reads only, in check mode as otherwise.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
notes:
  - Changes nothing, and looks at the host as M(cubeops.cubejs.instance_info) does, at whatever runs Cube.js there,
    whoever deployed it. Run it with C(become), or most of what it looks for is unknown, and unknown is no pass.
  - A rule is explained by C(ansible localhost -m cubeops.cubejs.checklist -a explain=RULE).
seealso:
  - module: cubeops.cubejs.checklist
  - module: cubeops.cubejs.instance_info
"""

    PROXIES = r"""
options:
  proxies:
    description: Proxies that are asked from this host as a browser would.
    type: list
    elements: dict
    default: []
    suboptions:
      server_name:
        description: The name that is asked for.
        type: str
        required: true
      address:
        description: Where the proxy is; the name itself unless it is given.
        type: str
      https_port:
        description: Port of HTTPS.
        type: int
        default: 443
      http_port:
        description: Port of plain HTTP, which should redirect.
        type: int
        default: 80
      ca_path:
        description: PEM file on the host with the CAs to trust instead of the system's.
        type: path
      ca_certificates:
        description: The text of such a file, where the host has none.
        type: str
  reach:
    description: Ports that this host should not reach, such as those of Cube.js on other hosts.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Name or address.
        type: str
        required: true
      port:
        description: Port.
        type: int
        required: true
"""
