# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules that look at a host have in common, in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """How a host is looked at, and what is asked from it of others."""

    DOCUMENTATION = r"""
options:
  deadline_seconds:
    description:
      - How long all questions together may take, within 1 and 600; what has not answered by then is unknown.
      - A single question may take 0.4 of it.
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
"""

    OUTSIDE = r"""
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
    description: Ports of which it is told whether this host reaches them, such as those of Cube.js on other hosts.
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
